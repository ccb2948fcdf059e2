"""What the payment service reports of refunds, in any order and any number of times.

Each refund is a machine of its own that only goes forward. What was returned of a payment is always the sum of its
refunds that are on their way or done, so the order of events does not matter.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Order, Payment, Refund
from store.domain.states import (
    OrderEvent,
    OrderState,
    PaymentEvent,
    PaymentState,
    RefundEvent,
    RefundState,
    ReservationState,
)
from store.gateway.port import RefundSnapshot
from store.services import mail, stock, transitions
from store.services.history import Origin
from store.services.orders import reviews, shipments
from store.services.payments.refunds import lines

RETURNING = (RefundState.PENDING, RefundState.SUCCEEDED)
ACCEPTED = (RefundEvent.PENDING, RefundEvent.SUCCEEDED)
FAILED = (RefundState.FAILED, RefundState.CANCELLED)
RECEIVED = (PaymentState.PAID, PaymentState.REFUNDED)


def record(session: Session, snapshot: RefundSnapshot, origin: Origin) -> Order | None:
    """Record what a snapshot says of a refund, and what follows for its order; returns the order, locked, or None when
    the refund is not of this store.
    """
    found = transitions.lock_payment(session, snapshot.provider_payment_id)
    if found is None:
        return None
    order, payment = found
    record_of(session, order, payment, snapshot, origin)
    return order


def record_of(session: Session, order: Order, payment: Payment, snapshot: RefundSnapshot, origin: Origin) -> None:
    """Record a refund of a payment whose order is locked."""
    refund = _find_or_add(session, payment, snapshot, origin)
    data = {"amount": snapshot.amount.minor}
    values: dict[str, Any] = {"provider_refund_id": snapshot.provider_refund_id}
    if snapshot.event in ACCEPTED and refund.accepted_at is None:
        values["accepted_at"] = origin.at
    moved = transitions.apply(session, order, refund, snapshot.event, origin, values=values, data=data)
    if not moved.applied:
        return
    if moved.before is RefundState.REQUESTED:
        lines.decide(session, order, refund, origin)
    recompute(session, order, payment, origin)
    shipments.finish(session, order, origin)
    if moved.after in FAILED:
        _not_returned(session, order, payment, snapshot.provider_refund_id, origin)
        dedupe_key = f"refund-failed:{snapshot.provider_refund_id}"
        mail.write(session, order, mail.Kind.REFUND_FAILED, origin.at, dedupe_key=dedupe_key, **data)
    if moved.after is RefundState.SUCCEEDED:
        dedupe_key = f"refund:{snapshot.provider_refund_id}"
        mail.write(session, order, _mail_of(order, payment, refund), origin.at, dedupe_key=dedupe_key, **data)


def recompute(session: Session, order: Order, payment: Payment, origin: Origin) -> None:
    """Bring amounts, states and stock in line with the payment's refunds. Does nothing before it was received."""
    if payment.state not in RECEIVED:
        return
    returned = total(session, payment, RETURNING)
    if returned > payment.received_minor:
        reviews.open_review(session, order, "returned_more_than_received", origin, returned=returned)
    refunded = min(returned, payment.received_minor)
    if refunded == payment.refunded_minor:
        return
    transitions.write(session, payment, {"refunded_minor": refunded})
    if payment.live and order.tax_recorded_at is not None:
        transitions.write(session, order, {"tax_recorded_at": None})
    if refunded == payment.received_minor:
        _all_returned(session, order, payment, origin)
    elif payment.state is PaymentState.REFUNDED:
        _no_longer_all_returned(session, order, payment, origin)


def unowed_key(payment: Payment) -> str:
    """The key of the one refund of a payment that the shop must not keep."""
    return f"{payment.provider_payment_id}-refund-unowed"


def total(session: Session, payment: Payment, states: tuple[RefundState, ...]) -> int:
    """How much of a payment the refunds in these states are about, in minor units."""
    amount = select(func.sum(Refund.amount_minor)).where(Refund.payment_id == payment.id, Refund.state.in_(states))
    return int(session.scalar(amount) or 0)  # PostgreSQL sums big integers into a decimal


def _find_or_add(session: Session, payment: Payment, snapshot: RefundSnapshot, origin: Origin) -> Refund:
    """The row of this refund: by its id, by the key that the store requested it with, or a new one for a refund made
    elsewhere.
    """
    of_payment = select(Refund).where(Refund.payment_id == payment.id)
    found = session.scalars(of_payment.where(Refund.provider_refund_id == snapshot.provider_refund_id)).one_or_none()
    if found is None and snapshot.key is not None:
        by_key = of_payment.where(Refund.key == snapshot.key, Refund.provider_refund_id.is_(None))
        found = session.scalars(by_key).one_or_none()
    if found is None:
        found = Refund(
            payment_id=payment.id,
            state=RefundState.REQUESTED,
            provider_refund_id=snapshot.provider_refund_id,
            amount_minor=snapshot.amount.minor,
            requested_at=origin.at,
        )
        session.add(found)
        session.flush()
    return found


def _mail_of(order: Order, payment: Payment, refund: Refund) -> mail.Kind:
    """Which e-mail the customer gets about a refund that succeeded."""
    if not payment.live:
        return mail.Kind.SECOND_PAYMENT_RETURNED
    late = order.reservation is ReservationState.RELEASED and refund.key == unowed_key(payment)
    return mail.Kind.LATE_PAYMENT_RETURNED if late else mail.Kind.REFUNDED


def _all_returned(session: Session, order: Order, payment: Payment, origin: Origin) -> None:
    """Nothing of the money is left. Where it was the order's own, stock that was not sent is released."""
    no_longer_due = {"refund_due": False}
    transitions.apply(session, order, payment, PaymentEvent.REFUNDED, origin, values=no_longer_due, recorded=True)
    if not payment.live:
        return
    shipped, reservation = order.state is OrderState.FULFILLED, order.reservation
    values = {} if shipped else {"reservation": ReservationState.RELEASED}
    moved = transitions.apply(session, order, order, OrderEvent.MONEY_RETURNED, origin, values=values)
    if moved.applied and not shipped:
        stock.release(session, order.id, reservation)


def _no_longer_all_returned(session: Session, order: Order, payment: Payment, origin: Origin) -> None:
    """A refund failed after all: the store has the money again. Where it is the order's own, the stock is owed
    again.
    """
    transitions.apply(session, order, payment, PaymentEvent.REFUND_FAILED, origin, recorded=True)
    if not payment.live:
        return
    committed = stock.commit(session, order.id, order.reservation)
    values = {"reservation": ReservationState.COMMITTED} if committed else {}
    transitions.apply(session, order, order, OrderEvent.REFUND_FAILED, origin, values=values)


def _not_returned(session: Session, order: Order, payment: Payment, provider_refund_id: str, origin: Origin) -> None:
    """The bank did not take a refund, be it a part or all: the shopper waits for money, so a person finds another
    way. Submitting it again under the same key would find the same failed refund.
    """
    transitions.write(session, payment, {"refund_due": False})
    reviews.open_review(
        session, order, "refund_failed", origin, subject=provider_refund_id, reservation=order.reservation
    )
