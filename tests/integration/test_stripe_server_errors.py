"""Stripe answers a request with a server error and keeps it under its idempotency key: the order is not stuck."""

from datetime import timedelta
from typing import Any

import pytest

from models import Order
from store.cli.findings import problem_of
from store.domain.errors import PaymentServiceFailed, PaymentUnavailable
from store.domain.states import OrderState, RefundState
from store.services import reconciliation
from store.services.history import Origin, Source
from store.services.operations import audit
from store.services.payments import refunds
from tests.support.concurrency import at_once
from tests.support.shop import NoAnswer, Shop

CREATE, REFUND = "POST /v1/payment_intents", "POST /v1/refunds"


def fail_requests(shop: Shop, match: str, when: str, times: int = 1) -> None:
    shop.sandbox.extensions["sandbox"].faults.add("api", "error", times, {"match": match, "when": when})


def intents(shop: Shop) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.stripe("GET", "/v1/payment_intents")["data"]
    return found


def agreed(shop: Shop) -> bool:
    with shop.services.database.reading() as session:
        found = audit.run(session, shop.clock())
    return not found + reconciliation.compare(shop.services, shop.clock() - timedelta(hours=2))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("webhooks", ["come", "are lost"])
def test_the_shopper_pays_one_payment_after_a_reload(shop: Shop, when: str, webhooks: str) -> None:
    order = shop.order()
    fail_requests(shop, CREATE, when)
    with pytest.raises(PaymentServiceFailed):
        shop.open(order)
    shop.deliver() if webhooks == "come" else shop.lose()

    payment = shop.open(order)

    assert len(intents(shop)) == 1
    assert shop.confirm(payment)["status"] == "succeeded"
    shop.deliver()
    assert shop.read(order.reference).state is OrderState.PAID
    assert agreed(shop)


def test_a_payment_opens_after_repeated_server_errors(shop: Shop) -> None:
    order = shop.order()
    fail_requests(shop, CREATE, "before", times=2)
    for _ in range(2):
        with pytest.raises(PaymentServiceFailed):
            shop.open(order)

    assert shop.confirm(shop.open(order))["status"] == "succeeded"
    assert len(intents(shop)) == 1


def test_in_a_busy_shop_only_payments_younger_than_the_order_are_read(shop: Shop) -> None:
    """A page cannot wait for the lists of some minutes, though Stripe's clock may be some minutes from the store's."""
    for _ in range(201):  # a list gives a hundred at a time
        shop.stripe("POST", "/v1/payment_intents", {"amount": "800", "currency": "usd"})
    shop.clock.forward(seconds=30)
    order = shop.order()
    fail_requests(shop, CREATE, "before")
    with pytest.raises(PaymentServiceFailed):
        shop.open(order)
    shop.transport.requests.clear()

    shop.open(order)

    lists = [request for request in shop.transport.requests if request == ("GET", "/v1/payment_intents")]
    assert len(lists) == 2  # one of which asks what time it is
    assert [each["metadata"]["order_reference"] for each in intents(shop) if each["metadata"]] == [order.reference]


def test_a_lost_response_is_requested_again_with_the_same_key(shop: Shop) -> None:
    """The payment is not looked for: Stripe still gives the one answer."""
    order = shop.order()

    def lost(method: str, _path: str) -> None:
        if method == "POST":
            raise NoAnswer

    shop.transport.after = lost
    with pytest.raises(PaymentUnavailable):
        shop.open(order)
    shop.transport.after = lambda _method, _path: None
    shop.transport.requests.clear()

    shop.open(order)

    assert shop.transport.requests == [("POST", "/v1/payment_intents")]
    assert len(intents(shop)) == 1


@pytest.mark.on_both_databases
@pytest.mark.parametrize("when", ["before", "after"])
def test_tabs_that_reload_at_once_after_a_server_error_share_a_payment(shop: Shop, when: str) -> None:
    order = shop.order()
    fail_requests(shop, CREATE, when)
    with pytest.raises(PaymentServiceFailed):
        shop.open(order)
    shop.lose()

    pages = at_once(4, lambda _: shop.open(order))

    assert not [page for page in pages if isinstance(page, Exception) and not isinstance(page, PaymentUnavailable)]
    ids = {page.snapshot.provider_payment_id for page in pages if not isinstance(page, Exception)}
    assert ids == {shop.read(order.reference).payment.provider_payment_id}
    assert [intent["status"] for intent in intents(shop)] == ["requires_payment_method"]


def test_of_two_payments_that_two_tabs_opened_one_is_cancelled(shop: Shop) -> None:
    """One tab looks before the payment of a failed request exists, the other one finds it."""
    order = shop.order()
    late = payment_of_the_failed_request(order)
    fail_requests(shop, CREATE, "before")
    with pytest.raises(PaymentServiceFailed):
        shop.open(order)
    made: list[str] = []

    def meanwhile(method: str, path: str) -> None:
        """The first tab has looked and found none. Before it asks for its own, the other tab has found one."""
        if (method, path) == ("POST", "/v1/payment_intents") and not made:
            made.append(shop.stripe("POST", "/v1/payment_intents", late)["id"])
            shop.open(order)

    shop.transport.before = meanwhile
    page = shop.open(order)

    kept, statuses = (
        shop.read(order.reference).payment.provider_payment_id,
        {i["id"]: i["status"] for i in intents(shop)},
    )
    assert page.snapshot.provider_payment_id == kept == made[0]
    assert sorted(statuses.values()) == ["canceled", "requires_payment_method"]
    assert statuses[kept] == "requires_payment_method"
    assert shop.confirm(page)["status"] == "succeeded"
    shop.deliver()
    assert shop.read(order.reference).state is OrderState.PAID
    assert agreed(shop)


def payment_of_the_failed_request(order: Order) -> dict[str, str]:
    return {
        "amount": str(order.total_minor),
        "currency": order.currency,
        "allowed_payment_method_types[0]": "card",
        "metadata[order_reference]": order.reference,
    }


def test_an_orphaned_payment_is_found_and_cancelled(shop: Shop) -> None:
    order = shop.order()
    kept = shop.open(order).snapshot.provider_payment_id
    orphan = shop.stripe("POST", "/v1/payment_intents", payment_of_the_failed_request(order))["id"]
    before = [
        problem_of(finding).wrong
        for finding in reconciliation.compare(shop.services, shop.clock() - timedelta(hours=1))
    ]

    report = reconciliation.repair(shop.services, shop.clock() - timedelta(hours=1), shop.clock())

    assert before == [f"has a second payment that is open, {orphan}."]
    ends = {i["id"]: (i["status"], i["cancellation_reason"]) for i in intents(shop)}
    assert ends == {kept: ("requires_payment_method", None), orphan: ("canceled", "duplicate")}
    assert report.unresolved == []
    assert shop.read(order.reference).state is OrderState.AWAITING_PAYMENT


@pytest.mark.on_both_databases
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_refund_is_made_once_despite_a_server_error(shop: Shop, when: str) -> None:
    order = shop.order(2)
    shop.pay(order)
    shop.deliver()
    fail_requests(shop, REFUND, when)
    origin = Origin(Source.STAFF, shop.clock())
    with pytest.raises(PaymentServiceFailed):
        refunds.submit(shop.services, order.reference, None, "refund-of-all", origin)

    states = at_once(4, lambda _: refunds.submit(shop.services, order.reference, None, "refund-of-all", origin))

    assert set(states) == {RefundState.SUCCEEDED}
    assert len(shop.stripe("GET", "/v1/refunds")["data"]) == 1
    shop.deliver()
    assert shop.read(order.reference).state is OrderState.REFUNDED
    assert agreed(shop)
