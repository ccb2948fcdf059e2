"""While Stripe is slow or breaks, a page waits a few seconds for all it asks, then says where the money is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe
from stripe import APIConnectionError

from app import stripe_gateway
from store.domain.errors import PaymentUnavailable
from store.domain.states import OrderState
from store.gateway import deadline
from store.gateway.deadline import RequestDeadline
from store.gateway.stripe.transport import CONNECT_TIMEOUT, READ_TIMEOUT, RETRIES
from tests.support.shop import Browser, Shop, event_of, open_shop

TRY = CONNECT_TIMEOUT + READ_TIMEOUT
FAST, SLOW = 0.1, READ_TIMEOUT


class Slow(APIConnectionError):
    """A try that ran into its time-out: the SDK takes it for worth another."""

    def __init__(self) -> None:
        super().__init__("timed out", should_retry=True)  # type: ignore[no-untyped-call]  # the SDK types it not


@pytest.fixture(autouse=True)
def no_naps() -> Iterator[None]:
    """The SDK's pauses between tries, which sum up to two seconds, are not waited for."""
    before = stripe.HTTPClient.INITIAL_DELAY, stripe.HTTPClient.MAX_DELAY
    stripe.HTTPClient.INITIAL_DELAY = stripe.HTTPClient.MAX_DELAY = 0
    yield
    stripe.HTTPClient.INITIAL_DELAY, stripe.HTTPClient.MAX_DELAY = before


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    opened = open_shop(database_url, tmp_path)
    yield opened
    opened.close()


def stripe_takes(shop: Shop, seconds: float, *, answers: bool = False) -> list[float]:
    """From now on each try takes so long; the times at which tries began, counted from now."""
    began, start = list[float](), shop.clock.stopwatch()

    def wait(_method: str, _path: str) -> None:
        began.append(shop.clock.stopwatch() - start)
        shop.clock.forward(seconds=seconds)
        if not answers:
            raise Slow

    shop.transport.before = wait
    return began


def waited(shop: Shop, browser: Browser, path: str) -> tuple[float, str, int]:
    """How long a page waited for Stripe, what it said, and its status."""
    start = shop.clock.stopwatch()
    answer = browser.get(path)
    return shop.clock.stopwatch() - start, answer.text, answer.status_code


def test_a_payment_page_times_out_and_says_that_nothing_was_charged(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()
    tries = stripe_takes(shop, SLOW)

    seconds, said, status = waited(shop, browser, f"/orders/{reference}/pay")

    assert (len(tries), status) == (1, 503)
    assert seconds <= deadline.SECONDS
    assert "Nothing was charged" in said


def test_a_fast_failure_is_retried_within_the_deadline(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()
    tries = stripe_takes(shop, FAST)

    seconds, _, status = waited(shop, browser, f"/orders/{reference}/pay")

    assert (len(tries), status) == (1 + RETRIES, 503)
    assert seconds <= deadline.SECONDS


def test_a_status_page_times_out_and_says_that_the_bank_is_asked(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()
    browser.get(f"/orders/{reference}/pay")
    (intent,) = shop.stripe("GET", "/v1/payment_intents")["data"]
    shop.stripe("POST", f"/v1/payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"})
    browser.get(f"/orders/{reference}?confirming=1")
    shop.clock.forward(seconds=6)
    tries = stripe_takes(shop, SLOW)

    seconds, said, status = waited(shop, browser, f"/orders/{reference}?confirming=1")

    assert (len(tries), status) == (1, 200)
    assert seconds <= deadline.SECONDS
    assert "do not pay again" in said.lower()


def test_all_requests_of_a_page_share_its_deadline(shop: Shop) -> None:
    """Cancelling asks twice where it comes too late: to cancel, then what the payment is instead."""
    browser, reference = shop.browser_with_order()
    token = browser.token(f"/orders/{reference}/pay")
    (intent,) = shop.stripe("GET", "/v1/payment_intents")["data"]
    shop.stripe("POST", f"/v1/payment_intents/{intent['id']}/confirm", {"payment_method": "pm_card_visa"})
    tries = stripe_takes(shop, deadline.SECONDS - TRY + 0.1, answers=True)

    answer = browser.open("POST", f"/orders/{reference}/cancel", data={"csrf_token": token})

    assert (len(tries), answer.status_code) == (1, 503)
    assert shop.read(reference).state is OrderState.AWAITING_PAYMENT


def test_a_webhook_has_a_deadline_as_a_page_has(shop: Shop) -> None:
    """Stripe is asked about a payment that is not known here and names an order: anybody on the account can do that."""
    order = shop.order()
    form = {"amount": str(order.total_minor), "currency": order.currency, "payment_method": "pm_card_visa"}
    form |= {"metadata[order_reference]": order.reference, "confirm": "true", "return_url": "http://store.test/"}
    shop.stripe("POST", "/v1/payment_intents", form)
    delivery = next(each for each in shop.lose() if event_of(each)["type"] == "payment_intent.succeeded")
    tries = stripe_takes(shop, SLOW)

    status = shop.receive(delivery)

    assert (len(tries), status) == (1, 503)


def test_every_page_has_its_own_deadline(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()
    tries = stripe_takes(shop, deadline.SECONDS - TRY + 0.1, answers=True)

    statuses = [browser.get(f"/orders/{reference}/pay").status_code for _ in range(3)]

    assert (statuses, len(tries)) == ([200] * 3, 3)


def test_worker_and_commands_have_no_deadline(shop: Shop) -> None:
    """Worker and commands; and a thread that served a page before."""
    order = shop.order()
    shop.browser().get("/")
    tries = stripe_takes(shop, SLOW)

    with pytest.raises(PaymentUnavailable):
        shop.open(order)

    assert len(tries) == 1 + RETRIES


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("kind", "status"), [("error", 503), ("rate_limit", 503), ("reset", 200), ("timeout", 200)])
def test_however_stripe_fails_the_page_says_it_and_the_next_one_works(
    shop: Shop, kind: str, when: str, status: int
) -> None:
    """A connection that broke is tried again at once; Stripe's own failures and its limits are not."""
    browser, reference = shop.browser_with_order()
    match = {"match": "POST /v1/payment_intents", "when": when}
    shop.sandbox.extensions["sandbox"].faults.add("api", kind, 1, match)

    first = browser.get(f"/orders/{reference}/pay")
    second = browser.get(f"/orders/{reference}/pay")

    assert (first.status_code, "Nothing was charged" in first.text) == (status, True)
    assert second.status_code == 200
    assert len(shop.stripe("GET", "/v1/payment_intents")["data"]) == 1


def test_a_page_may_wait_exactly_until_its_deadline() -> None:
    now = 100.0
    page = RequestDeadline(lambda: now, seconds=6)

    assert page.allows(10_000)
    page.begin()
    assert page.allows(6)
    assert not page.allows(6.001)
    now = 104.0
    assert page.allows(2)
    assert not page.allows(2.5)
    page.end()
    assert page.allows(10_000)


def test_without_a_deadline_requests_to_stripe_are_never_refused(shop: Shop) -> None:
    gateway = stripe_gateway(shop.services.settings, shop.transport)

    assert list(gateway.list_payments(shop.clock())) == []
