"""Creating a payment: one for the order however often its page is opened, its secret handed to the shopper's browser.

Write, ask, write: no transaction is open while the payment service is asked. A crash between any two is repaired by
asking again, under an idempotency key that is derived from what is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from models import Order, Payment
from store.domain.errors import (
    NotFound,
    OrderClosed,
    PaymentMisconfigured,
    PaymentServiceFailed,
    PaymentUnavailable,
)
from store.domain.states import OrderState, PaymentState
from store.gateway.port import CancelReason, PaymentRequest, PaymentSession
from store.services import transitions
from store.services.history import Origin, Source
from store.services.orders.access import STAFF, Access
from store.services.payments import accounts
from store.services.payments.closing import close
from store.services.payments.recording import DECIDED, record
from store.services.services import Services

# How far the clocks of the store and the payment service may be apart, where one looks for what the other wrote.
SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class PaymentSetup:
    """What it takes to create an order's payment, or to retrieve the one that it has. `attempt` counts from 1."""

    request: PaymentRequest
    provider_payment_id: str | None
    attempt: int
    placed_at: datetime


def create(services: Services, reference: str, now: datetime, access: Access = STAFF) -> tuple[Order, PaymentSession]:
    """The payment of an order, ready for the shopper's browser to confirm, and the order with its lines and adjustments
    as it stands then. The payment is created once and found again on every reload.

    Raises OrderClosed when the order takes no payment (any more), PaymentUnavailable, PaymentMisconfigured, and
    NotFound where `access` does not reach the order.
    """
    with services.database.transaction() as session:
        setup = _setup(session, services, reference, now, access)
    if isinstance(setup, CancelReason):
        close(services, reference, setup, now)
        raise OrderClosed(reference)
    try:
        payment = _create_or_retrieve(services, setup)
    except (PaymentUnavailable, PaymentMisconfigured) as failure:
        failure.nothing_charged = setup.provider_payment_id is None  # nobody has a secret to pay with
        raise
    accounts.ask(services)  # so that it is known when the payment is recorded
    with services.database.transaction() as session:
        order = record(session, services, payment.snapshot, Origin(Source.STORE, now))
        if order is None or order.payment.provider_payment_id is None:
            raise PaymentMisconfigured  # it does not fit the order that it was created for
        _ = order.lines, order.adjustments  # for the page, which is made when the transaction is over
    return order, _usable(services, order, payment)


def _usable(services: Services, order: Order, payment: PaymentSession) -> PaymentSession:
    """The session of the payment that the order counts on. Raises OrderClosed when it takes none any more."""
    live, closed = order.payment, order.state is not OrderState.AWAITING_PAYMENT
    orphaned = live.provider_payment_id != payment.snapshot.provider_payment_id
    if orphaned or (closed and live.state not in DECIDED):
        # Another tab created another payment first, or the order was closed meanwhile. Nobody has the secret of this
        # one yet, so nobody can have paid it.
        services.gateway.cancel_payment(payment.snapshot.provider_payment_id, CancelReason.REPLACED)
    if closed or live.state is PaymentState.PROCESSING:
        raise OrderClosed(order.reference)
    if orphaned and live.provider_payment_id is not None:
        return services.gateway.retrieve_payment(live.provider_payment_id)
    return payment


def _setup(
    session: Session, services: Services, reference: str, now: datetime, access: Access
) -> PaymentSetup | CancelReason:
    """Why the order has to be closed, where it has to be; raises OrderClosed for one that waits for no payment, or
    for a person.
    """
    order = transitions.lock(session, (Order.reference == reference) & access.condition)
    if order is None:
        raise NotFound
    payment = order.payment
    if order.state is not OrderState.AWAITING_PAYMENT or order.needs_review or payment.state is PaymentState.PROCESSING:
        raise OrderClosed(reference)
    if order.expires_at <= now:
        return CancelReason.EXPIRED
    if payment.declines >= services.settings.max_declines:
        return CancelReason.CARD_TESTING
    request = PaymentRequest(
        order_reference=reference,
        amount=order.total,
        description=f"{services.settings.store_name} order {reference}",
        shipping=order.shipping,
        email=order.email,
        idempotency_key=f"order-{reference}-payment-{payment.id}-{payment.create_attempt}",
    )
    return PaymentSetup(request, payment.provider_payment_id, payment.create_attempt, order.placed_at)


def _create_or_retrieve(services: Services, setup: PaymentSetup) -> PaymentSession:
    """The order's payment. After the service failed on creating it, it is looked for, and only then created under the
    key of another attempt: the failure is remembered under the old one.
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
    """Have the next request carry a new key. Tabs that failed together count once."""
    order = transitions.lock_by_reference(session, reference)
    session.execute(
        update(Payment)
        .where(Payment.id == order.payment.id, Payment.create_attempt == attempt)
        .values(create_attempt=attempt + 1),
        execution_options={"synchronize_session": False},
    )
