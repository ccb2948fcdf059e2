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
from store.gateway.port import CancelReason, CardUsed, Decline, PaymentRequest, PaymentSession, PaymentSnapshot
from store.services import carts, mail, orders, stock, transitions
from store.services.payments import refunds, unmatched_events
from store.services.services import Services
from store.services.transitions import Answer, LockedOrder, Origin, Source

# A webhook is given this long to come before the store asks by itself, and between one question and the next.
POLL_INTERVAL = timedelta(seconds=5)
# How far the clocks of the store and the payment service may be apart, where one looks for what the other wrote.
SKEW = timedelta(minutes=5)

GIVEN_UP_BY = {
    CancelReason.EXPIRED: Source.WORKER,
    CancelReason.BY_SHOPPER: Source.SHOPPER,
    CancelReason.REPLACED: Source.SHOPPER,
    CancelReason.CARD_TESTING: Source.STORE,
}

DECIDED = (PaymentState.PAID, PaymentState.CANCELLED, PaymentState.REFUNDED)


@dataclass(frozen=True, slots=True)
class PaymentSetup:
    """What an order needs to have its payment opened, or looked up when it has one. `attempt` counts from 1."""

    request: PaymentRequest
    provider_payment_id: str | None
    attempt: int
    placed_at: datetime


def open(  # noqa: A001  # read with its module: payments.open
    services: Services, reference: str, now: datetime
) -> PaymentSession:
    """The payment of an order, ready for the shopper's browser to confirm: opened once, found again on every reload.

    Raises OrderClosed when the order takes no payment (any more), PaymentUnavailable, PaymentMisconfigured and
    NotFound.
    """
    with services.database.transaction() as session:
        setup = _payment_setup(session, services, reference, now)
    if isinstance(setup, CancelReason):
        close(services, reference, setup, now)
        raise OrderClosed(reference)
    try:
        payment = _open_or_find(services, setup)
    except (PaymentUnavailable, PaymentMisconfigured) as failure:
        failure.nothing_charged = setup.provider_payment_id is None  # nobody has a secret to pay with
        raise
    with services.database.transaction() as session:
        record(session, services, payment.snapshot, Origin(Source.STORE, now))
        order = transitions.lock_by_reference(session, reference)
    if order.provider_payment_id is None:
        raise PaymentMisconfigured  # it does not fit the order that it was opened for
    closed, spare = (
        order.state is not OrderState.AWAITING_PAYMENT,
        order.provider_payment_id != payment.snapshot.provider_payment_id,
    )
    if spare or (closed and order.payment_state not in DECIDED):
        # Another tab opened another payment first, or the order was given up meanwhile. Nobody has the secret of this
        # one yet, so nobody can have paid it.
        services.gateway.cancel_payment(payment.snapshot.provider_payment_id, CancelReason.REPLACED)
    if closed or order.payment_state is PaymentState.PROCESSING:
        raise OrderClosed(reference)
    return services.gateway.retrieve_payment(order.provider_payment_id) if spare else payment


def look_up(services: Services, reference: str, now: datetime) -> None:
    """Ask the payment service about an order whose shopper waits for news, when it is time to: 5 seconds after the
    shopper began to wait, in case the webhook comes first, and every 5 seconds from then on, however many tabs ask.

    Raises PaymentUnavailable, PaymentMisconfigured and NotFound.
    """
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        if order.payment_state in DECIDED or order.provider_payment_id is None:
            return
        session.execute(
            update(Payment)
            .where(Payment.order_id == order.id, Payment.awaited_since.is_(None))
            .values(awaited_since=now)
        )
        asking = session.execute(
            update(Payment)
            .where(Payment.order_id == order.id, Payment.awaited_since <= now - POLL_INTERVAL)
            .where(or_(Payment.looked_up_at.is_(None), Payment.looked_up_at <= now - POLL_INTERVAL))
            .values(looked_up_at=now)
            .returning(Payment.order_id)
        ).one_or_none()
    if asking is None:
        return
    snapshot = services.gateway.retrieve_payment(order.provider_payment_id).snapshot
    with services.database.transaction() as session:
        record(session, services, snapshot, Origin(Source.LOOKUP, now))


def close(services: Services, reference: str, reason: CancelReason, now: datetime) -> OrderState:
    """Give up an order that waits for its payment, and say what state it is left in.

    Stock is never freed on a guess: the payment is cancelled first. If it turns out to be paid, the order is paid; if
    the bank is deciding, nothing changes. Raises PaymentUnavailable, PaymentMisconfigured and NotFound.
    """
    origin = Origin(GIVEN_UP_BY[reason], now)
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        if order.state is OrderState.AWAITING_PAYMENT and order.provider_payment_id is None:
            _give_up(session, order, reason, origin)
    if order.state is not OrderState.AWAITING_PAYMENT or order.provider_payment_id is None:
        return order.state
    snapshot = services.gateway.cancel_payment(order.provider_payment_id, reason)
    with services.database.transaction() as session:
        record(session, services, snapshot, origin)
        return transitions.lock_by_reference(session, reference).state


def stop_card_testing(services: Services, reference: str, now: datetime) -> None:
    """Close the payment of an order that was declined too often, for good. Raises as `close` does."""
    close(services, reference, CancelReason.CARD_TESTING, now)


def record(session: Session, services: Services, snapshot: PaymentSnapshot, origin: Origin) -> bool:
    """Write down what a snapshot says of a payment, and what follows for its order; the one door for truth about money.

    A final fact (paid, cancelled) is believed as it stands; any other can add to the history but never undo a final
    state. A payment that does not fit its order is set aside for a person. Returns False when the payment is not of
    this store.
    """
    order = _lock_order_of(session, snapshot)
    if order is None:
        return False
    if (mismatch := _mismatch(order, snapshot, services)) is not None:
        if snapshot.event is PaymentEvent.PAID:
            transitions.flag_for_review(
                session, order, mismatch, origin, payment=snapshot.provider_payment_id,
                received=snapshot.received.minor, currency=snapshot.received.currency,
            )  # fmt: skip
        return True
    if order.provider_payment_id is None:
        _attach(session, order, snapshot, origin)
    if snapshot.event is PaymentEvent.PAID:
        _paid(session, order, snapshot, origin)
    elif snapshot.event is PaymentEvent.CANCELLED:
        _cancelled(session, order, snapshot, origin)
    elif snapshot.event is PaymentEvent.DECLINED and snapshot.decline is not None:
        _declined(session, order, snapshot.decline, origin)
    elif snapshot.event is not None and snapshot.event is not PaymentEvent.OPENED:
        transitions.move_payment(session, order, snapshot.event, origin)
    return True


def note_card(session: Session, used: CardUsed) -> bool:
    """Remember which card paid. Returns False when the payment is not of this store."""
    noted = session.execute(
        update(Payment)
        .where(Payment.provider_payment_id == used.provider_payment_id)
        .values(card_brand=used.card.brand, card_last4=used.card.last4)
        .returning(Payment.order_id)
    )
    return noted.one_or_none() is not None


def _open_or_find(services: Services, setup: PaymentSetup) -> PaymentSession:
    """The order's payment. After the service broke down over opening it, it is looked for, and only then opened under
    the name of another attempt: the failure is remembered under the old one.
    """
    if setup.provider_payment_id is not None:
        return services.gateway.retrieve_payment(setup.provider_payment_id)
    reference = setup.request.order_reference
    if setup.attempt > 1:
        made = services.gateway.find_payment_of_order(reference, setup.placed_at - SKEW)
        if made is not None:
            return made
    try:
        return services.gateway.create_payment(setup.request)
    except PaymentServiceFailed:
        with services.database.transaction() as session:
            _count_attempt(session, reference, setup.attempt)
        raise


def _count_attempt(session: Session, reference: str, attempt: int) -> None:
    """Have the next request carry a new name. Tabs that failed together count once."""
    order = transitions.lock_by_reference(session, reference)
    session.execute(
        update(Payment)
        .where(Payment.order_id == order.id, Payment.open_attempt == attempt)
        .values(open_attempt=attempt + 1)
    )


def _payment_setup(session: Session, services: Services, reference: str, now: datetime) -> PaymentSetup | CancelReason:
    """Why the order has to be given up, where it has to be; raises OrderClosed for one that waits for no payment."""
    locked = transitions.lock_by_reference(session, reference)
    if locked.state is not OrderState.AWAITING_PAYMENT or locked.payment_state is PaymentState.PROCESSING:
        raise OrderClosed(reference)
    if locked.expires_at <= now:
        return CancelReason.EXPIRED
    if locked.declines >= services.settings.max_declines:
        return CancelReason.CARD_TESTING
    order = session.scalars(select(Order).where(Order.id == locked.id)).one()
    attempt = session.scalars(select(Payment.open_attempt).where(Payment.order_id == locked.id)).one()
    request = PaymentRequest(
        order_reference=reference,
        amount=order.total,
        description=f"{services.settings.store_name} order {reference}",
        recipient=orders.recipient_of(order),
        idempotency_key=f"order-{reference}-open-{attempt}",
    )
    return PaymentSetup(request, locked.provider_payment_id, attempt, order.placed_at)


def _lock_order_of(session: Session, snapshot: PaymentSnapshot) -> LockedOrder | None:
    """By the payment's id, else by the reference it carries: a webhook may be quicker than the store's own commit."""
    order = transitions.lock(session, Payment.provider_payment_id == snapshot.provider_payment_id)
    if order is None and snapshot.order_reference is not None:
        order = transitions.lock(session, Order.reference == snapshot.order_reference)
    return order


def _mismatch(order: LockedOrder, snapshot: PaymentSnapshot, services: Services) -> str | None:
    """Why this payment cannot be the order's, or None when it can."""
    if order.provider_payment_id is not None and order.provider_payment_id != snapshot.provider_payment_id:
        return "another_payment"
    if snapshot.live is not services.settings.live:
        return "wrong_mode"
    if snapshot.amount.currency != order.total.currency:
        return "wrong_currency"
    if snapshot.amount.minor != order.total.minor:
        return "wrong_amount"
    if snapshot.event is PaymentEvent.PAID and snapshot.received != order.total:
        return "wrong_amount_received"
    return None


def _attach(session: Session, order: LockedOrder, snapshot: PaymentSnapshot, origin: Origin) -> None:
    session.execute(
        update(Payment).where(Payment.order_id == order.id).values(provider_payment_id=snapshot.provider_payment_id)
    )
    order.provider_payment_id = snapshot.provider_payment_id
    transitions.move_payment(session, order, PaymentEvent.OPENED, origin)
    unmatched_events.tell(session, snapshot.provider_payment_id, origin)


def _paid(session: Session, order: LockedOrder, snapshot: PaymentSnapshot, origin: Origin) -> None:
    received = snapshot.received.minor
    answer = transitions.move_payment(
        session, order, PaymentEvent.PAID, origin, amounts={"received_minor": received}, amount=received
    )
    if answer is Answer.IMPOSSIBLE:
        transitions.flag_for_review(session, order, "paid_after_cancel", origin, payment=snapshot.provider_payment_id)
    if answer is not Answer.MOVED:
        return
    if snapshot.card is not None:
        note_card(session, CardUsed(snapshot.provider_payment_id, snapshot.card))
    late = order.state is not OrderState.AWAITING_PAYMENT
    if stock.sell(session, order):
        transitions.move_order(session, order, OrderEvent.PAYMENT_RECEIVED, origin, late=late)
        carts.empty_of(session, order.cart_id, order.id)
        mail.write(session, order.id, mail.Kind.ORDER_PAID, origin.at)
    else:
        session.execute(update(Payment).where(Payment.order_id == order.id).values(refund_due=True))
        transitions.write(session, order.id, "payment.too_late", origin, detail={"amount": received})
    refunds.settle(session, order, origin)


def _cancelled(session: Session, order: LockedOrder, snapshot: PaymentSnapshot, origin: Origin) -> None:
    if transitions.move_payment(session, order, PaymentEvent.CANCELLED, origin) is Answer.IMPOSSIBLE:
        transitions.flag_for_review(
            session, order, "cancelled_after_paid", origin, payment=snapshot.provider_payment_id
        )
        return
    _give_up(session, order, snapshot.cancelled_because, origin)


def _declined(session: Session, order: LockedOrder, decline: Decline, origin: Origin) -> None:
    """Every declined attempt counts once, however often and by whomever it is told."""
    if order.payment_state in DECIDED:
        return
    dedupe_key = f"declined:{decline.attempt}"
    if not transitions.write(
        session, order.id, "payment.declined", origin, detail={"decline_code": decline.code}, dedupe_key=dedupe_key
    ):
        return
    transitions.move_payment(session, order, PaymentEvent.DECLINED, origin, noted=True)
    session.execute(
        update(Payment)
        .where(Payment.order_id == order.id)
        .values(last_decline=decline.code, declines=Payment.declines + 1)
    )


def _give_up(session: Session, order: LockedOrder, reason: CancelReason | None, origin: Origin) -> None:
    """Close an order that has no payment to come, and free what it held."""
    event = OrderEvent.EXPIRED if reason is CancelReason.EXPIRED else OrderEvent.CANCELLED
    if transitions.move_order(session, order, event, origin, reason=reason) is Answer.MOVED:
        stock.free(session, order)
        if event is OrderEvent.EXPIRED:
            mail.write(session, order.id, mail.Kind.ORDER_EXPIRED, origin.at)
