"""Closing orders, and asking the payment service what became of a payment.

Stock is never released on a guess: the payment is cancelled first, and what the service answers is recorded.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, select, update

from models import Order, Payment
from store.domain.errors import PaymentMissing
from store.domain.states import OrderState
from store.gateway.port import CancelReason
from store.services import transitions
from store.services.history import Origin, Source
from store.services.payments import accounts
from store.services.payments.recording import DECIDED, close_order, record
from store.services.services import Services

# A webhook is given this long to come before the store asks by itself, and between one question and the next.
POLL_INTERVAL = timedelta(seconds=5)

CLOSED_BY = {
    CancelReason.EXPIRED: Source.WORKER,
    CancelReason.BY_SHOPPER: Source.SHOPPER,
    CancelReason.REPLACED: Source.SHOPPER,
    CancelReason.CARD_TESTING: Source.STORE,
}


def close(services: Services, reference: str, reason: CancelReason, now: datetime) -> OrderState:
    """Close an order that waits for its payment, and say what state it is left in.

    The payment is cancelled first. If it turns out to be paid, the order is paid; if the bank is deciding, nothing
    changes. Raises PaymentUnavailable, PaymentMisconfigured and NotFound.
    """
    origin = Origin(CLOSED_BY[reason], now)
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        provider_payment_id = order.payment.provider_payment_id
        if order.state is OrderState.AWAITING_PAYMENT and provider_payment_id is None:
            close_order(session, order, reason, origin)
    if order.state is not OrderState.AWAITING_PAYMENT or provider_payment_id is None:
        return order.state
    if accounts.is_foreign(order.payment, accounts.known(services)):
        return _close_unasked(services, reference, reason, origin, missing=False)
    try:
        snapshot = services.gateway.cancel_payment(provider_payment_id, reason)
    except PaymentMissing:
        return _close_unasked(services, reference, reason, origin, missing=True)
    with services.database.transaction() as session:
        recorded = record(session, services, snapshot, origin)
        return recorded.state if recorded is not None else order.state


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
    """Whether an order waits for its payment though too many cards were declined on it."""
    many = exists().where(
        Payment.order_id == Order.id, Payment.live, Payment.declines >= services.settings.max_declines
    )
    return and_(Order.state == OrderState.AWAITING_PAYMENT, many)


def stop_card_testing(services: Services, reference: str, now: datetime) -> None:
    """Close an order on which too many cards were declined, for good. Raises as `close` does."""
    close(services, reference, CancelReason.CARD_TESTING, now)


def cancel_leftovers(services: Services, reference: str, now: datetime) -> None:
    """Cancel every payment that an order no longer counts on and that could still be paid. Raises as `close` does."""
    with services.database.reading() as session:
        leftovers = session.scalars(
            select(Payment.provider_payment_id)
            .join(Order, Order.id == Payment.order_id)
            .where(Order.reference == reference, ~Payment.live, Payment.state.not_in(DECIDED))
        ).all()
    for provider_payment_id in leftovers:
        if provider_payment_id is not None:
            origin = Origin(Source.WORKER, now)
            try:
                snapshot = services.gateway.cancel_payment(provider_payment_id, CancelReason.REPLACED)
            except PaymentMissing:
                _note_unreachable(services, provider_payment_id, origin)
                continue
            with services.database.transaction() as session:
                record(session, services, snapshot, origin)


def _note_unreachable(services: Services, provider_payment_id: str, origin: Origin) -> None:
    with services.database.transaction() as session:
        found = transitions.lock_payment(session, provider_payment_id)
        if found is not None:
            accounts.note_unreachable(session, *found, origin, missing=True)


def look_up(services: Services, order: Order, now: datetime) -> bool:
    """Ask the payment service about an order whose shopper waits, when it is time to: 5 seconds after the shopper began
    to wait, in case the webhook comes first, and every 5 seconds from then on, however many tabs ask. Says whether it
    was asked.

    `order` is as it was read with its payment. While it is not time, nothing is read or written, but when a shopper
    begins to wait. Raises PaymentUnavailable, PaymentMisconfigured.
    """
    payment, since, last = order.payment, order.payment.awaited_since, order.payment.looked_up_at
    if payment.state in DECIDED or payment.provider_payment_id is None:
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
    snapshot = services.gateway.retrieve_payment(payment.provider_payment_id).snapshot
    with services.database.transaction() as session:
        record(session, services, snapshot, Origin(Source.LOOKUP, now))
    return True
