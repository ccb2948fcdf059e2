"""The webhook and the shopper's browser arrive in any order, or the webhook never: the order is paid."""

import time
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.e2e import shop
from tests.support.processes import StoreProcess
from tests.support.webhook_proxy import WebhookProxy


def test_the_webhook_arrives_before_the_browser_returns(page: Page, store: StoreProcess) -> None:
    reference = shop.go_to_payment(page)

    def answer_after_the_webhook(route: Route) -> None:
        answer = route.fetch()
        wait_until(lambda: state_of(store, reference) == "paid")
        route.fulfill(response=answer)

    page.route("**/v1/payment_intents/*/confirm", answer_after_the_webhook)
    shop.type_card(page)
    shop.pay(page)

    shop.see_paid(page, reference)
    expect(shop.timeline(page, "was received")).to_contain_text("reported by the payment service")


def test_the_browser_returns_before_the_webhook(page: Page, webhook_proxy: WebhookProxy, store: StoreProcess) -> None:
    reference = shop.go_to_payment(page)
    shop.type_card(page)

    with webhook_proxy.holding():
        shop.pay(page)
        expect(page.get_by_role("heading", name="Confirming your payment")).to_be_visible()
        expect(page.get_by_text("Your payment of $28.00 is being confirmed. Do not pay again.")).to_be_visible()
        assert state_of(store, reference) == "awaiting_payment"

    shop.see_paid(page, reference)
    expect(shop.timeline(page, "was received")).to_contain_text("reported by the payment service")


def test_a_payment_whose_webhook_is_lost_is_found_by_asking(page: Page, webhook_proxy: WebhookProxy) -> None:
    reference = shop.go_to_payment(page)
    shop.type_card(page)

    with webhook_proxy.losing():
        shop.pay(page)
        page.wait_for_url(f"**/orders/{reference}?confirming=1")
        shop.reload(page)
        expect(page.get_by_role("heading", name="Payment received")).to_be_visible(timeout=12_000)

    shop.see_paid(page, reference)
    expect(shop.timeline(page, "was received")).to_contain_text("the payment service said so when we asked")
    expect(page.get_by_text("You paid $28.00 with Visa ending 4242.")).to_be_visible()


def test_a_webhook_received_twice_pays_once(page: Page, webhook_proxy: WebhookProxy, store: StoreProcess) -> None:
    reference = shop.go_to_payment(page)
    shop.type_card(page)

    with webhook_proxy.doubling():
        shop.pay(page)
        shop.see_paid(page, reference)
        wait_until(lambda: received_twice(store))

    shop.reload(page)
    expect(shop.timeline(page, "was received")).to_have_count(1)
    expect(shop.timeline(page, "Your order is confirmed.")).to_have_count(1)


def state_of(store: StoreProcess, reference: str) -> str:
    ((state,),) = store.read("SELECT state FROM orders WHERE reference = ?", reference)
    return str(state)


def received_twice(store: StoreProcess) -> bool:
    """Whether the store got the event of a payment for the second time; only a doubling proxy does that."""
    rows = store.read("SELECT 1 FROM webhook_events WHERE type = 'payment_intent.succeeded' AND deliveries > 1")
    return bool(rows)


def wait_until(happened: Callable[[], bool], within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
