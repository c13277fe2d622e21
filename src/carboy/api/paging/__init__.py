"""What a page is, and how one is asked for.

Cursors point between two rows of an ordered list, so the cost of a page does not grow
with its distance from the start, and a row that comes or goes moves no other row onto
or off the next page. Page numbers count, with the opposite properties.

Sources: RFC 8288 (links); Winand, "Use The Index, Luke", "Paging Through Results".
"""

from carboy.api.cursors import InvalidCursor
from carboy.api.paging.cursor import Cursor
from carboy.api.paging.numbered import Pages
from carboy.api.paging.page import Page, Paging

__all__ = ["Cursor", "InvalidCursor", "Page", "Pages", "Paging"]
