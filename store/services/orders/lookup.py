"""Orders read back, for whoever may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload, undefer
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.interfaces import ORMOption

from models import Order, Shipment, ShipmentLine
from store.domain.errors import NotFound
from store.services.orders.access import Access

LISTED = 20  # orders on a page of a browser's orders

# What its page shows of an order: read in one statement, for an order has a few lines and fewer adjustments.
_SHOWN = (
    joinedload(Order.payment, innerjoin=True),
    joinedload(Order.lines),
    joinedload(Order.adjustments),
    undefer(Order.in_cart),
)


def find(session: Session, reference: str, access: Access) -> Order:
    """An order with its lines, adjustments, live payment, shipments and history, and how many pieces are in its cart by
    now. Raises NotFound where `access` does not reach it, as where it does not exist.
    """
    order = _find(session, reference, access, *_SHOWN, selectinload(Order.history))
    set_committed_value(order, "shipments", _shipments(session, order) if order.shipped_at is not None else [])
    return order


def peek(session: Session, reference: str, access: Access) -> Order:
    """An order with its live payment and nothing else: what a page asks before it knows what to show. Raises NotFound
    as `find` does.
    """
    return _find(session, reference, access, joinedload(Order.payment, innerjoin=True))


def complete(session: Session, order: Order) -> None:
    """Read of an order of this transaction what `find` reads, without the history."""
    again = select(Order).where(Order.id == order.id).options(*_SHOWN).execution_options(populate_existing=True)
    session.scalars(again).unique().one()


@dataclass(frozen=True, slots=True)
class OrderList:
    """Some of a browser's orders, the newest first. Older ones come `after` the last of these, by its reference; None
    where there are none.
    """

    orders: Sequence[Order]
    after: str | None


def of_browser(session: Session, browser_id: str | None, after: str | None = None) -> OrderList:
    """This browser's newest orders, or the newest of those that it placed before the order `after`, with their lines
    and live payments: 20 at the most, which are found at once however many it has. Raises NotFound when `after` is not
    an order of this browser.
    """
    placed_here = select(Order).where(Order.browser_id == (browser_id or ""))
    page = placed_here
    if after is not None:
        last = session.scalars(placed_here.where(Order.reference == after)).one_or_none()
        if last is None:
            raise NotFound
        page = page.where(Order.id < last.id)
    found = session.scalars(
        page.order_by(Order.id.desc())
        .options(joinedload(Order.payment, innerjoin=True), selectinload(Order.lines))
        .limit(LISTED + 1)
    ).all()
    return OrderList(found[:LISTED], found[LISTED - 1].reference if len(found) > LISTED else None)


def newest_of_browser(session: Session, browser_id: str | None) -> Order | None:
    """The order that this browser placed last, alone."""
    placed = select(Order).where(Order.browser_id == (browser_id or "")).order_by(Order.id.desc()).limit(1)
    return session.scalars(placed).one_or_none()


def _shipments(session: Session, order: Order) -> Sequence[Shipment]:
    of_order = select(Shipment).where(Shipment.order_id == order.id).order_by(Shipment.number)
    return session.scalars(of_order.options(selectinload(Shipment.lines).joinedload(ShipmentLine.line))).all()


def _find(session: Session, reference: str, access: Access, *options: ORMOption) -> Order:
    found = select(Order).where(Order.reference == reference, access.condition).options(*options)
    order = session.scalars(found).unique().one_or_none()
    if order is None:
        raise NotFound
    return order
