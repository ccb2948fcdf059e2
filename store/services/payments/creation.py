"""Creating a payment: one for the order however often its page is opened, its secret handed to the shopper's browser.

Write, ask, write: no transaction is open while the payment service is asked. A crash between any two is repaired by
asking again, under an idempotency key that is derived from what is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from models import Order, Payment
from store.domain.errors import (
    OrderClosed,
    PaymentMisconfigured,
    PaymentServiceFailed,
    PaymentUnavailable,
)
from store.domain.states import OrderState, PaymentKind
from store.gateway.port import CancelReason, PaymentRequest, PaymentSession, PaymentSnapshot
from store.services import card_testing, transitions
from store.services.card_testing import Shopper
from store.services.database import ROWS_ALONE
from store.services.history import Origin, Source
from store.services.orders import lookup
from store.services.orders.access import STAFF, Access
from store.services.payments import accounts, changing
from store.services.payments.closing import close
from store.services.payments.recording import DECIDED, TAKES_NO_CARD, record, record_of
from store.services.services import Services

# At the end of the key of what is authorised first: with the other setting, the same order is asked for otherwise.
MANUAL = "-manual"


@dataclass(frozen=True, slots=True)
class PaymentSetup:
    """What it takes to create an order's payment, or to retrieve the one that it has. `attempt` counts from 1,
    `age` is the time since the order was placed.

    `kind` is that of the live payment. `replaces`: it took the place of another one, which has to end first.
    `abandoned`: it is a test payment of another account or mode than the store's keys are by now. Nobody can be asked
    about it, and it is about no money.
    """

    request: PaymentRequest
    kind: PaymentKind
    provider_payment_id: str | None
    attempt: int
    age: timedelta
    replaces: bool
    abandoned: bool


def create(
    services: Services, reference: str, now: datetime, access: Access = STAFF, shopper: Shopper | None = None
) -> tuple[Order, PaymentSession]:
    """The payment of an order, ready for the shopper's browser to confirm, and the order as its page shows it then (see
    `orders.complete`). The payment is created once and found again on every reload.

    Of a `shopper`, the declines so far are looked at. Raises OrderClosed when the order takes no payment (any more),
    TooManyDeclines, PaymentUnavailable, PaymentMisconfigured, and NotFound where `access` does not reach
    the order.
    """
    setup = check(services, reference, now, access, shopper)
    if setup.kind is not PaymentKind.CARD:
        changing.change_kind(services, reference, PaymentKind.CARD, now)
        return create(services, reference, now, access, shopper)
    if setup.replaces and setup.provider_payment_id is None:
        changing.end_replaced(services, reference, now)
    try:
        payment = _create_or_retrieve(services, setup)
    except (PaymentUnavailable, PaymentMisconfigured) as failure:
        failure.nothing_charged = setup.provider_payment_id is None  # nobody has a secret to pay with
        raise
    accounts.ask(services)  # so that it is known when the payment is recorded
    with services.database.transaction() as session:
        order = _record(session, services, reference, payment.snapshot, Origin(Source.STORE, now))
        if order.payment.kind is PaymentKind.CARD and order.payment.provider_payment_id is None:
            raise PaymentMisconfigured  # it does not fit the order that it was created for
        lookup.complete(session, order)
    return order, _usable(services, order, payment)


def check(
    services: Services, reference: str, now: datetime, access: Access = STAFF, shopper: Shopper | None = None
) -> PaymentSetup:
    """What it takes to pay an order that can be paid. Raises as `create` does, having closed an order whose time is
    over, or on which too many cards were declined.
    """
    with services.database.reading() as session:
        setup = _setup(session, services, reference, now, access)
        if shopper is not None:
            card_testing.check(session, shopper, now, services.settings.declines_per_hour)
    if isinstance(setup, CancelReason):
        close(services, reference, setup, now)
        raise OrderClosed(reference)
    if setup.abandoned:
        _replace(services, reference, now)
        return check(services, reference, now, access, shopper)
    return setup


def _record(session: Session, services: Services, reference: str, snapshot: PaymentSnapshot, origin: Origin) -> Order:
    """Record the payment that was created or retrieved for an order; returns the order, locked."""
    order = transitions.lock_by_reference(session, reference)
    live = order.payment
    if live.kind is not PaymentKind.CARD or live.provider_payment_id not in (None, snapshot.provider_payment_id):
        return record(session, services, snapshot, origin) or order  # another tab created another payment first
    payment = live if live.provider_payment_id is not None else None
    return record_of(session, services, order, payment, snapshot, origin)


def _usable(services: Services, order: Order, payment: PaymentSession) -> PaymentSession:
    """The session of the payment that the order counts on. Raises OrderClosed when it takes none any more."""
    live, closed = order.payment, order.state is not OrderState.AWAITING_PAYMENT
    orphaned = live.provider_payment_id != payment.snapshot.provider_payment_id
    if orphaned or (closed and live.state not in DECIDED):
        # Another tab created another payment first, or the order was closed meanwhile. Nobody has the secret of this
        # one yet, so nobody can have paid it.
        services.gateway.cancel_payment(payment.snapshot.provider_payment_id, CancelReason.REPLACED)
    if closed or live.state in TAKES_NO_CARD or live.kind is not PaymentKind.CARD:
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
    order = lookup.peek(session, reference, access)
    payment = order.payment
    if order.state is not OrderState.AWAITING_PAYMENT or order.needs_review or payment.state in TAKES_NO_CARD:
        raise OrderClosed(reference)
    if order.expires_at <= now:
        return CancelReason.EXPIRED
    if _declines(session, payment) >= services.settings.max_declines:
        return CancelReason.CARD_TESTING
    manual = services.settings.capture == "on_shipping"
    request = PaymentRequest(
        order_reference=reference,
        amount=order.total,
        description=f"{services.settings.store_name} order {reference}",
        shipping=order.shipping if order.is_shipped else None,
        email=order.email,
        idempotency_key=f"order-{reference}-payment-{payment.id}-{payment.create_attempt}{MANUAL if manual else ''}",
        manual_capture=manual,
    )
    abandoned = accounts.is_unpaid_test(payment) and accounts.is_foreign(payment, accounts.known(services))
    return PaymentSetup(
        request,
        payment.kind,
        payment.provider_payment_id,
        payment.create_attempt,
        now - order.placed_at,
        payment.replaces_id is not None,
        abandoned,
    )


def _declines(session: Session, payment: Payment) -> int:
    """How many cards were declined on the order of its live payment."""
    if payment.replaces_id is None:
        return payment.declines  # there is no other
    of_order = select(func.sum(Payment.declines)).where(Payment.order_id == payment.order_id)
    return session.scalars(of_order).one() or 0


def _replace(services: Services, reference: str, now: datetime) -> None:
    """Let an order count on a new payment instead of one that was abandoned. Tabs that come together do it once."""
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        if accounts.is_foreign(order.payment, accounts.known(services)):
            accounts.note_unreachable(session, order, order.payment, Origin(Source.STORE, now), missing=False)
            transitions.write(session, order.payment, {"live": False})
            session.execute(insert(Payment).values(order_id=order.id, amount_minor=order.total_minor))


def _create_or_retrieve(services: Services, setup: PaymentSetup) -> PaymentSession:
    """The order's payment. After the service failed on creating it, it is looked for, and only then created under the
    key of another attempt: the failure is remembered under the old one.
    """
    if setup.provider_payment_id is not None:
        return services.gateway.retrieve_payment(setup.provider_payment_id)
    reference = setup.request.order_reference
    if setup.attempt > 1:
        made = services.gateway.find_payment_of_order(reference, setup.age)
        if made is not None:
            return made
    try:
        return services.gateway.create_payment(setup.request)
    except PaymentServiceFailed:
        with services.database.transaction() as session:
            count_attempt(session, reference, setup.attempt)
        raise


def count_attempt(session: Session, reference: str, attempt: int) -> None:
    """Have the next request carry a new key. Tabs that failed together count once."""
    order = transitions.lock_by_reference(session, reference)
    session.execute(
        update(Payment)
        .where(Payment.id == order.payment.id, Payment.create_attempt == attempt)
        .values(create_attempt=attempt + 1),
        execution_options=ROWS_ALONE,
    )
