"""The hosted page of an order: a page of the payment service's, on which the same order is paid.

It is created once for a payment, however often the shopper asks for it, and its address is never kept. Write, ask,
write, as for any payment; only when the order's own payment has ended can the page be paid.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from models import Order, Payment
from store.domain.errors import OrderClosed, PaymentMisconfigured, PaymentServiceFailed, PaymentUnavailable
from store.domain.itemization import itemize
from store.domain.states import OrderState, PaymentEvent, PaymentKind
from store.gateway.port import HostedPage, HostedPageRequest
from store.services import history, transitions
from store.services.card_testing import Shopper
from store.services.history import Origin, Source
from store.services.orders import links, lookup
from store.services.orders.access import STAFF, Access
from store.services.payments import accounts, changing, creation
from store.services.payments.creation import PaymentSetup
from store.services.payments.recording import record
from store.services.services import Services

# A page stays open for half an hour at least, and a day at the most. The worker ends it with its order, which it
# may extend; its own end is for when no worker runs. What is asked must be the same each time, and may have to be asked
# for again.
OPEN_FOR, LEAST, MOST = timedelta(minutes=35), timedelta(minutes=32), timedelta(hours=23, minutes=50)
AFTER_ORDER = timedelta(minutes=15)
# Whoever goes there late is given so much time at the most, as often as an order is given more.
TIME_TO_PAY, MOST_EXTENSIONS = timedelta(minutes=10), 3


def open_page(
    services: Services, reference: str, now: datetime, access: Access = STAFF, shopper: Shopper | None = None
) -> str:
    """The address of an order's hosted page, which asks for exactly the order's total. The payment on the store's own
    page is ended first. Raises as `create` does.
    """
    setup = creation.check(services, reference, now, access, shopper)
    if setup.kind is not PaymentKind.HOSTED:
        changing.change_kind(services, reference, PaymentKind.HOSTED, now)
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        payment = _waiting(order)
        if payment.provider_page_id is None:
            _set_time(session, order, payment, min(services.hold, TIME_TO_PAY), now)
            lookup.complete(session, order)
    if payment.provider_page_id is not None:
        return _address(services, order, services.gateway.retrieve_hosted_page(payment.provider_page_id), now)
    if setup.kind is PaymentKind.HOSTED and setup.replaces:
        changing.end_replaced(services, reference, now)  # where a crash has left that to be done
    try:
        page = _create(services, setup, order, payment, now)
        accounts.ask(services)  # so that it is known when the payment is recorded
    except (PaymentUnavailable, PaymentMisconfigured) as failure:
        failure.nothing_charged = True  # nobody has the address of a page to pay on
        raise
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        counts = _attach(session, services, order, payment.id, page, Origin(Source.STORE, now))
    if not counts:
        # Another tab created another page first, or the order was closed meanwhile. Nobody has the address of this one.
        services.gateway.expire_hosted_page(page.snapshot.provider_page_id)
        raise OrderClosed(reference)
    return _address(services, order, page, now)


def _waiting(order: Order) -> Payment:
    """The live payment of an order that is paid on a hosted page."""
    if (
        order.state is not OrderState.AWAITING_PAYMENT
        or order.is_authorised
        or order.payment.kind is not PaymentKind.HOSTED
    ):
        raise OrderClosed(order.reference)  # in another tab, a moment ago
    return order.payment


def _set_time(session: Session, order: Order, payment: Payment, time_to_pay: timedelta, now: datetime) -> None:
    """Decide once until when the page is open, and give the order at least so much time to be paid on it. Where it was
    not created for so long that the time would be too short, it is created under another key, after it was looked for.
    """
    if payment.page_expires_at is not None and payment.page_expires_at >= now + LEAST:
        return
    if order.expires_at < now + time_to_pay and order.extensions < MOST_EXTENSIONS:
        # A page that ends says that all is done, and leads nowhere.
        transitions.write(session, order, {"expires_at": now + time_to_pay, "extensions": order.extensions + 1})
        history.add(session, order, "order.extended", Origin(Source.STORE, now), data={"because": PaymentKind.HOSTED})
    until = min(max(order.expires_at + AFTER_ORDER, now + OPEN_FOR), now + MOST).replace(microsecond=0)
    again = 0 if payment.page_expires_at is None else 1
    transitions.write(session, payment, {"page_expires_at": until, "create_attempt": payment.create_attempt + again})


def _create(services: Services, setup: PaymentSetup, order: Order, payment: Payment, now: datetime) -> HostedPage:
    """The payment's page. After the payment service failed on creating it, it is looked for first, as a payment is."""
    if payment.create_attempt > 1:
        made = services.gateway.find_page_of_payment(order.reference, payment.id, now - order.placed_at)
        if made is not None:
            return made
    request = _request(services, setup, order, payment)
    try:
        page = services.gateway.create_hosted_page(request)
    except PaymentServiceFailed:
        with services.database.transaction() as session:
            creation.count_attempt(session, order.reference, payment.create_attempt)
        raise
    if page.snapshot.amount != order.total or page.snapshot.live is not services.settings.live:
        services.gateway.expire_hosted_page(page.snapshot.provider_page_id)
        raise PaymentMisconfigured
    return page


def _request(services: Services, setup: PaymentSetup, order: Order, payment: Payment) -> HostedPageRequest:
    link = links.order_link(services, order.reference)
    manual = creation.MANUAL if setup.request.manual_capture else ""
    key = f"order-{order.reference}-page-{payment.id}-{payment.create_attempt}{manual}"
    if payment.page_expires_at is None:
        raise LookupError(payment.id)
    return HostedPageRequest(
        payment=replace(setup.request, idempotency_key=key),
        payment_number=payment.id,
        itemization=itemize(order.quote, [line.name for line in order.lines], setup.request.description),
        expires_at=payment.page_expires_at,
        paid_address=f"{link}?confirming=1",
        back_address=link,
    )


def _attach(
    session: Session, services: Services, order: Order, payment_id: int, page: HostedPage, origin: Origin
) -> bool:
    """Give the payment its page, if the order still counts on it and it has no other; whether it has this one then."""
    payment = order.payment
    if order.state is not OrderState.AWAITING_PAYMENT or payment.id != payment_id:
        return False
    if payment.provider_page_id is None:
        values = {"provider_page_id": page.snapshot.provider_page_id, "account": accounts.known(services)}
        data = {"kind": PaymentKind.HOSTED}
        transitions.apply(session, order, payment, PaymentEvent.OPENED, origin, values=values, data=data)
    return payment.provider_page_id == page.snapshot.provider_page_id


def _address(services: Services, order: Order, page: HostedPage, now: datetime) -> str:
    """The page's address. Where it is not open any more, what has become of it is recorded: raises OrderClosed."""
    if page.snapshot.open and page.address is not None:
        return page.address
    with services.database.transaction() as session:
        record(session, services, page.snapshot, Origin(Source.STORE, now))
    raise OrderClosed(order.reference)
