"""Rows as no code of the store leaves them, written past it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, update

from models import Order, Payment
from tests.support.shop import Shop


def change(shop: Shop, order: Order, payment: dict[str, Any] | None = None, **values: Any) -> None:
    """Other values in an order's row, and in that of its live payment."""
    with shop.services.database.transaction() as session:
        if values:
            session.execute(update(Order).where(Order.id == order.id).values(values))
        if payment:
            session.execute(update(Payment).where(Payment.order_id == order.id, Payment.live).values(payment))


def add_payment(shop: Shop, order: Order, **values: Any) -> int:
    """One more payment of an order, not its live one unless the values say so: its id."""
    row = {"order_id": order.id, "amount_minor": order.total_minor, "live": False, **values}
    with shop.services.database.transaction() as session:
        return session.scalars(insert(Payment).values(row).returning(Payment.id)).one()
