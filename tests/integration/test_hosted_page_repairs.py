"""What the worker and reconciliation put right about hosted pages, when nobody reported it."""

from datetime import timedelta

import pytest

from models import Order
from store.domain.errors import PaymentUnavailable
from store.domain.states import OrderState, PaymentState
from store.services import checkout, payments, reconciliation
from store.services.operations import audit, worker
from tests.support.shop import NoAnswer, Shop


def repaired(shop: Shop) -> reconciliation.Report:
    return reconciliation.repair(shop.services, shop.clock() - timedelta(hours=2), shop.clock())


def disagreements(shop: Shop) -> list[str]:
    found = reconciliation.compare(shop.services, shop.clock() - timedelta(hours=2))
    with shop.services.database.reading() as session:
        return [finding.code for finding in found + audit.run(session, shop.clock())]


def page_statuses(shop: Shop) -> list[str]:
    return [session["status"] for session in shop.stripe("GET", "/v1/checkout/sessions")["data"]]


def with_an_orphaned_page(shop: Shop) -> Order:
    """The page was created at Stripe, and the response was lost."""
    order = shop.order()

    def lose_response(_method: str, path: str) -> None:
        if path.endswith("/v1/checkout/sessions"):
            raise NoAnswer

    shop.transport.after = lose_response
    with pytest.raises(PaymentUnavailable):
        shop.open_page(order)
    shop.transport.after = lambda _method, _path: None
    return order


@pytest.mark.on_both_databases
def test_reconciliation_finds_a_payment_on_a_page(shop: Shop) -> None:
    order = shop.order()
    shop.pay_on_page(shop.open_page(order))
    shop.lose()

    before, report = disagreements(shop), repaired(shop)

    assert before == ["paid_only_there"]
    assert f"order {order.reference}: order.payment_received" in report.repaired
    assert shop.read(order.reference).state is OrderState.PAID
    assert disagreements(shop) == []


def test_reconciliation_finds_that_a_page_has_ended(shop: Shop) -> None:
    order = shop.order()
    page = shop.open_page(order)
    shop.stripe("POST", f"/v1/checkout/sessions/{page}/expire")
    shop.lose()

    before = disagreements(shop)
    repaired(shop)

    assert before == ["cancelled_only_there"]
    assert shop.read(order.reference).state is OrderState.CANCELLED
    assert disagreements(shop) == []


def test_reconciliation_ends_the_page_of_a_closed_order(shop: Shop) -> None:
    order = shop.order()
    shop.open_page(order)
    shop.close_by_hand(order.reference)

    before = disagreements(shop)
    repaired(shop)

    assert before == ["still_payable"]
    assert page_statuses(shop) == ["expired"]
    assert shop.read(order.reference).payment.state is PaymentState.CANCELLED
    assert disagreements(shop) == []


def test_reconciliation_ends_a_page_that_nobody_knows(shop: Shop) -> None:
    order = with_an_orphaned_page(shop)
    shop.open(order)

    before = disagreements(shop)
    repaired(shop)

    assert before == ["second_payment_open"]
    assert page_statuses(shop) == ["expired"]
    assert disagreements(shop) == []


def test_reconciliation_leaves_a_page_that_can_still_be_asked_for(shop: Shop) -> None:
    order = with_an_orphaned_page(shop)

    repaired(shop)
    page = shop.open_page(order)

    assert page_statuses(shop) == ["open"]
    assert shop.pay_on_page(page)["session"]["status"] == "complete"


@pytest.mark.parametrize("by", ["the worker", "the shopper"])
def test_a_page_that_was_left_open_is_ended(shop: Shop, by: str) -> None:
    order = shop.order()
    shop.open_page(order)

    def break_connection(_method: str, path: str) -> None:
        if path.endswith("/expire"):
            raise NoAnswer

    shop.transport.before = break_connection
    with pytest.raises(PaymentUnavailable):
        payments.create(shop.services, order.reference, shop.clock())
    shop.transport.before = lambda _method, _path: None
    waiting = page_statuses(shop)
    if by == "the worker":
        worker.run(shop.services, shop.clock())
    else:
        shop.open(order)

    assert (waiting, page_statuses(shop)) == (["open"], ["expired"])
    assert shop.read(order.reference).state is OrderState.AWAITING_PAYMENT
    assert disagreements(shop) == []


def test_an_order_is_closed_once_what_it_counted_on_has_ended(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)

    def break_connection(_method: str, path: str) -> None:
        if path.endswith("/cancel"):
            raise NoAnswer

    shop.transport.before = break_connection
    for leave in (lambda: shop.open_page(order), lambda: checkout.cancel(shop.services, order.reference, shop.clock())):
        with pytest.raises(PaymentUnavailable):
            leave()
    kept = shop.read(order.reference).state
    shop.transport.before = lambda _method, _path: None
    checkout.cancel(shop.services, order.reference, shop.clock())

    (intent,) = shop.stripe("GET", "/v1/payment_intents")["data"]
    assert kept is OrderState.AWAITING_PAYMENT
    assert intent["status"] == "canceled"
    assert shop.read(order.reference).state is OrderState.CANCELLED
