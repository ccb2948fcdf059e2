"""Orders read back, for whoever may see them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from models import Order
from store.domain.errors import NotFound
from store.services.orders.access import Access


def find(session: Session, reference: str, access: Access) -> Order:
    """An order with its lines, adjustments, live payment and history. Raises NotFound where `access` does not reach
    it, as where it does not exist.
    """
    order = session.scalars(
        select(Order)
        .where(Order.reference == reference, access.condition)
        .options(
            joinedload(Order.payment, innerjoin=True),
            selectinload(Order.lines),
            selectinload(Order.adjustments),
            selectinload(Order.history),
        )
    ).one_or_none()
    if order is None:
        raise NotFound
    return order


def peek(session: Session, reference: str, access: Access) -> Order:
    """An order with its live payment and nothing else: what a page asks before it knows what to show. Raises NotFound
    as `find` does.
    """
    order = session.scalars(
        select(Order)
        .where(Order.reference == reference, access.condition)
        .options(joinedload(Order.payment, innerjoin=True))
    ).one_or_none()
    if order is None:
        raise NotFound
    return order


def of_browser(session: Session, browser_id: str | None) -> Sequence[Order]:
    """This browser's hundred newest orders, the newest first, with their lines and live payments."""
    return session.scalars(
        select(Order)
        .where(Order.browser_id == (browser_id or ""))
        .order_by(Order.id.desc())
        .options(joinedload(Order.payment, innerjoin=True), selectinload(Order.lines))
        .limit(100)
    ).all()
