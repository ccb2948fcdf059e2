"""Closing orders, and asking the payment service what became of a payment.

Stock is never released on a guess: the payment is cancelled first, and what the service answers is recorded.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from models import Order, Payment
from store.domain.errors import PaymentMissing
from store.domain.states import OrderState, PaymentEvent, PaymentState
from store.gateway.port import CancelReason, HostedPageSnapshot, PaymentSnapshot
from store.services import transitions
from store.services.history import Origin, Source
from store.services.orders import lookup
from store.services.orders.access import STAFF
from store.services.payments import accounts
from store.services.payments.recording import DECIDED, close_order, record
from store.services.payments.rows import make_live
from store.services.services import Services

# A webhook is given this long to come before the store asks by itself, and between one question and the next.
POLL_INTERVAL = timedelta(seconds=5)

CLOSED_BY = {
    CancelReason.EXPIRED: Source.WORKER,
    CancelReason.BY_SHOPPER: Source.SHOPPER,
    CancelReason.REPLACED: Source.SHOPPER,
    CancelReason.CARD_TESTING: Source.STORE,
}


def close(
    services: Services, reference: str, reason: CancelReason, now: datetime, origin: Origin | None = None
) -> OrderState:
    """Close an order that waits for its payment, and say what state it is left in. Without an `origin`, whoever usually
    closes an order for that `reason` does it.

    The payment is cancelled first. If it turns out to be paid, the order is paid; if the bank is deciding, nothing
    changes. Raises PaymentUnavailable, PaymentMisconfigured and NotFound.
    """
    origin = origin or Origin(CLOSED_BY[reason], now)
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        payment = order.payment
        replaced = order.state is OrderState.AWAITING_PAYMENT and _replaces_open(session, services, payment)
        if order.state is OrderState.AWAITING_PAYMENT and not replaced:
            _begin(session, order, reason, origin)
    if replaced:
        return _close_after_replaced(services, reference, reason, now)
    if order.state is not OrderState.AWAITING_PAYMENT or not payment.is_opened:
        return order.state
    if accounts.is_foreign(payment, accounts.known(services)):
        return _close_unasked(services, reference, reason, origin, missing=False)
    try:
        snapshot = end(services, payment, reason)
    except PaymentMissing:
        return _close_unasked(services, reference, reason, origin, missing=True)
    with services.database.transaction() as session:
        recorded = record(session, services, snapshot, origin)
        return recorded.state if recorded is not None else order.state


def _replaces_open(session: Session, services: Services, payment: Payment) -> bool:
    """Whether the order counted on another payment before this one, and that can still be paid."""
    if payment.replaces_id is None:
        return False
    ended = (*DECIDED, PaymentState.PROCESSING)
    opened = or_(Payment.provider_payment_id.is_not(None), Payment.provider_page_id.is_not(None))
    ours = ~accounts.foreign(accounts.known(services))
    still_open = exists().where(
        Payment.order_id == payment.order_id, ~Payment.live, Payment.state.not_in(ended), opened, ours
    )
    return bool(session.scalar(select(still_open)))


def _close_after_replaced(services: Services, reference: str, reason: CancelReason, now: datetime) -> OrderState:
    """Close an order once what it counted on before has ended; not where the bank is deciding about that."""
    cancel_leftovers(services, reference, now, CLOSED_BY[reason])
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        count_on_undecided(session, order)
        if order.payment.state is PaymentState.PROCESSING:
            return order.state
    return close(services, reference, reason, now)


def count_on_undecided(session: Session, order: Order) -> None:
    """Where the bank turns out to be deciding about an earlier payment, nobody may pay another one meanwhile."""
    if order.state is not OrderState.AWAITING_PAYMENT or order.payment.is_opened:
        return
    undecided = select(Payment).where(
        Payment.order_id == order.id, ~Payment.live, Payment.state == PaymentState.PROCESSING
    )
    earlier = session.scalars(undecided.order_by(Payment.id.desc())).first()
    if earlier is not None:
        make_live(session, order, earlier)


def _begin(session: Session, order: Order, reason: CancelReason, origin: Origin) -> None:
    """Close the order at once where there is nobody to ask. Else a page is given its reason now: the payment service
    does not remember why one has ended, and may report it before it has answered.
    """
    if not order.payment.is_opened:
        close_order(session, order, reason, origin)
    elif order.payment.provider_page_id is not None:
        transitions.write(session, order.payment, {"cancel_reason": reason})


def end(services: Services, payment: Payment, reason: CancelReason) -> PaymentSnapshot | HostedPageSnapshot:
    """Have the payment service end a payment that it knows of, or the page of one, and say what has become of it. What
    is authorised is released: its page was left. Raises PaymentMissing, PaymentUnavailable and PaymentMisconfigured.
    """
    if payment.provider_page_id is not None and payment.state is not PaymentState.AUTHORISED:
        return services.gateway.expire_hosted_page(payment.provider_page_id)
    return services.gateway.cancel_payment(payment.provider_payment_id or "", reason)


def retrieve(services: Services, payment: Payment) -> PaymentSnapshot | HostedPageSnapshot:
    """What the payment service says of a payment that it knows of, or of the page of one. Raises as `end` does."""
    if payment.provider_page_id is not None:
        return services.gateway.retrieve_hosted_page(payment.provider_page_id).snapshot
    return services.gateway.retrieve_payment(payment.provider_payment_id or "").snapshot


def _close_unasked(
    services: Services, reference: str, reason: CancelReason, origin: Origin, *, missing: bool
) -> OrderState:
    """Close an order whose payment is of another account or mode: nobody can pay it through this store any more."""
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        if order.state is OrderState.AWAITING_PAYMENT:
            accounts.note_unreachable(session, order, order.payment, origin, missing=missing)
            close_order(session, order, reason, origin)
        return order.state


def tested_with_cards(services: Services) -> ColumnElement[bool]:
    """Whether an order waits for its payment though too many cards were declined on it, on all of its payments."""
    declines = select(func.sum(Payment.declines)).where(Payment.order_id == Order.id).scalar_subquery()
    open_orders = and_(Order.state == OrderState.AWAITING_PAYMENT, Order.authorised_at.is_(None))
    return and_(open_orders, declines >= services.settings.max_declines)


def stop_card_testing(services: Services, reference: str, now: datetime) -> None:
    """Close an order on which too many cards were declined, for good. Raises as `close` does."""
    close(services, reference, CancelReason.CARD_TESTING, now)


def cancel_leftovers(services: Services, reference: str, now: datetime, source: Source = Source.WORKER) -> None:
    """End every payment that an order no longer counts on and that could still be paid. Raises as `close` does."""
    origin = Origin(source, now)
    with services.database.reading() as session:
        leftovers = session.scalars(
            select(Payment)
            .join(Order)
            .where(Order.reference == reference, ~Payment.live, Payment.state.not_in(DECIDED))
        ).all()
    for payment in leftovers:
        if accounts.is_foreign(payment, accounts.known(services)):
            continue
        if not payment.is_opened:
            _end_unopened(services, reference, payment.id, origin)
            continue
        try:
            snapshot = end(services, payment, CancelReason.REPLACED)
        except PaymentMissing:
            _note_unreachable(services, reference, payment.id, origin)
            continue
        with services.database.transaction() as session:
            record(session, services, snapshot, origin)


def release(services: Services, reference: str, now: datetime) -> None:
    """Release what is authorised for an order that is closed. Raises as `close` does."""
    with services.database.reading() as session:
        payment = lookup.peek(session, reference, STAFF).payment
    if payment.state is PaymentState.AUTHORISED:
        snapshot = end(services, payment, CancelReason.REPLACED)
        with services.database.transaction() as session:
            record(session, services, snapshot, Origin(Source.WORKER, now))


def _end_unopened(services: Services, reference: str, payment_id: int, origin: Origin) -> None:
    """A payment that was never asked for, or whose response was lost: nobody has what it takes to pay it."""
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        payment = session.get_one(Payment, payment_id, populate_existing=True)
        if not payment.live and not payment.is_opened:
            transitions.apply(session, order, payment, PaymentEvent.CANCELLED, origin, recorded=True)


def _note_unreachable(services: Services, reference: str, payment_id: int, origin: Origin) -> None:
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        accounts.note_unreachable(session, order, session.get_one(Payment, payment_id), origin, missing=True)


def look_up(services: Services, order: Order, now: datetime) -> bool:
    """Ask the payment service about an order whose shopper waits, when it is time to: 5 seconds after the shopper began
    to wait, in case the webhook comes first, and every 5 seconds from then on, however many tabs ask. Says whether it
    was asked.

    `order` is as it was read with its payment. While it is not time, nothing is read or written, but when a shopper
    begins to wait. Raises PaymentUnavailable, PaymentMisconfigured.
    """
    payment, since, last = order.payment, order.payment.awaited_since, order.payment.looked_up_at
    if payment.state in DECIDED or not payment.is_opened:
        return False
    if accounts.is_foreign(payment, accounts.known(services)):
        return False
    if since is not None and now - max(since, last or since) < POLL_INTERVAL:
        return False
    with services.database.transaction() as session:
        unchanged = Payment.awaited_since.is_not_distinct_from(since) & Payment.looked_up_at.is_not_distinct_from(last)
        ours = session.execute(  # of several tabs that come at once, one
            update(Payment)
            .where(Payment.id == payment.id, unchanged)
            .values({"awaited_since": now} if since is None else {"looked_up_at": now})
            .returning(Payment.id)
        ).one_or_none()
    if since is None or ours is None:
        return False
    snapshot = retrieve(services, payment)
    with services.database.transaction() as session:
        record(session, services, snapshot, Origin(Source.LOOKUP, now))
    return True
