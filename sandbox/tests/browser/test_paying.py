"""Confirming with a card that was typed: what the promise resolves with, and where the number goes."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Request, Route, expect

from browser.conftest import HEAR_MESSAGES, SandboxServer, Shop, tab

pytestmark = pytest.mark.browser

NUMBER = "4242424242424242"


def test_a_good_card_pays(card: Shop, sandbox_server: SandboxServer) -> None:
    intent = sandbox_server.payment_intent()
    card.fill_card()

    paid = card.page.evaluate(
        """secret => stripe.confirmCardPayment(secret, {
            payment_method: {card, billing_details: {name: 'Ada', email: 'ada@example.com', address: {city: 'Bath'}}},
            receipt_email: 'ada@example.com',
            shipping: {name: 'Ada', address: {line1: '1 High Street', country: 'GB'}},
        })""",
        intent["client_secret"],
    )["paymentIntent"]

    assert (paid["id"], paid["status"], paid["amount"]) == (intent["id"], "succeeded", 1234)
    assert "metadata" not in paid
    assert paid["shipping"]["address"]["line1"] == "1 High Street"
    method = sandbox_server.get(f"/v1/payment_methods/{paid['payment_method']}")
    assert method["card"]["exp_year"] == 2034
    assert method["billing_details"]["name"] == "Ada"
    assert method["billing_details"]["address"] == {
        "city": "Bath",
        "country": None,
        "line1": None,
        "line2": None,
        "postal_code": "94107",
        "state": None,
    }


def test_a_declined_card_can_be_followed_by_another_on_the_same_payment(
    card: Shop, sandbox_server: SandboxServer
) -> None:
    intent = sandbox_server.payment_intent()
    card.fill_card("4000000000009995")
    card.pay(intent["client_secret"])

    error = card.outcome()["error"]

    assert (error["type"], error["code"], error["decline_code"]) == (
        "card_error",
        "card_declined",
        "insufficient_funds",
    )
    assert error["message"] == "Your card has insufficient funds."
    assert error["payment_intent"]["status"] == "requires_payment_method"
    card.fill_card()
    card.pay(intent["client_secret"])
    assert card.outcome()["paymentIntent"]["status"] == "succeeded"


def test_errors_speak_the_shoppers_language(shop: Shop, sandbox_server: SandboxServer) -> None:
    shop.open(options={"locale": "de"})
    shop.mount(options={"hidePostalCode": True})
    shop.fill_card("4000000000000069", postal=None)

    shop.pay(sandbox_server.payment_intent()["client_secret"])

    error = shop.outcome()["error"]
    assert (error["code"], error["message"]) == ("expired_card", "Ihre Karte ist abgelaufen.")


def test_an_unfinished_card_is_never_sent(card: Shop, sandbox_server: SandboxServer) -> None:
    sent: list[str] = []
    card.page.on("request", lambda request: sent.append(request.url) if "/v1/" in request.url else None)
    secret = sandbox_server.payment_intent()["client_secret"]
    card.pay(secret)
    empty = card.outcome()["error"]
    card.fill_card(postal=None)
    card.pay(secret)

    without_postal = card.outcome()["error"]

    assert empty == {
        "type": "validation_error",
        "code": "incomplete_number",
        "message": "Your card number is incomplete.",
    }
    assert without_postal["code"] == "incomplete_zip"
    expect(card.page.locator("#card")).to_contain_class("StripeElement--invalid")
    assert sent == []


def test_the_number_leaves_the_frame_for_the_sandbox_alone(shop: Shop, sandbox_server: SandboxServer) -> None:
    shop.page.add_init_script(HEAR_MESSAGES)
    requests: list[Request] = []
    shop.page.on("request", lambda request: requests.extend([request]))
    shop.open()
    shop.mount()
    shop.fill_card()
    shop.pay(sandbox_server.payment_intent()["client_secret"])
    assert shop.outcome()["paymentIntent"]["status"] == "succeeded"

    heard = shop.page.evaluate("() => heard")
    assert len(heard) > 5
    assert not any(_shows_number(message) for message in heard)
    assert not _shows_number(shop.page.evaluate("() => JSON.stringify(events) + document.documentElement.outerHTML"))
    carriers = [request for request in requests if _shows_number(f"{request.url} {request.post_data}")]
    [carrier] = carriers
    assert carrier.url.startswith(sandbox_server.origin)
    assert carrier.frame.url.startswith(sandbox_server.origin)
    sent = parse_qs(carrier.post_data or "")
    assert sent["payment_method_data[card][number]"] == [NUMBER]
    assert sent["use_stripe_sdk"] == ["true"]


def test_a_saved_payment_method_pays_without_any_field(shop: Shop, sandbox_server: SandboxServer) -> None:
    shop.open()

    named = shop.page.evaluate(
        "secret => stripe.confirmCardPayment(secret, {payment_method: 'pm_card_mastercard'})",
        sandbox_server.payment_intent()["client_secret"],
    )
    attached = shop.page.evaluate(
        "secret => stripe.confirmCardPayment(secret)",
        sandbox_server.payment_intent(payment_method="pm_card_visa")["client_secret"],
    )
    missing = shop.page.evaluate(
        "secret => stripe.confirmCardPayment(secret)", sandbox_server.payment_intent()["client_secret"]
    )

    assert named["paymentIntent"]["status"] == "succeeded"
    assert attached["paymentIntent"]["status"] == "succeeded"
    assert missing["error"]["type"] == "invalid_request_error"


def test_paying_twice_tells_of_the_first_payment(
    context: BrowserContext, shop_url: str, card: Shop, sandbox_server: SandboxServer
) -> None:
    secret = sandbox_server.payment_intent()["client_secret"]
    other = tab(context, shop_url)
    other.open()
    other.mount()
    for each in (card, other):
        each.fill_card()
        each.pay(secret)

    outcomes = [card.outcome(), other.outcome()]

    [paid] = [outcome for outcome in outcomes if "paymentIntent" in outcome]
    [refused] = [outcome for outcome in outcomes if "error" in outcome]
    assert paid["paymentIntent"]["status"] == "succeeded"
    assert refused["error"]["code"] in ("payment_intent_unexpected_state", "lock_timeout")


def test_a_card_becomes_a_payment_method(card: Shop, sandbox_server: SandboxServer) -> None:
    card.fill_card("5555555555554444")

    made = card.page.evaluate("() => stripe.createPaymentMethod({type: 'card', card, billing_details: {name: 'Ada'}})")[
        "paymentMethod"
    ]
    declined = card.page.evaluate("() => { card.clear(); return stripe.createPaymentMethod({type: 'card', card}); }")

    assert made["card"]["brand"] == "mastercard"
    assert made["billing_details"]["address"]["postal_code"] == "94107"
    assert declined["error"]["code"] == "incomplete_number"
    paid = card.page.evaluate(
        "([secret, id]) => stripe.confirmCardPayment(secret, {payment_method: id})",
        [sandbox_server.payment_intent()["client_secret"], made["id"]],
    )
    assert paid["paymentIntent"]["payment_method"] == made["id"]


def test_a_card_is_set_up_for_later(card: Shop, sandbox_server: SandboxServer) -> None:
    setup = sandbox_server.post("/v1/setup_intents", **{"allowed_payment_method_types[]": "card"})
    card.fill_card()

    done = card.page.evaluate(
        "secret => stripe.confirmCardSetup(secret, {payment_method: {card, billing_details: {name: 'Ada'}}})",
        setup["client_secret"],
    )
    found = card.page.evaluate("secret => stripe.retrieveSetupIntent(secret)", setup["client_secret"])

    assert done["setupIntent"]["status"] == "succeeded"
    assert found["setupIntent"]["payment_method"] == done["setupIntent"]["payment_method"]


def test_an_intent_can_be_looked_at(shop: Shop, sandbox_server: SandboxServer) -> None:
    intent = sandbox_server.payment_intent()
    shop.open()

    found = shop.page.evaluate("secret => stripe.retrievePaymentIntent(secret)", intent["client_secret"])
    unknown = shop.page.evaluate("() => stripe.retrievePaymentIntent('pi_nothing_secret_nothing')")

    assert found["paymentIntent"]["status"] == "requires_payment_method"
    assert unknown["error"]["code"] == "resource_missing"


def test_no_connection_is_an_answer_too(card: Shop, sandbox_server: SandboxServer) -> None:
    secret = sandbox_server.payment_intent()["client_secret"]
    card.fill_card()
    card.page.route(re.compile("/v1/payment_intents/"), lambda route: route.abort())
    card.pay(secret)

    assert card.outcome()["error"]["type"] == "api_connection_error"

    card.page.unroute_all()
    card.pay(secret)
    assert card.outcome()["paymentIntent"]["status"] == "succeeded"


def test_without_the_sandboxs_frames_a_payment_ends_as_without_connection(
    shop: Shop, sandbox_server: SandboxServer
) -> None:
    shop.page.route("**/v3/controller.html", lambda route: route.abort())
    shop.page.clock.install()
    with shop.page.expect_event("framenavigated", lambda frame: frame.url.startswith("chrome-error:")):
        shop.open()

    shop.page.evaluate(
        "secret => { window.payment = stripe.confirmCardPayment(secret); }",
        sandbox_server.payment_intent()["client_secret"],
    )
    shop.page.clock.fast_forward(3000)
    failed = shop.outcome()
    shop.page.unroute_all()
    found = shop.page.evaluate(
        "secret => stripe.retrievePaymentIntent(secret)", sandbox_server.payment_intent()["client_secret"]
    )

    assert failed["error"]["type"] == "api_connection_error"
    assert "paymentIntent" in found


def test_the_page_may_drop_the_field_while_it_pays(shop: Shop, sandbox_server: SandboxServer) -> None:
    shop.open()
    shop.mount()
    shop.fill_card()

    def drop_the_field(route: Route) -> None:
        shop.page.evaluate("() => card.destroy()")
        route.continue_()

    shop.page.route("**/confirm", drop_the_field)
    shop.pay(sandbox_server.payment_intent()["client_secret"])

    assert urlsplit(shop.page.url).hostname == "localhost"
    assert shop.outcome()["paymentIntent"]["status"] == "succeeded"


def _shows_number(text: str) -> bool:
    return NUMBER in re.sub(r"[\s+]|%20", "", text)
