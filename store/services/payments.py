"""Payments: opening one, and recording what is said of it.

All truth about money comes in through `record`, whoever tells it: a webhook, the status page, upkeep. It locks the
order, then reads, then decides, in the caller's transaction. Calls to the payment service are made between
transactions, never inside one: write, ask, write. A crash between any two is mended by asking again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from models import Order, Payment
from store.domain.errors import OrderClosed, PaymentMisconfigured, PaymentServiceFailed, PaymentUnavailable
from store.domain.states import OrderEvent, OrderState, PaymentEvent, PaymentState
from store.gateway.port import CancelReason, CardUsed, Decline, OpenedPayment, PaymentRequest, Snapshot
from store.services import carts, early_news, ledger, mail, orders, refunds, stock
from store.services.ledger import Answer, LockedOrder, Teller, Told
from store.services.till import Till

# A webhook is given this long to come before the store asks by itself, and between one question and the next.
PATIENCE = timedelta(seconds=5)
# How far the clocks of the store and the payment service may be apart, where one looks for what the other wrote.
SKEW = timedelta(minutes=5)

GIVEN_UP_BY = {
    CancelReason.EXPIRED: Teller.UPKEEP,
    CancelReason.BY_SHOPPER: Teller.SHOPPER,
    CancelReason.REPLACED: Teller.SHOPPER,
    CancelReason.CARD_TESTING: Teller.STORE,
}

DECIDED = (PaymentState.PAID, PaymentState.CANCELLED, PaymentState.REFUNDED)


@dataclass(frozen=True, slots=True)
class Openable:
    """What an order needs to have its payment opened, or looked up when it has one. `attempt` counts from 1."""

    request: PaymentRequest
    intent_id: str | None
    attempt: int
    placed_at: datetime


def open(  # noqa: A001  # read with its module: payments.open
    till: Till, reference: str, now: datetime
) -> OpenedPayment:
    """The payment of an order, ready for the shopper's browser to confirm: opened once, found again on every reload.

    Raises OrderClosed when the order takes no payment (any more), PaymentUnavailable, PaymentMisconfigured and
    NotFound.
    """
    with till.database.transaction() as session:
        openable = _openable(session, till, reference, now)
    if isinstance(openable, CancelReason):
        close(till, reference, openable, now)
        raise OrderClosed(reference)
    try:
        payment = _open_or_find(till, openable)
    except (PaymentUnavailable, PaymentMisconfigured) as failure:
        failure.nothing_charged = openable.intent_id is None  # nobody has a secret to pay with
        raise
    with till.database.transaction() as session:
        record(session, till, payment.snapshot, Told(Teller.STORE, now))
        order = ledger.lock_by_reference(session, reference)
    if order.intent_id is None:
        raise PaymentMisconfigured  # it does not fit the order that it was opened for
    closed, spare = order.state is not OrderState.AWAITING_PAYMENT, order.intent_id != payment.snapshot.payment_id
    if spare or (closed and order.payment_state not in DECIDED):
        # Another tab opened another payment first, or the order was given up meanwhile. Nobody has the secret of this
        # one yet, so nobody can have paid it.
        till.gateway.cancel_payment(payment.snapshot.payment_id, CancelReason.REPLACED)
    if closed or order.payment_state is PaymentState.PROCESSING:
        raise OrderClosed(reference)
    return till.gateway.retrieve_payment(order.intent_id) if spare else payment


def look_up(till: Till, reference: str, now: datetime) -> None:
    """Ask the payment service about an order whose shopper waits for news, when it is time to: 5 seconds after the
    shopper began to wait, in case the webhook comes first, and every 5 seconds from then on, however many tabs ask.

    Raises PaymentUnavailable, PaymentMisconfigured and NotFound.
    """
    with till.database.transaction() as session:
        order = ledger.lock_by_reference(session, reference)
        if order.payment_state in DECIDED or order.intent_id is None:
            return
        session.execute(
            update(Payment)
            .where(Payment.order_id == order.id, Payment.awaited_since.is_(None))
            .values(awaited_since=now)
        )
        asking = session.execute(
            update(Payment)
            .where(Payment.order_id == order.id, Payment.awaited_since <= now - PATIENCE)
            .where(or_(Payment.looked_up_at.is_(None), Payment.looked_up_at <= now - PATIENCE))
            .values(looked_up_at=now)
            .returning(Payment.order_id)
        ).one_or_none()
    if asking is None:
        return
    snapshot = till.gateway.retrieve_payment(order.intent_id).snapshot
    with till.database.transaction() as session:
        record(session, till, snapshot, Told(Teller.LOOK_UP, now))


def close(till: Till, reference: str, reason: CancelReason, now: datetime) -> OrderState:
    """Give up an order that waits for its payment, and say what state it is left in.

    Stock is never freed on a guess: the payment is cancelled first. If it turns out to be paid, the order is paid; if
    the bank is deciding, nothing changes. Raises PaymentUnavailable, PaymentMisconfigured and NotFound.
    """
    told = Told(GIVEN_UP_BY[reason], now)
    with till.database.transaction() as session:
        order = ledger.lock_by_reference(session, reference)
        if order.state is OrderState.AWAITING_PAYMENT and order.intent_id is None:
            _give_up(session, order, reason, told)
    if order.state is not OrderState.AWAITING_PAYMENT or order.intent_id is None:
        return order.state
    snapshot = till.gateway.cancel_payment(order.intent_id, reason)
    with till.database.transaction() as session:
        record(session, till, snapshot, told)
        return ledger.lock_by_reference(session, reference).state


def stop_card_testing(till: Till, reference: str, now: datetime) -> None:
    """Close the payment of an order that was declined too often, for good. Raises as `close` does."""
    close(till, reference, CancelReason.CARD_TESTING, now)


def record(session: Session, till: Till, snapshot: Snapshot, told: Told) -> bool:
    """Write down what a snapshot says of a payment, and what follows for its order; the one door for truth about money.

    A final fact (paid, cancelled) is believed as it stands; any other can add to the history but never undo a final
    state. A payment that does not fit its order is set aside for a person. Returns False when the payment is not of
    this store.
    """
    order = _lock_order_of(session, snapshot)
    if order is None:
        return False
    if (misfit := _misfit(order, snapshot, till)) is not None:
        if snapshot.event is PaymentEvent.PAID:
            ledger.flag_for_review(
                session, order, misfit, told, payment=snapshot.payment_id,
                received=snapshot.received.minor, currency=snapshot.received.currency,
            )  # fmt: skip
        return True
    if order.intent_id is None:
        _adopt(session, order, snapshot, told)
    if snapshot.event is PaymentEvent.PAID:
        _paid(session, order, snapshot, told)
    elif snapshot.event is PaymentEvent.CANCELLED:
        _cancelled(session, order, snapshot, told)
    elif snapshot.event is PaymentEvent.DECLINED and snapshot.decline is not None:
        _declined(session, order, snapshot.decline, told)
    elif snapshot.event is not PaymentEvent.OPENED:
        ledger.move_payment(session, order, snapshot.event, told)
    return True


def note_card(session: Session, used: CardUsed) -> bool:
    """Remember which card paid. Returns False when the payment is not of this store."""
    noted = session.execute(
        update(Payment)
        .where(Payment.intent_id == used.payment_id)
        .values(card_brand=used.card.brand, card_last4=used.card.last4)
        .returning(Payment.order_id)
    )
    return noted.one_or_none() is not None


def _open_or_find(till: Till, openable: Openable) -> OpenedPayment:
    """The order's payment. After the service broke down over opening it, it is looked for, and only then opened under
    the name of another attempt: the failure is remembered under the old one.
    """
    if openable.intent_id is not None:
        return till.gateway.retrieve_payment(openable.intent_id)
    reference = openable.request.order_reference
    if openable.attempt > 1:
        made = till.gateway.payment_of_order(reference, openable.placed_at - SKEW)
        if made is not None:
            return made
    try:
        return till.gateway.open_payment(openable.request)
    except PaymentServiceFailed:
        with till.database.transaction() as session:
            _count_attempt(session, reference, openable.attempt)
        raise


def _count_attempt(session: Session, reference: str, attempt: int) -> None:
    """Have the next request carry a new name. Tabs that failed together count once."""
    order = ledger.lock_by_reference(session, reference)
    session.execute(
        update(Payment)
        .where(Payment.order_id == order.id, Payment.open_attempt == attempt)
        .values(open_attempt=attempt + 1)
    )


def _openable(session: Session, till: Till, reference: str, now: datetime) -> Openable | CancelReason:
    """Why the order has to be given up, where it has to be; raises OrderClosed for one that waits for no payment."""
    locked = ledger.lock_by_reference(session, reference)
    if locked.state is not OrderState.AWAITING_PAYMENT or locked.payment_state is PaymentState.PROCESSING:
        raise OrderClosed(reference)
    if locked.expires_at <= now:
        return CancelReason.EXPIRED
    if locked.declines >= till.settings.max_declines:
        return CancelReason.CARD_TESTING
    order = session.scalars(select(Order).where(Order.id == locked.id)).one()
    attempt = session.scalars(select(Payment.open_attempt).where(Payment.order_id == locked.id)).one()
    request = PaymentRequest(
        order_reference=reference,
        amount=order.total,
        description=f"{till.settings.store_name} order {reference}",
        recipient=orders.recipient_of(order),
        idempotency_key=f"order-{reference}-open-{attempt}",
    )
    return Openable(request, locked.intent_id, attempt, order.placed_at)


def _lock_order_of(session: Session, snapshot: Snapshot) -> LockedOrder | None:
    """By the payment's id, else by the reference it carries: a webhook may be quicker than the store's own commit."""
    order = ledger.lock(session, Payment.intent_id == snapshot.payment_id)
    if order is None and snapshot.order_reference is not None:
        order = ledger.lock(session, Order.reference == snapshot.order_reference)
    return order


def _misfit(order: LockedOrder, snapshot: Snapshot, till: Till) -> str | None:
    """Why this payment cannot be the order's, or None when it can."""
    if order.intent_id is not None and order.intent_id != snapshot.payment_id:
        return "another_payment"
    if snapshot.live is not till.settings.live:
        return "wrong_mode"
    if snapshot.amount.currency != order.total.currency:
        return "wrong_currency"
    if snapshot.amount.minor != order.total.minor:
        return "wrong_amount"
    if snapshot.event is PaymentEvent.PAID and snapshot.received != order.total:
        return "wrong_amount_received"
    return None


def _adopt(session: Session, order: LockedOrder, snapshot: Snapshot, told: Told) -> None:
    session.execute(update(Payment).where(Payment.order_id == order.id).values(intent_id=snapshot.payment_id))
    order.intent_id = snapshot.payment_id
    ledger.move_payment(session, order, PaymentEvent.OPENED, told)
    early_news.tell(session, snapshot.payment_id, told)


def _paid(session: Session, order: LockedOrder, snapshot: Snapshot, told: Told) -> None:
    received = snapshot.received.minor
    answer = ledger.move_payment(
        session, order, PaymentEvent.PAID, told, amounts={"received_minor": received}, amount=received
    )
    if answer is Answer.IMPOSSIBLE:
        ledger.flag_for_review(session, order, "paid_after_cancel", told, payment=snapshot.payment_id)
    if answer is not Answer.MOVED:
        return
    if snapshot.card is not None:
        note_card(session, CardUsed(snapshot.payment_id, snapshot.card))
    late = order.state is not OrderState.AWAITING_PAYMENT
    if stock.sell(session, order):
        ledger.move_order(session, order, OrderEvent.PAYMENT_RECEIVED, told, late=late)
        carts.empty_of(session, order.cart_id, order.id)
        mail.write(session, order.id, mail.Kind.ORDER_PAID, told.at)
    else:
        session.execute(update(Payment).where(Payment.order_id == order.id).values(refund_due=True))
        ledger.write(session, order.id, "payment.too_late", told, detail={"amount": received})
    refunds.settle(session, order, told)


def _cancelled(session: Session, order: LockedOrder, snapshot: Snapshot, told: Told) -> None:
    if ledger.move_payment(session, order, PaymentEvent.CANCELLED, told) is Answer.IMPOSSIBLE:
        ledger.flag_for_review(session, order, "cancelled_after_paid", told, payment=snapshot.payment_id)
        return
    _give_up(session, order, snapshot.cancelled_because, told)


def _declined(session: Session, order: LockedOrder, decline: Decline, told: Told) -> None:
    """Every declined attempt counts once, however often and by whomever it is told."""
    if order.payment_state in DECIDED:
        return
    once = f"declined:{decline.attempt}"
    if not ledger.write(session, order.id, "payment.declined", told, detail={"decline_code": decline.code}, once=once):
        return
    ledger.move_payment(session, order, PaymentEvent.DECLINED, told, noted=True)
    session.execute(
        update(Payment)
        .where(Payment.order_id == order.id)
        .values(last_decline=decline.code, declines=Payment.declines + 1)
    )


def _give_up(session: Session, order: LockedOrder, reason: CancelReason | None, told: Told) -> None:
    """Close an order that has no payment to come, and free what it held."""
    event = OrderEvent.EXPIRED if reason is CancelReason.EXPIRED else OrderEvent.CANCELLED
    if ledger.move_order(session, order, event, told, reason=reason) is Answer.MOVED:
        stock.free(session, order)
        if event is OrderEvent.EXPIRED:
            mail.write(session, order.id, mail.Kind.ORDER_EXPIRED, told.at)
