"""Orders. What was bought is copied into them: a later change of price changes no order."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from carboy import IdempotencyKeyMixin
from shop.database import Id, Model, Moment, Money, utc_now


class Order(Model):
    """One purchase. It outlives the account that made it; ``user_id`` is then ``None``."""

    __tablename__ = "orders"
    # Without it SQLite would hand the id of a deleted row to the next one.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy's way

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    currency: Mapped[str] = mapped_column(String(3))
    total: Mapped[Decimal] = mapped_column("total_cents", Money)
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    refunded_at: Mapped[datetime | None] = mapped_column(Moment)
    lines: Mapped[list[OrderLine]] = relationship(
        order_by="OrderLine.product_id", lazy="selectin", cascade="all, delete-orphan"
    )


class IdempotencyKey(IdempotencyKeyMixin, Model):
    """The answer to a checkout, for whoever sends it again."""

    __tablename__ = "idempotency_keys"


class OrderLine(Model):
    """One product in one order, at the price of that moment."""

    __tablename__ = "order_lines"
    __table_args__ = (
        UniqueConstraint("order_id", "product_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), index=True)
    sku: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(120))
    price: Mapped[Decimal] = mapped_column("price_cents", Money)
    quantity: Mapped[int]

    @property
    def total(self) -> Decimal:
        """Price times quantity, exact."""
        return self.price * self.quantity
