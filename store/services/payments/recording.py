"""Recording what is known of a payment: the one way in for facts about money.

Whatever reports it (a webhook, a look-up, the worker, reconciliation), it comes in through `record`, which locks the
order, then reads, then decides, in the caller's transaction.
"""

from __future__ import annotations

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from models import Order, Payment
from store.domain.states import OrderEvent, OrderState, PaymentEvent, PaymentKind, PaymentState, ReservationState
from store.gateway.port import CancelReason, CardUsed, Decline, HostedPageSnapshot, PaymentSnapshot
from store.services import carts, history, mail, stock, transitions
from store.services.history import Origin
from store.services.orders import reviews
from store.services.payments import accounts, authorising, refunds, rows
from store.services.payments.rows import REPORTED
from store.services.services import Services

DECIDED = (PaymentState.PAID, PaymentState.CANCELLED, PaymentState.REFUNDED)
RECEIVED = (PaymentState.PAID, PaymentState.REFUNDED)
# Not decided, and no card can be tried on it: the bank is deciding, or has authorised it.
TAKES_NO_CARD = (PaymentState.PROCESSING, PaymentState.AUTHORISED)
# What happens before each of these when a card is tried. The bank can refuse in the second in which it asked.
HAPPENS_BEFORE = {
    PaymentState.PROCESSING: (PaymentEvent.ACTION_REQUIRED,),
    PaymentState.DECLINED: (PaymentEvent.ACTION_REQUIRED, PaymentEvent.PROCESSING),
}


def record(
    session: Session, services: Services, snapshot: PaymentSnapshot | HostedPageSnapshot, origin: Origin
) -> Order | None:
    """Record what a snapshot says of a payment, and what follows for its order; returns the order, locked, or None when
    the payment is not of this store. A hosted page says what it says of the payment that is made on it.

    A terminal fact (paid, cancelled) is believed as it stands; any other can add to the history but never undo a
    terminal state, and changes nothing when something newer is known. A payment that does not fit its order opens a
    review. A second payment that was received for an order is returned.

    Raises PaymentUnconfirmed for a payment that is not known here and that a webhook says is an order's: anybody on the
    account can write that. The payment service has to be asked for it first, and what it says recorded.
    """
    if isinstance(snapshot, HostedPageSnapshot):
        return _record_page(session, services, snapshot, origin)
    order, payment = _lock(session, snapshot)
    return record_of(session, services, order, payment, snapshot, origin) if order is not None else None


def record_of(
    session: Session,
    services: Services,
    order: Order,
    payment: Payment | None,
    snapshot: PaymentSnapshot,
    origin: Origin,
) -> Order:
    """The same for an order that is locked; `payment` is its payment that the snapshot is about, if it has that yet."""
    if (mismatch := _mismatch(order, snapshot, services)) is not None:
        if snapshot.event in (PaymentEvent.PAID, PaymentEvent.AUTHORISED):
            reviews.open_review(
                session, order, mismatch, origin, subject=snapshot.provider_payment_id, lasting=True,
                received=snapshot.received.minor, currency=snapshot.received.currency,
            )  # fmt: skip
        return order
    if payment is None:
        payment = rows.of_order(session, services, order, snapshot, origin)
    if payment is None:
        return order  # another payment than the order's that was never paid: it is cancelled when it is found
    if origin.source not in REPORTED:
        accounts.confirm(session, services, payment)
    if snapshot.event is PaymentEvent.PAID:
        _paid(session, order, payment, snapshot, origin)
    elif snapshot.event is PaymentEvent.AUTHORISED:
        _authorised(session, order, payment, snapshot, origin)
    elif snapshot.event is PaymentEvent.CANCELLED:
        _end(session, order, payment, _why_cancelled(order, payment, snapshot, origin), origin)
    elif snapshot.event is not None:
        _observed(session, order, payment, snapshot, origin)
    return order


def _record_page(session: Session, services: Services, page: HostedPageSnapshot, origin: Origin) -> Order | None:
    """A page is known by its id, which is known here before anybody can pay on it."""
    found = transitions.lock_payment_on_page(session, page.provider_page_id)
    if found is None:
        return None
    order, payment = found
    if page.payment is not None:
        made = rows.of_page(session, services, order, payment, page.payment, origin)
        if made is not None:
            record_of(session, services, order, made, page.payment, origin)
    if origin.source not in REPORTED:
        accounts.confirm(session, services, payment)
    if page.open or payment.state in (*DECIDED, *TAKES_NO_CARD):
        return order
    # Nobody can pay on it any more. Where its payment failed after the page was left, the order can be paid otherwise.
    failed_later = page.payment is not None and payment.live and payment.cancel_reason is None
    if not failed_later:
        _end(session, order, payment, _why_ended(order, payment, origin), origin)
    return order


def _why_cancelled(order: Order, payment: Payment, snapshot: PaymentSnapshot, origin: Origin) -> CancelReason | None:
    """Why a payment was cancelled. The payment service does not say it of one that is made on a hosted page, which ends
    with that, nor of an authorisation that has ended by itself.
    """
    if payment.state is PaymentState.AUTHORISED:
        return snapshot.cancelled_because or _why_ended(order, payment, origin)
    return snapshot.cancelled_because if payment.kind is PaymentKind.CARD else _why_ended(order, payment, origin)


def _why_ended(order: Order, payment: Payment, origin: Origin) -> CancelReason | None:
    """Why a hosted page or an authorisation has ended, where the payment service does not remember: the store has
    written it down before it ended the page, or its time was over.
    """
    if payment.cancel_reason is not None:
        return CancelReason(payment.cancel_reason)
    authorised = payment.state is PaymentState.AUTHORISED  # its page was left
    ends = order.expires_at
    if payment.page_expires_at is not None and not authorised:
        ends = min(ends, payment.page_expires_at)
    return CancelReason.EXPIRED if ends <= origin.at else None


def note_card(session: Session, used: CardUsed) -> str | None:
    """Remember which card paid, and until when it can be charged where it was only authorised; returns the order's
    reference, or None when the payment is not of this store.
    """
    if used.capture_before is not None:  # before the payment is written: whoever locks both locks the order first
        found = transitions.lock_payment(session, used.provider_payment_id)
        if found is not None:
            authorising.note_end(session, *found, used.capture_before)
    reference = select(Order.reference).where(Order.id == Payment.order_id).scalar_subquery()
    noted: str | None = session.scalar(
        update(Payment)
        .where(Payment.provider_payment_id == used.provider_payment_id)
        .values(card_brand=used.card.brand, card_last4=used.card.last4)
        .returning(reference)
        .execution_options(synchronize_session=False)
    )
    return noted


def close_order(session: Session, order: Order, reason: CancelReason | None, origin: Origin) -> None:
    """Close an order that has no payment to come, and release its stock."""
    event = OrderEvent.EXPIRED if reason is CancelReason.EXPIRED else OrderEvent.CANCELLED
    values = {"closed_because": reason, "reservation": ReservationState.RELEASED}
    reserved = order.reservation
    if transitions.apply(session, order, order, event, origin, values=values, data={"reason": reason}).applied:
        stock.release(session, order.id, reserved)
        if order.authorised_at is not None:
            mail.write(session, order, mail.Kind.AUTHORISATION_RELEASED, origin.at)
        elif event is OrderEvent.EXPIRED:
            mail.write(session, order, mail.Kind.ORDER_EXPIRED, origin.at)


def _lock(session: Session, snapshot: PaymentSnapshot) -> tuple[Order | None, Payment | None]:
    """The order of a payment under lock, and the payment: by its own id, else by the reference that it carries, for a
    webhook may arrive before the store's own commit.
    """
    found = transitions.lock_payment(session, snapshot.provider_payment_id)
    if found is not None:
        return found
    if snapshot.order_reference is None:
        return None, None
    return transitions.lock(session, Order.reference == snapshot.order_reference), None


def _mismatch(order: Order, snapshot: PaymentSnapshot, services: Services) -> str | None:
    """Why this payment cannot be the order's, or None when it can."""
    if snapshot.live is not services.settings.live:
        return "wrong_mode"
    if snapshot.amount.currency != order.currency:
        return "wrong_currency"
    if snapshot.amount.minor != order.total_minor:
        return "wrong_amount"
    if snapshot.event is PaymentEvent.PAID and not _is_received(snapshot):
        return "wrong_amount_received"
    return None


def _is_received(snapshot: PaymentSnapshot) -> bool:
    """Whether as much has come in as can: what was asked for, or a part of it, where the merchant decides how much."""
    least = 1 if snapshot.manual_capture else snapshot.amount.minor
    same = snapshot.received.currency == snapshot.amount.currency
    return same and least <= snapshot.received.minor <= snapshot.amount.minor


def _paid(session: Session, order: Order, payment: Payment, snapshot: PaymentSnapshot, origin: Origin) -> None:
    received = snapshot.received.minor
    values: dict[str, object] = {"received_minor": received, "observed_at": snapshot.observed_at}
    if snapshot.card is not None:
        values |= {"card_brand": snapshot.card.brand, "card_last4": snapshot.card.last4}
    data, asked_for = {"amount": received}, payment.capture_minor
    if snapshot.manual_capture:
        values["capture_minor"] = received
        data["authorised"] = snapshot.amount.minor
    moved = transitions.apply(session, order, payment, PaymentEvent.PAID, origin, values=values, data=data)
    if moved.rejected:
        reviews.open_review(
            session, order, "paid_after_cancel", origin, subject=snapshot.provider_payment_id, lasting=True
        )
    if not moved.applied:
        return
    if asked_for not in (None, received):
        reviews.open_review(
            session, order, "other_amount_captured", origin, subject=snapshot.provider_payment_id, lasting=True,
            received=received, asked_for=asked_for,
        )  # fmt: skip
    if _has_received(session, order, beside=payment):
        transitions.write(session, payment, {"refund_due": True})
        history.add(session, order, "payment.second", origin, data={"amount": received})
    else:
        rows.make_live(session, order, payment)
        _pay_order(session, order, payment, origin)
    refunds.recompute(session, order, payment, origin)


def _authorised(session: Session, order: Order, payment: Payment, snapshot: PaymentSnapshot, origin: Origin) -> None:
    if authorising.record(session, order, payment, snapshot, origin):
        rows.make_live(session, order, payment)
        authorising.keep(session, order, payment, origin)


def _pay_order(session: Session, order: Order, payment: Payment, origin: Origin) -> None:
    late = order.state is not OrderState.AWAITING_PAYMENT
    if not stock.commit(session, order.id, order.reservation):
        transitions.write(session, payment, {"refund_due": True})
        history.add(session, order, "payment.too_late", origin, data={"amount": payment.received_minor})
        return
    values = {"paid_at": origin.at, "closed_because": None, "reservation": ReservationState.COMMITTED}
    transitions.apply(session, order, order, OrderEvent.PAYMENT_RECEIVED, origin, values=values, data={"late": late})
    if order.authorised_at is None:  # else it has left the cart long ago, and the same may be in it again
        carts.empty_of(session, order.cart_id, order.id)
    mail.write(session, order, mail.Kind.ORDER_PAID, origin.at)


def _has_received(session: Session, order: Order, beside: Payment) -> bool:
    """Whether another payment of the order was received."""
    if order.state is OrderState.AWAITING_PAYMENT:
        return False
    other = exists().where(Payment.order_id == order.id, Payment.id != beside.id, Payment.state.in_(RECEIVED))
    return bool(session.scalar(select(other)))


def _end(session: Session, order: Order, payment: Payment, reason: CancelReason | None, origin: Origin) -> None:
    """The payment was cancelled, or its page has ended; where the order counts on it, that is closed."""
    data = {} if payment.live else {"replaced": True}
    moved = transitions.apply(session, order, payment, PaymentEvent.CANCELLED, origin, data=data)
    if moved.rejected:
        subject = payment.provider_payment_id or ""
        reviews.open_review(session, order, "cancelled_after_paid", origin, subject=subject, lasting=True)
    elif payment.live:
        close_order(session, order, reason, origin)


def _observed(session: Session, order: Order, payment: Payment, snapshot: PaymentSnapshot, origin: Origin) -> None:
    """What is not terminal: a decline is counted whenever it is reported, a state is taken over unless a newer one is
    known. Events can be late; what the payment service answers when it is asked is new, and ends any of them.
    """
    known, event = payment.observed_at, snapshot.event
    values: dict[str, object] = {"observed_at": snapshot.observed_at}
    decline = snapshot.decline if event is PaymentEvent.DECLINED and payment.state not in DECIDED else None
    if decline is not None and _count_decline(session, order, decline, origin):
        transitions.write(session, payment, {"last_decline": decline.code, "declines": payment.declines + 1})
        transitions.write(session, order, {"declined_at": origin.at})
    if known is not None and snapshot.observed_at < known:
        return
    if origin.source in REPORTED and snapshot.observed_at == known and event in HAPPENS_BEFORE.get(payment.state, ()):
        return  # it came late: times are whole seconds, and nobody tries the next card in the second of a decline
    if event is PaymentEvent.OPENED:
        if known is None or snapshot.observed_at == known:
            return
        event = PaymentEvent.STILL_OPEN
    if event is not None:
        recorded = event is PaymentEvent.DECLINED
        transitions.apply(session, order, payment, event, origin, values=values, recorded=recorded)


def _count_decline(session: Session, order: Order, decline: Decline, origin: Origin) -> bool:
    """Every declined attempt counts once, however often and by whomever it is reported."""
    data = {"decline_code": decline.code}
    return history.add_once(session, order, "payment.declined", origin, f"declined:{decline.attempt}", data)
