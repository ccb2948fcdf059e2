"""The bank's question, in a dialog over the shop or on a page of its own."""

import pytest
from playwright.sync_api import BrowserContext, FrameLocator, expect

from browser.conftest import SandboxServer, Shop, tab

pytestmark = pytest.mark.browser

ASKS = "4000002760003184"
AUTHENTICATION_FAILURE = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


@pytest.fixture
def ready(shop: Shop) -> Shop:
    shop.open()
    shop.mount(options={"hidePostalCode": True})
    return shop


def test_completing_the_authentication_pays(ready: Shop, sandbox_server: SandboxServer) -> None:
    bank = _ask(ready, sandbox_server.payment_intent()["client_secret"])

    expect(ready.page.get_by_role("dialog", name="3D Secure authentication")).to_be_visible()
    expect(bank.get_by_text("Sandbox bank: test 3-D Secure")).to_be_visible()
    expect(bank.get_by_text("$12.34 USD")).to_be_visible()
    expect(bank.get_by_text("3184").first).to_be_visible()
    bank.get_by_role("button", name="Complete").click()

    assert ready.outcome()["paymentIntent"]["status"] == "succeeded"
    expect(ready.page.locator("dialog")).to_have_count(0)


def test_failing_it_asks_for_another_card(ready: Shop, sandbox_server: SandboxServer) -> None:
    secret = sandbox_server.payment_intent()["client_secret"]
    _ask(ready, secret).get_by_role("button", name="Fail").click()

    error = ready.outcome()["error"]

    assert error["code"] == "payment_intent_authentication_failure"
    assert error["type"] == "invalid_request_error"
    assert error["message"] == AUTHENTICATION_FAILURE
    assert error["payment_intent"]["status"] == "requires_payment_method"
    ready.fill_card(postal=None)
    ready.pay(secret)
    assert ready.outcome()["paymentIntent"]["status"] == "succeeded"


def test_closing_the_dialog_is_failing(ready: Shop, sandbox_server: SandboxServer) -> None:
    _ask(ready, sandbox_server.payment_intent()["client_secret"])

    ready.page.get_by_role("button", name="Cancel authentication").click()

    assert ready.outcome()["error"]["code"] == "payment_intent_authentication_failure"
    expect(ready.page.locator("dialog")).to_have_count(0)


def test_the_bank_may_be_sure_and_still_decline(ready: Shop, sandbox_server: SandboxServer) -> None:
    bank = _ask(ready, sandbox_server.payment_intent()["client_secret"], number="4000008260003178")

    bank.get_by_role("button", name="Complete").click()

    error = ready.outcome()["error"]
    assert (error["type"], error["code"], error["decline_code"]) == (
        "card_error",
        "card_declined",
        "insufficient_funds",
    )
    assert error["payment_intent"]["status"] == "requires_payment_method"


def test_a_card_known_to_the_bank_is_not_asked(ready: Shop, sandbox_server: SandboxServer) -> None:
    ready.page.evaluate("() => { HTMLDialogElement.prototype.showModal = () => { throw new Error('shown'); }; }")
    ready.fill_card("4000000032200000", postal=None)

    ready.pay(sandbox_server.payment_intent()["client_secret"])

    assert ready.outcome()["paymentIntent"]["status"] == "succeeded"


def test_the_dialog_keeps_the_keyboard_and_gives_it_back(ready: Shop, sandbox_server: SandboxServer) -> None:
    secret = sandbox_server.payment_intent()["client_secret"]
    ready.fill_card(ASKS, postal=None)
    ready.page.locator("#pay").focus()
    ready.pay(secret)
    bank = _bank(ready)
    expect(bank.get_by_role("button", name="Complete")).to_be_visible()

    ready.page.keyboard.press("Escape")
    ready.page.keyboard.press("Escape")
    expect(ready.page.get_by_role("dialog")).to_be_visible()
    reached = set()
    for _ in range(8):
        ready.page.keyboard.press("Tab")
        reached.add(ready.page.evaluate("() => document.activeElement.closest('dialog, body').tagName"))
        assert ready.page.evaluate("() => document.activeElement.id") != "pay"
    assert "DIALOG" in reached
    bank.get_by_role("button", name="Complete").focus()
    ready.page.keyboard.press("Enter")

    assert ready.outcome()["paymentIntent"]["status"] == "succeeded"
    expect(ready.page.locator("#pay")).to_be_focused()


def test_actions_can_be_left_for_later(ready: Shop, sandbox_server: SandboxServer) -> None:
    secret = sandbox_server.payment_intent()["client_secret"]
    ready.fill_card(ASKS, postal=None)
    ready.pay(secret, handleActions=False)
    assert ready.outcome()["paymentIntent"]["status"] == "requires_action"

    ready.page.evaluate("secret => { window.payment = stripe.handleNextAction({clientSecret: secret}); }", secret)
    _bank(ready).get_by_role("button", name="Complete").click()

    assert ready.outcome()["paymentIntent"]["status"] == "succeeded"
    refusal = ready.page.evaluate("secret => refusal(() => stripe.handleNextAction({clientSecret: secret}))", secret)
    assert refusal == {
        "name": "IntegrationError",
        "message": "handleNextAction: The PaymentIntent supplied is not in the requires_action state.",
    }


def test_a_closed_tab_leaves_the_question_open(
    context: BrowserContext, shop_url: str, ready: Shop, sandbox_server: SandboxServer
) -> None:
    intent = sandbox_server.payment_intent()
    _ask(ready, intent["client_secret"])
    ready.page.close()
    assert sandbox_server.get(f"/v1/payment_intents/{intent['id']}")["status"] == "requires_action"

    again = tab(context, shop_url)
    again.open()
    again.page.evaluate(
        "secret => { window.payment = stripe.handleNextAction({clientSecret: secret}); }", intent["client_secret"]
    )
    _bank(again).get_by_role("button", name="Complete").click()

    assert again.outcome()["paymentIntent"]["status"] == "succeeded"


def test_a_server_that_confirms_by_hand_gets_its_turn(shop: Shop, sandbox_server: SandboxServer) -> None:
    intent = sandbox_server.payment_intent(
        payment_method="pm_card_authenticationRequired",
        confirmation_method="manual",
        confirm="true",
        use_stripe_sdk="true",
    )
    shop.open()
    shop.page.evaluate("secret => { window.payment = stripe.handleCardAction(secret); }", intent["client_secret"])

    _bank(shop).get_by_role("button", name="Complete").click()

    assert shop.outcome()["paymentIntent"]["status"] == "requires_confirmation"
    confirmed = sandbox_server.post(f"/v1/payment_intents/{intent['id']}/confirm")
    assert confirmed["status"] == "succeeded"


def test_a_set_up_asks_as_well(ready: Shop, sandbox_server: SandboxServer) -> None:
    setup = sandbox_server.post("/v1/setup_intents", **{"allowed_payment_method_types[]": "card"})
    confirming = "secret => { window.payment = stripe.confirmCardSetup(secret, {payment_method: {card}}); }"
    ready.fill_card(ASKS, postal=None)

    ready.page.evaluate(confirming, setup["client_secret"])
    _bank(ready).get_by_role("button", name="Fail").click()
    error = ready.outcome()["error"]
    assert (error["code"], error["message"]) == ("setup_intent_authentication_failure", AUTHENTICATION_FAILURE)
    assert error["setup_intent"]["status"] == "requires_payment_method"

    ready.page.evaluate(confirming, setup["client_secret"])
    _bank(ready).get_by_role("button", name="Complete").click()
    assert ready.outcome()["setupIntent"]["status"] == "succeeded"


def test_handle_card_action_is_for_payments_confirmed_by_hand_only(ready: Shop, sandbox_server: SandboxServer) -> None:
    secret = sandbox_server.payment_intent()["client_secret"]

    refusal = ready.page.evaluate("secret => refusal(() => stripe.handleCardAction(secret))", secret)

    assert refusal["name"] == "IntegrationError"
    assert "does not require manual server-side confirmation" in refusal["message"]


@pytest.mark.parametrize(("button", "status"), [("Complete", "succeeded"), ("Fail", "failed")])
def test_a_page_of_its_own_leads_back_to_the_shop(
    context: BrowserContext, shop_url: str, sandbox_server: SandboxServer, button: str, status: str
) -> None:
    intent = sandbox_server.payment_intent(
        payment_method="pm_card_authenticationRequired", confirm="true", return_url=f"{shop_url}?order=7"
    )
    page = context.new_page()
    page.goto(intent["next_action"]["redirect_to_url"]["url"])
    page.get_by_role("button", name=button).click()

    page.wait_for_url(f"{shop_url}*")

    secret = intent["client_secret"]
    assert page.url.endswith(
        f"?order=7&payment_intent={intent['id']}&payment_intent_client_secret={secret}&redirect_status={status}"
    )


def test_a_redirect_of_the_server_is_followed(shop: Shop, shop_url: str, sandbox_server: SandboxServer) -> None:
    intent = sandbox_server.payment_intent(
        payment_method="pm_card_authenticationRequired", confirm="true", return_url=shop_url
    )
    shop.open()

    shop.page.evaluate("secret => { stripe.handleNextAction({clientSecret: secret}); }", intent["client_secret"])

    expect(shop.page.get_by_role("button", name="Complete")).to_be_visible()


def test_a_question_nobody_asked_is_not_found(context: BrowserContext, sandbox_server: SandboxServer) -> None:
    page = context.new_page()

    answer = page.goto(f"{sandbox_server.origin}/sandbox/3ds/src_nothing?client_secret=x")

    assert answer
    assert answer.status == 404
    expect(page.get_by_role("heading", name="There is nothing to confirm")).to_be_visible()


def test_the_page_of_another_site_cannot_end_the_dialog(ready: Shop, sandbox_server: SandboxServer) -> None:
    _ask(ready, sandbox_server.payment_intent()["client_secret"])

    ready.page.evaluate("() => { postMessage('stripe-sandbox:authenticated', '*'); }")
    ready.page.evaluate("() => new Promise(resolve => setTimeout(resolve, 0))")

    expect(ready.page.get_by_role("dialog")).to_be_visible()


def _ask(shop: Shop, secret: str, number: str = ASKS) -> FrameLocator:
    """Pay with a card that is asked for 3-D Secure; the bank's page, once it is there."""
    shop.fill_card(number, postal=None)
    shop.pay(secret)
    bank = _bank(shop)
    expect(bank.get_by_role("button", name="Complete")).to_be_visible()
    return bank


def _bank(shop: Shop) -> FrameLocator:
    return shop.page.frame_locator("dialog iframe[name^=__privateStripeFrame]")
