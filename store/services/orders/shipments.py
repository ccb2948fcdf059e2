"""Shipments: what of an order was sent at one time, and what of it is left to be sent. Its order is locked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.orm import Session

from models import Order, OrderLine, Refund, RefundLine, Shipment, ShipmentLine
from store.domain.states import OrderEvent, OrderState, RefundState
from store.services import history, transitions
from store.services.database import ROWS_ALONE
from store.services.history import Origin

# How many pieces, by the id of their product.
Pieces = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class ParcelLabel:
    """What stands on a parcel: the carrier, and its number or address, as far as they are known."""

    carrier: str | None = None
    tracking: str | None = None


def left(session: Session, order: Order) -> dict[int, int]:
    """The pieces that are still to be sent."""
    lines = select(OrderLine.product_id, OrderLine.to_ship).where(OrderLine.order_id == order.id)
    return {product_id: pieces for product_id, pieces in session.execute(lines.order_by(OrderLine.position)) if pieces}


def next_number(session: Session, order: Order) -> int:
    """The number that the next shipment of an order will have."""
    return (session.scalar(select(func.max(Shipment.number)).where(Shipment.order_id == order.id)) or 0) + 1


def add(session: Session, order: Order, pieces: Pieces, label: ParcelLabel, origin: Origin) -> Shipment:
    """Write down that these pieces were sent, of which as many are left, and what follows for the order."""
    shipment = Shipment(
        order_id=order.id,
        number=next_number(session, order),
        shipped_at=origin.at,
        carrier=label.carrier,
        tracking=label.tracking,
        actor=origin.actor,
    )
    session.add(shipment)
    session.flush()
    of_shipment = {"shipment_id": shipment.id, "order_id": order.id}
    session.execute(
        insert(ShipmentLine),
        [{**of_shipment, "product_id": product_id, "quantity": count} for product_id, count in pieces.items()],
    )
    for product_id, count in pieces.items():
        change_line(session, order, product_id, shipped=count)
    said = {"shipment": shipment.number, "pieces": named(session, order, pieces)}
    said |= {name: text for name, text in (("carrier", label.carrier), ("tracking", label.tracking)) if text}
    transitions.write(session, order, {"shipped_at": origin.at})
    if not finish(session, order, origin, said):
        history.add(session, order, "order.partly_shipped", origin, data=said)
    return shipment


def finish(session: Session, order: Order, origin: Origin, data: Mapping[str, Any] | None = None) -> bool:
    """Make a paid order fulfilled of which nothing is left to be sent; says whether it was made so. Pieces that are to
    be refunded instead may have to be sent after all, until the payment service has accepted that.
    """
    if order.state is not OrderState.PAID or left(session, order) or _may_come_back(session, order):
        return False
    values, said = {"fulfilled_at": origin.at}, data if data is not None else {"nothing_left": True}
    return transitions.apply(session, order, order, OrderEvent.FULFILLED, origin, values=values, data=said).applied


def change_line(session: Session, order: Order, product_id: int, **by: int) -> None:
    """Add to what became of a line's pieces. The database refuses more than there are."""
    columns = {name: getattr(OrderLine, name) + count for name, count in by.items()}
    line = update(OrderLine).where(OrderLine.order_id == order.id, OrderLine.product_id == product_id)
    session.execute(line.values(columns), execution_options=ROWS_ALONE)
    session.expire(order, ["lines"])


def named(session: Session, order: Order, pieces: Pieces) -> str:
    """Pieces as they are read: `2 × Cedar pencil, 1 × Brass pen`."""
    lines = select(OrderLine.product_id, OrderLine.name).where(
        OrderLine.order_id == order.id, OrderLine.product_id.in_(list(pieces))
    )
    rows = session.execute(lines.order_by(OrderLine.position))
    return ", ".join(f"{pieces[product_id]} × {name}" for product_id, name in rows)


def _may_come_back(session: Session, order: Order) -> bool:
    """Whether a refund of pieces that were not sent is not answered yet."""
    waiting = (
        exists()
        .where(RefundLine.order_id == order.id, RefundLine.product_id.is_not(None), ~RefundLine.sent)
        .where(Refund.id == RefundLine.refund_id, Refund.state == RefundState.REQUESTED)
    )
    return bool(session.scalar(select(waiting)))
