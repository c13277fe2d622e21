"""What changed between two OpenAPI documents, and what of it breaks callers."""

from carboy.api.contract.change import Change
from carboy.api.contract.document import DocumentError, compare, parsed

__all__ = ["Change", "DocumentError", "compare", "parsed"]
