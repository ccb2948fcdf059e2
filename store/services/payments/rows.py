"""Which row a payment of the payment service has here: the one that waits for its id, or one of its own."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models import Order, Payment
from store.domain.errors import PaymentUnconfirmed
from store.domain.states import PaymentEvent, PaymentKind
from store.gateway.port import PaymentSnapshot
from store.services import transitions
from store.services.history import Origin, Source
from store.services.payments import accounts, unmatched_events
from store.services.services import Services

# Events that were sent, whenever that was; any other source has asked the payment service.
REPORTED = (Source.WEBHOOK,)


def of_order(
    session: Session, services: Services, order: Order, snapshot: PaymentSnapshot, origin: Origin
) -> Payment | None:
    """The row of a payment that the order does not have yet: its live one, if that waits for its id, else a row of its
    own for one that was paid beside it. None for any other. Raises PaymentUnconfirmed as `record` does.
    """
    if origin.source in REPORTED:
        raise PaymentUnconfirmed(snapshot.provider_payment_id)
    payment = _waiting_row(session, order, snapshot)
    if payment is None:
        if snapshot.event is not PaymentEvent.PAID:
            return None
        payment = _add_beside(session, order, PaymentKind.CARD)
    _attach(session, services, order, payment, snapshot.provider_payment_id, origin)
    return payment


def of_page(
    session: Session, services: Services, order: Order, payment: Payment, snapshot: PaymentSnapshot, origin: Origin
) -> Payment | None:
    """The row of what was paid on the page of `payment`: that one, unless it has another payment by now. None for
    another one that was not paid.
    """
    if payment.provider_payment_id is None:
        _attach(session, services, order, payment, snapshot.provider_payment_id, origin)
    if payment.provider_payment_id == snapshot.provider_payment_id:
        return payment
    found = transitions.lock_payment(session, snapshot.provider_payment_id)
    if found is not None:
        return found[1]
    if snapshot.event is not PaymentEvent.PAID:
        return None
    beside = _add_beside(session, order, PaymentKind.HOSTED)
    _attach(session, services, order, beside, snapshot.provider_payment_id, origin)
    return beside


def make_live(session: Session, order: Order, payment: Payment) -> None:
    """Have the order count on this payment; the one that it counted on is cancelled by the worker."""
    if not payment.live:
        transitions.write(session, order.payment, {"live": False})
        transitions.write(session, payment, {"live": True})
        session.expire(order, ["payment"])


def _attach(
    session: Session, services: Services, order: Order, payment: Payment, provider_payment_id: str, origin: Origin
) -> None:
    """Give a payment its id at the payment service, and record what was said of that before."""
    values = {"provider_payment_id": provider_payment_id, "account": accounts.known(services)}
    opened = transitions.apply(session, order, payment, PaymentEvent.OPENED, origin, values=values)
    if not opened.applied:  # its page was opened before
        transitions.write(session, payment, values)
    unmatched_events.replay(session, order, payment, origin)


def _waiting_row(session: Session, order: Order, snapshot: PaymentSnapshot) -> Payment | None:
    """The row that waits for the id of such a payment: one that is made on a hosted page carries its number."""
    payment: Payment | None = order.payment
    if snapshot.payment_number is not None:
        numbered = select(Payment).where(Payment.id == snapshot.payment_number, Payment.order_id == order.id)
        payment = session.scalars(numbered).one_or_none()
    elif order.payment.kind is not PaymentKind.CARD:
        return None
    return payment if payment is not None and payment.provider_payment_id is None else None


def _add_beside(session: Session, order: Order, kind: PaymentKind) -> Payment:
    """A payment of the order beside its live one."""
    values = {"order_id": order.id, "kind": kind, "amount_minor": order.total_minor, "live": False}
    return session.scalars(insert(Payment).values(values).returning(Payment)).one()
