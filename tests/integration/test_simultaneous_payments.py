"""Many shoppers pay at the same time: none waits for another, and only timeouts of Stripe open the breaker."""

from __future__ import annotations

from threading import Barrier

import pytest
import stripe

from store.gateway import deadline
from store.gateway.port import PaymentSession
from store.gateway.stripe.transport import FAILURES, READ_TIMEOUT
from tests.support.concurrency import at_once
from tests.support.shop import Shop

pytestmark = pytest.mark.on_both_databases

SHOPPERS = 8


def answering(_method: str, _path: str) -> None:
    """Stripe is well."""


def test_payments_that_are_opened_at_once_do_not_wait_for_each_other(shop: Shop) -> None:
    orders = [shop.order() for _ in range(SHOPPERS)]
    inside = Barrier(SHOPPERS)

    def wait_for_the_others(_method: str, _path: str) -> None:
        inside.wait(timeout=10)

    shop.transport.before = wait_for_the_others

    opened = at_once(SHOPPERS, lambda number: shop.open(orders[number]))

    assert [type(payment) for payment in opened] == [PaymentSession] * SHOPPERS


def test_pages_past_their_own_deadline_do_not_open_the_breaker(shop: Shop) -> None:
    """Cancelling asks twice where it comes too late; Stripe answers the first so slowly that the deadline passes."""
    browser, reference = shop.browser_with_order()
    token = browser.token(f"/orders/{reference}/pay")
    (intent,) = shop.stripe("GET", "/v1/payment_intents")["data"]
    shop.stripe("POST", f"/v1/payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"})
    another, other_reference = shop.browser_with_order()
    shop.transport.before = lambda _method, _path: shop.clock.forward(seconds=deadline.SECONDS - 3)

    late = [
        browser.open("POST", f"/orders/{reference}/cancel", data={"csrf_token": token}).status_code
        for _ in range(FAILURES + 1)
    ]
    shop.transport.before = answering

    assert late == [503] * (FAILURES + 1)
    assert another.get(f"/orders/{other_reference}/pay").status_code == 200


def test_a_page_without_a_response_until_its_deadline_counts(shop: Shop) -> None:
    """What timed out is worth another try, for which the page has no time."""
    browser, reference = shop.browser_with_order()

    def hang(_method: str, _path: str) -> None:
        shop.clock.forward(seconds=READ_TIMEOUT)
        raise stripe.APIConnectionError("timed out", should_retry=True)  # type: ignore[no-untyped-call]  # the SDK types it not

    shop.transport.before = hang

    statuses = [browser.get(f"/orders/{reference}/pay").status_code for _ in range(FAILURES + 2)]

    assert (statuses, len(shop.transport.requests)) == ([503] * (FAILURES + 2), FAILURES)
