"""Everything that is known of an order, for the staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from models import Dispute, Endpoint, Mail, Notification, Order, Payment, Refund, RefundLine, Shipment, ShipmentLine
from store.domain.errors import NotFound
from store.domain.money import Money
from store.domain.states import PaymentState, RefundState
from store.services.payments import refunds
from store.services.payments.refunds import Refundable


@dataclass(frozen=True, slots=True)
class WholeOrder:
    """An order with its lines, adjustments, payments, shipments, reviews and history; its refunds with their lines, and
    what other programs were told of it. `left` is how much of its live payment can still be refunded, `by_line` what of
    that by line, and `unanswered` whether a refund was requested and is not made yet.
    """

    order: Order
    refunds: Sequence[Refund]
    disputes: Sequence[Dispute]
    mails: Sequence[Mail]
    notifications: Sequence[Notification]
    left: Money
    by_line: Refundable
    unanswered: bool


def read(session: Session, reference: str) -> WholeOrder:
    """Raises NotFound."""
    order = session.scalars(
        select(Order)
        .where(Order.reference == reference)
        .options(
            joinedload(Order.payment, innerjoin=True),
            selectinload(Order.lines),
            selectinload(Order.adjustments),
            selectinload(Order.payments),
            selectinload(Order.shipments).selectinload(Shipment.lines).joinedload(ShipmentLine.line),
            selectinload(Order.reviews),
            selectinload(Order.history),
        )
    ).one_or_none()
    if order is None:
        raise NotFound
    of_order = Payment.order_id == order.id
    made = select(Refund).join(Refund.payment).where(of_order).order_by(Refund.id)
    with_lines = made.options(selectinload(Refund.lines).joinedload(RefundLine.line))
    returned = session.scalars(with_lines).all()
    disputes = session.scalars(select(Dispute).join(Dispute.payment).where(of_order).order_by(Dispute.opened_at)).all()
    mails = session.scalars(select(Mail).where(Mail.order_id == order.id).order_by(Mail.id)).all()
    entries = [entry.id for entry in order.history]
    of_endpoints = Notification.endpoint_id.in_(select(Endpoint.id))  # so that it goes by their index
    told = select(Notification).where(of_endpoints, Notification.history_id.in_(entries)).order_by(Notification.id)
    notifications = session.scalars(told).all()
    unanswered = any(refund.state is RefundState.REQUESTED for refund in returned)
    by_line = refunds.refundable(session, order)
    return WholeOrder(order, returned, disputes, mails, notifications, _left(order, returned), by_line, unanswered)


def _left(order: Order, returned: Sequence[Refund]) -> Money:
    """How much the live payment has that no refund is about."""
    if order.payment.state is not PaymentState.PAID:
        return Money(0, order.currency)
    on_their_way = (RefundState.REQUESTED, *refunds.RETURNING)
    claimed = sum(
        refund.amount_minor
        for refund in returned
        if refund.payment_id == order.payment.id and refund.state in on_their_way
    )
    return Money(max(order.payment.received_minor - claimed, 0), order.currency)
