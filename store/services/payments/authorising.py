"""What follows when a card is authorised: the bank keeps the amount, nothing is charged, and the order waits for the
store to ship it.

Such an order keeps its state and its reserved stock: no money has come in. It leaves its cart, takes no other card, and
expires shortly before the bank's authorisation does: its stock is not kept longer than the amount on the card.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Order, Payment
from store.domain.states import OrderState, PaymentEvent, PaymentState
from store.gateway.port import PaymentSnapshot
from store.services import carts, mail, transitions
from store.services.history import Origin

# How long an authorisation lasts where the payment service does not say it: docs.stripe.com, of cards online.
LASTS = timedelta(days=7)
# The worker releases what was not captured so long before it ends at the bank.
RELEASED_BEFORE = timedelta(hours=2)
# The merchant is reminded so long before that.
ENDS_SOON = timedelta(days=2)


def record(session: Session, order: Order, payment: Payment, snapshot: PaymentSnapshot, origin: Origin) -> bool:
    """The card is authorised for a payment whose order is locked. Returns whether the order is to `keep` it: one that
    waits for its payment and has no other that is authorised. Any other is released by the worker.
    """
    known = snapshot.capture_before or payment.capture_before
    values: dict[str, object] = {
        "observed_at": snapshot.observed_at,
        "capture_before": known or snapshot.observed_at + LASTS,
    }
    if snapshot.card is not None:
        values |= {"card_brand": snapshot.card.brand, "card_last4": snapshot.card.last4}
    amount = {"amount": snapshot.amount.minor}
    moved = transitions.apply(session, order, payment, PaymentEvent.AUTHORISED, origin, values=values, data=amount)
    if not moved.applied:
        if snapshot.capture_before is not None:
            note_end(session, order, payment, snapshot.capture_before)
        return False
    return order.state is OrderState.AWAITING_PAYMENT and order.authorised_at is None


def keep(session: Session, order: Order, payment: Payment, origin: Origin) -> None:
    """Have the order, which counts on this payment, wait for its shipment."""
    if payment.capture_before is None:
        raise LookupError(payment.id)
    ends = payment.capture_before - RELEASED_BEFORE
    transitions.write(session, order, {"authorised_at": origin.at, "expires_at": ends})
    carts.empty_of(session, order.cart_id, order.id)
    mail.write(session, order, mail.Kind.ORDER_AUTHORISED, origin.at)


def count_ending(session: Session, now: datetime) -> int:
    """How many orders are authorised and will be released soon, because nobody has shipped them."""
    waiting = select(func.count(Order.id)).where(
        Order.state == OrderState.AWAITING_PAYMENT,
        Order.authorised_at.is_not(None),
        Order.expires_at < now + ENDS_SOON,
    )
    return session.scalars(waiting).one()


def note_end(session: Session, order: Order, payment: Payment, capture_before: datetime) -> None:
    """Until when a payment can be captured, as the payment service says; its order is locked."""
    if payment.capture_before == capture_before or payment.state in (PaymentState.PAID, PaymentState.REFUNDED):
        return
    transitions.write(session, payment, {"capture_before": capture_before})
    if payment.live and payment.state is PaymentState.AUTHORISED and order.is_authorised:
        transitions.write(session, order, {"expires_at": capture_before - RELEASED_BEFORE})
