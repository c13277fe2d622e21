"""Products, and how they are searched."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, Select, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column, validates

from shop.database import Id, Model, Moment, Money, utc_now


class Product(Model):
    """One article. ``stock`` is what can still be sold; the database keeps it from below zero."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("stock >= 0", name="stock_not_negative"),
        CheckConstraint("price_cents >= 0", name="price_not_negative"),
        # Without it SQLite would hand the id of a deleted row to the next one.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    sku: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(60), index=True)
    price: Mapped[Decimal] = mapped_column("price_cents", Money)
    stock: Mapped[int]
    search_text: Mapped[str] = mapped_column(Text)
    picture_key: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)

    @validates("sku", "name", "description", "category")
    def _keep_searchable(self, key: str, value: str) -> str:
        parts = {
            part: getattr(self, part, None) or ""
            for part in ("sku", "name", "category", "description")
        }
        self.search_text = folded(" ".join({**parts, key: value}.values()))
        return value


def folded(text: str) -> str:
    """Reduce *text* to what search compares: no case, one form of each character.

    Done here because SQLite folds the case of ASCII letters only.
    """
    return unicodedata.normalize("NFKC", text).casefold()


def search(text: str = "") -> Select[Any]:
    """Select the products that contain every word of *text*.

    :param text: words, in any order and case; empty: all products.
    """
    found = select(Product)
    for word in folded(text).split():
        found = found.where(Product.search_text.contains(word, autoescape=True))
    return found
