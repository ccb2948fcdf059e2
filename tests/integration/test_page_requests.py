"""What a hosted page is asked for, and what becomes of the answer: one page for a payment, of the order's total."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import update

from models import Order, Payment
from store.domain.errors import OrderClosed, PaymentMisconfigured, PaymentServiceFailed
from store.domain.itemization import itemize
from store.domain.money import Money
from store.domain.states import OrderState, PaymentKind, PaymentState
from store.gateway.port import HostedPage, HostedPageRequest, HostedPageSnapshot
from store.services import Services, payments
from store.services.orders import links
from store.services.payments import accounts
from tests.support.shop import Shop

MINUTE = timedelta(minutes=1)


@dataclass
class Stripe:
    """A Stripe that makes pages, as it is told to, and notes what it is asked for."""

    account: str
    now: datetime
    amount: Money | None = None
    live: bool = False
    fails: bool = False
    made: HostedPage | None = None
    meanwhile: Callable[[], object] = lambda: None
    requests: list[HostedPageRequest] = field(default_factory=list)
    looked_for: list[tuple[str, int, timedelta]] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)

    def account_id(self) -> str:
        return self.account

    known_account_id = account_id

    def create_hosted_page(self, request: HostedPageRequest) -> HostedPage:
        self.requests.append(request)
        if self.fails:
            raise PaymentServiceFailed
        self.meanwhile()
        return self.page(f"cs_{len(self.requests)}", self.amount or request.payment.amount)

    def page(self, name: str, amount: Money, *, is_open: bool = True) -> HostedPage:
        snapshot = HostedPageSnapshot(name, is_open, self.now, amount, self.live, None, None, None)
        return HostedPage(snapshot, f"https://pay.example/{name}" if is_open else None)

    def find_page_of_payment(self, reference: str, number: int, age: timedelta) -> HostedPage | None:
        self.looked_for.append((reference, number, age))
        return self.made

    def retrieve_hosted_page(self, name: str) -> HostedPage:
        return self.made or self.page(name, Money(800, "usd"))

    def expire_hosted_page(self, name: str) -> HostedPageSnapshot:
        self.expired.append(name)
        return self.page(name, Money(800, "usd"), is_open=False).snapshot


class Case:
    """An order of two pencils, $8.00, that nobody has begun to pay, and another beside it."""

    def __init__(self, shop: Shop) -> None:
        shop.clock.stopped_at = datetime.now(UTC).replace(microsecond=0)
        self.shop, self.order, self.other = shop, shop.order(2), shop.order(2)
        self.stripe = Stripe(shop.services.gateway.account_id(), shop.clock())
        self.services: Services = replace(shop.services, gateway=cast("Any", self.stripe))

    def open(self) -> str:
        return payments.open_page(self.services, self.order.reference, self.shop.clock())

    @property
    def payment(self) -> Payment:
        return self.shop.read(self.order.reference).payment

    def payment_is(self, **values: Any) -> None:
        with self.shop.services.database.transaction() as session:
            session.execute(update(Payment).where(Payment.order_id == self.order.id, Payment.live).values(values))

    def order_is(self, **values: Any) -> None:
        with self.shop.services.database.transaction() as session:
            session.execute(update(Order).where(Order.id == self.order.id).values(values))


@pytest.fixture
def case(shop: Shop) -> Case:
    return Case(shop)


def test_a_page_is_asked_for_with_all_that_it_shows(case: Case) -> None:
    address = case.open()

    payment, order = case.payment, case.shop.read(case.order.reference)
    link = links.order_link(case.services, order.reference)
    (request,) = case.stripe.requests
    assert (request.payment_number, request.expires_at) == (payment.id, case.shop.clock() + 45 * MINUTE)
    assert (request.paid_address, request.back_address) == (f"{link}?confirming=1", link)
    assert request.itemization == itemize(order.quote, ["Cedar pencil"], f"Till order {order.reference}")
    asked = request.payment
    assert (asked.order_reference, asked.amount, asked.email) == (order.reference, Money(800, "usd"), order.email)
    assert (asked.idempotency_key, asked.manual_capture) == (f"order-{order.reference}-page-{payment.id}-1", False)
    assert (asked.description, asked.shipping) == (f"Till order {order.reference}", order.shipping)
    assert (address, payment.provider_page_id, payment.state) == (
        "https://pay.example/cs_1", "cs_1", PaymentState.OPEN,
    )  # fmt: skip
    assert payment.account == accounts.known(case.services)
    last = order.history[-1]
    assert (last.type, last.source, last.data) == ("payment.opened", "store", {"kind": "hosted"})
    assert case.shop.read(case.other.reference).payment.kind is PaymentKind.CARD


def test_a_page_of_an_order_that_is_charged_when_shipped_has_a_key_of_its_own(case: Case) -> None:
    case.shop.charge_when_shipped()
    case.services = replace(case.services, settings=case.shop.services.settings)

    case.open()

    (request,) = case.stripe.requests
    assert request.payment.manual_capture
    assert request.payment.idempotency_key == f"order-{case.order.reference}-page-{case.payment.id}-1-manual"


def test_the_same_page_is_looked_up_and_not_made_again(case: Case) -> None:
    answers = [case.open(), case.open()]

    assert answers == ["https://pay.example/cs_1"] * 2
    assert (len(case.stripe.requests), case.stripe.looked_for) == (1, [])


@pytest.mark.parametrize("wrong", [{"amount": Money(801, "usd")}, {"amount": Money(800, "eur")}, {"live": True}])
def test_a_page_that_asks_for_something_else_is_ended(case: Case, wrong: dict[str, Any]) -> None:
    for name, value in wrong.items():
        setattr(case.stripe, name, value)

    with pytest.raises(PaymentMisconfigured) as refused:
        case.open()

    assert refused.value.nothing_charged
    assert (case.stripe.expired, case.payment.provider_page_id) == (["cs_1"], None)


def test_a_failure_is_counted_and_the_page_looked_for_before_the_next_one(case: Case) -> None:
    case.stripe.fails = True
    with pytest.raises(PaymentServiceFailed) as failed:
        case.open()
    attempts = [case.payment.create_attempt]
    case.stripe.fails = False
    case.shop.clock.forward(minutes=3)
    case.open()

    number, reference = case.payment.id, case.order.reference
    assert (failed.value.nothing_charged, attempts) == (True, [2])
    assert case.stripe.looked_for == [(reference, number, 3 * MINUTE)]
    assert [request.payment.idempotency_key for request in case.stripe.requests] == [
        f"order-{reference}-page-{number}-{attempt}" for attempt in (1, 2)
    ]
    assert case.shop.read(case.other.reference).payment.create_attempt == 1


def test_a_page_that_was_made_and_not_heard_of_is_the_one(case: Case) -> None:
    case.stripe.fails = True
    with pytest.raises(PaymentServiceFailed):
        case.open()
    case.stripe.made = case.stripe.page("cs_made", Money(800, "usd"))

    assert case.open() == "https://pay.example/cs_made"
    assert (case.payment.provider_page_id, len(case.stripe.requests)) == ("cs_made", 1)


def test_a_page_that_came_second_is_ended(case: Case) -> None:
    case.stripe.meanwhile = lambda: case.payment_is(provider_page_id="cs_other", state=PaymentState.OPEN)

    with pytest.raises(OrderClosed) as closed:
        case.open()

    assert closed.value.reference == case.order.reference
    assert (case.stripe.expired, case.payment.provider_page_id) == (["cs_1"], "cs_other")


def test_a_page_of_an_order_that_was_closed_meanwhile_is_ended(case: Case) -> None:
    case.stripe.meanwhile = lambda: case.order_is(state=OrderState.CANCELLED)

    with pytest.raises(OrderClosed):
        case.open()

    assert (case.stripe.expired, case.payment.provider_page_id) == (["cs_1"], None)


def test_a_page_that_has_ended_is_recorded_and_leads_nowhere(case: Case) -> None:
    case.open()
    case.stripe.made = case.stripe.page("cs_1", Money(800, "usd"), is_open=False)

    with pytest.raises(OrderClosed):
        case.open()

    after = case.shop.read(case.order.reference)
    assert (after.state, after.payment.state) == (OrderState.CANCELLED, PaymentState.CANCELLED)
    assert after.history[-1].source == "store"


@pytest.mark.parametrize(
    ("values", "payment"),
    [
        ({"state": OrderState.PAID}, {}),
        ({"authorised_at": datetime(2026, 1, 1, tzinfo=UTC)}, {"state": PaymentState.AUTHORISED}),
        ({}, {"state": PaymentState.PROCESSING}),
    ],
)
def test_an_order_that_takes_no_payment_has_no_page(
    case: Case, values: dict[str, Any], payment: dict[str, Any]
) -> None:
    if values:
        case.order_is(**values)
    if payment:
        case.payment_is(**payment)

    with pytest.raises(OrderClosed):
        case.open()

    assert case.stripe.requests == []
