"""Orders read back, for whoever may see them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload, undefer
from sqlalchemy.orm.interfaces import ORMOption

from models import Order
from store.domain.errors import NotFound
from store.services.orders.access import Access

# What its page shows of an order: read in one statement, for an order has a few lines and fewer adjustments.
_SHOWN = (
    joinedload(Order.payment, innerjoin=True),
    joinedload(Order.lines),
    joinedload(Order.adjustments),
    undefer(Order.in_cart),
)


def find(session: Session, reference: str, access: Access) -> Order:
    """An order with its lines, adjustments, live payment and history, and how many pieces are in its cart by now.
    Raises NotFound where `access` does not reach it, as where it does not exist.
    """
    return _find(session, reference, access, *_SHOWN, selectinload(Order.history))


def peek(session: Session, reference: str, access: Access) -> Order:
    """An order with its live payment and nothing else: what a page asks before it knows what to show. Raises NotFound
    as `find` does.
    """
    return _find(session, reference, access, joinedload(Order.payment, innerjoin=True))


def complete(session: Session, order: Order) -> None:
    """Read of an order of this transaction what `find` reads, without the history."""
    again = select(Order).where(Order.id == order.id).options(*_SHOWN).execution_options(populate_existing=True)
    session.scalars(again).unique().one()


def of_browser(session: Session, browser_id: str | None) -> Sequence[Order]:
    """This browser's hundred newest orders, the newest first, with their lines and live payments."""
    return session.scalars(
        select(Order)
        .where(Order.browser_id == (browser_id or ""))
        .order_by(Order.id.desc())
        .options(joinedload(Order.payment, innerjoin=True), selectinload(Order.lines))
        .limit(100)
    ).all()


def newest_of_browser(session: Session, browser_id: str | None) -> Order | None:
    """The order that this browser placed last, alone."""
    placed = select(Order).where(Order.browser_id == (browser_id or "")).order_by(Order.id.desc()).limit(1)
    return session.scalars(placed).one_or_none()


def _find(session: Session, reference: str, access: Access, *options: ORMOption) -> Order:
    found = select(Order).where(Order.reference == reference, access.condition).options(*options)
    order = session.scalars(found).unique().one_or_none()
    if order is None:
        raise NotFound
    return order
