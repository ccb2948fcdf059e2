"""The bank's question, in a dialog over the shop or on a page of its own."""

import pytest
from playwright.sync_api import BrowserContext, FrameLocator, expect

from browser.conftest import SandboxServer, Shop, tab

pytestmark = pytest.mark.browser

ASKS = "4000002760003184"
AUTHENTICATION_FAILURE = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


def test_completing_the_authentication_pays(card: Shop, sandbox_server: SandboxServer) -> None:
    bank = _ask(card, sandbox_server.payment_intent()["client_secret"])

    expect(card.page.get_by_role("dialog", name="3D Secure authentication")).to_be_visible()
    expect(bank.get_by_text("Sandbox bank: test 3-D Secure")).to_be_visible()
    expect(bank.get_by_text("$12.34 USD")).to_be_visible()
    expect(bank.get_by_text("3184").first).to_be_visible()
    expect(bank.locator("#test-source-fail-3ds")).to_have_text("Fail")
    expect(card.page.frame_locator("iframe[src*=three-ds-2-challenge]").locator("p")).to_be_hidden()
    bank.locator("#test-source-authorize-3ds").click()

    assert card.outcome()["paymentIntent"]["status"] == "succeeded"
    expect(card.page.get_by_role("dialog")).to_have_count(0)


def test_failing_it_asks_for_another_card(card: Shop, sandbox_server: SandboxServer) -> None:
    secret = sandbox_server.payment_intent()["client_secret"]
    _ask(card, secret).get_by_role("button", name="Fail").click()

    error = card.outcome()["error"]

    assert error["code"] == "payment_intent_authentication_failure"
    assert error["type"] == "invalid_request_error"
    assert error["message"] == AUTHENTICATION_FAILURE
    assert error["payment_intent"]["status"] == "requires_payment_method"
    card.fill_card()
    card.pay(secret)
    assert card.outcome()["paymentIntent"]["status"] == "succeeded"


def test_closing_the_dialog_is_failing(card: Shop, sandbox_server: SandboxServer) -> None:
    _ask(card, sandbox_server.payment_intent()["client_secret"])

    card.page.get_by_role("button", name="Cancel authentication").click()

    assert card.outcome()["error"]["code"] == "payment_intent_authentication_failure"
    expect(card.page.get_by_role("dialog")).to_have_count(0)


def test_the_bank_may_be_sure_and_still_decline(card: Shop, sandbox_server: SandboxServer) -> None:
    bank = _ask(card, sandbox_server.payment_intent()["client_secret"], number="4000008260003178", postal="SW1A 1AA")

    bank.get_by_role("button", name="Complete").click()

    error = card.outcome()["error"]
    assert (error["type"], error["code"], error["decline_code"]) == (
        "card_error",
        "card_declined",
        "insufficient_funds",
    )
    assert error["payment_intent"]["status"] == "requires_payment_method"


def test_a_card_known_to_the_bank_is_not_asked(card: Shop, sandbox_server: SandboxServer) -> None:
    shown: list[str] = []
    card.page.on("frameattached", lambda frame: shown.append(frame.name))
    card.fill_card("4000000032200000")

    card.pay(sandbox_server.payment_intent()["client_secret"])

    assert card.outcome()["paymentIntent"]["status"] == "succeeded"
    assert shown == []


def test_the_dialog_keeps_the_keyboard_and_gives_it_back(card: Shop, sandbox_server: SandboxServer) -> None:
    secret = sandbox_server.payment_intent()["client_secret"]
    card.fill_card(ASKS)
    card.page.locator("#pay").focus()
    card.pay(secret)
    bank = card.bank()
    expect(bank.get_by_role("button", name="Complete")).to_be_visible()

    card.page.keyboard.press("Escape")
    card.page.keyboard.press("Escape")
    expect(card.page.get_by_role("dialog")).to_be_visible()
    reached = set()
    for _ in range(8):
        card.page.keyboard.press("Tab")
        reached.add(card.page.evaluate("() => document.activeElement.closest('[role=dialog], body').tagName"))
        assert card.page.evaluate("() => document.activeElement.id") != "pay"
    assert "DIV" in reached
    bank.get_by_role("button", name="Complete").focus()
    card.page.keyboard.press("Enter")

    assert card.outcome()["paymentIntent"]["status"] == "succeeded"
    expect(card.page.locator("#pay")).to_be_focused()


def test_it_can_be_answered_where_the_shop_pays_in_a_dialog_of_its_own(
    shop: Shop, sandbox_server: SandboxServer
) -> None:
    """A modal dialog lets nothing outside of it be used."""
    shop.open()
    shop.page.evaluate(
        """() => {
            const dialog = document.createElement('dialog');
            document.body.append(dialog);
            dialog.append(document.getElementById('form'));
            dialog.style.width = '400px';
            dialog.showModal();
        }"""
    )
    shop.mount()
    shop.fill_card(ASKS)
    shop.pay(sandbox_server.payment_intent()["client_secret"])
    outer = shop.page.frame_locator("dialog > div > iframe[src*=three-ds-2-challenge]")

    outer.frame_locator("iframe[name=stripe-challenge-frame]").get_by_role("button", name="Complete").click()

    assert shop.outcome()["paymentIntent"]["status"] == "succeeded"
    assert shop.page.evaluate("() => document.querySelectorAll('[inert]').length") == 0


def test_a_challenge_that_cannot_be_shown_is_failing(shop: Shop, sandbox_server: SandboxServer) -> None:
    shop.page.route("**/three-ds-2-challenge.html", lambda route: route.abort())
    shop.page.clock.install()
    shop.open()
    shop.mount()
    shop.fill_card(ASKS)
    with shop.page.expect_event("framenavigated", lambda frame: frame.url.startswith("chrome-error:")):
        shop.pay(sandbox_server.payment_intent()["client_secret"])

    shop.page.clock.fast_forward(3000)

    assert shop.outcome()["error"]["code"] == "payment_intent_authentication_failure"
    expect(shop.page.get_by_role("dialog")).to_have_count(0)


def test_actions_can_be_left_for_later(card: Shop, sandbox_server: SandboxServer) -> None:
    secret = sandbox_server.payment_intent()["client_secret"]
    card.fill_card(ASKS)
    card.pay(secret, handleActions=False)
    assert card.outcome()["paymentIntent"]["status"] == "requires_action"

    card.page.evaluate("secret => { window.payment = stripe.handleNextAction({clientSecret: secret}); }", secret)
    card.bank().get_by_role("button", name="Complete").click()

    assert card.outcome()["paymentIntent"]["status"] == "succeeded"
    refusal = card.page.evaluate("secret => refusal(() => stripe.handleNextAction({clientSecret: secret}))", secret)
    assert refusal == {
        "name": "IntegrationError",
        "message": "handleNextAction: The PaymentIntent supplied is not in the requires_action state.",
    }


def test_a_closed_tab_leaves_the_question_open(
    context: BrowserContext, shop_url: str, shop: Shop, sandbox_server: SandboxServer
) -> None:
    intent = sandbox_server.payment_intent()
    shop.open()
    shop.mount()
    _ask(shop, intent["client_secret"])
    shop.page.close()
    assert sandbox_server.get(f"/v1/payment_intents/{intent['id']}")["status"] == "requires_action"

    again = tab(context, shop_url)
    again.open()
    again.page.evaluate(
        "secret => { window.payment = stripe.handleNextAction({clientSecret: secret}); }", intent["client_secret"]
    )
    again.bank().get_by_role("button", name="Complete").click()

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

    shop.bank().get_by_role("button", name="Complete").click()

    assert shop.outcome()["paymentIntent"]["status"] == "requires_confirmation"
    confirmed = sandbox_server.post(f"/v1/payment_intents/{intent['id']}/confirm")
    assert confirmed["status"] == "succeeded"


def test_a_set_up_asks_as_well(card: Shop, sandbox_server: SandboxServer) -> None:
    setup = sandbox_server.post("/v1/setup_intents", **{"allowed_payment_method_types[]": "card"})
    confirming = "secret => { window.payment = stripe.confirmCardSetup(secret, {payment_method: {card}}); }"
    card.fill_card(ASKS)

    card.page.evaluate(confirming, setup["client_secret"])
    card.bank().get_by_role("button", name="Fail").click()
    error = card.outcome()["error"]
    assert (error["code"], error["message"]) == ("setup_intent_authentication_failure", AUTHENTICATION_FAILURE)
    assert error["setup_intent"]["status"] == "requires_payment_method"

    card.page.evaluate(confirming, setup["client_secret"])
    card.bank().get_by_role("button", name="Complete").click()
    assert card.outcome()["setupIntent"]["status"] == "succeeded"


def test_handle_card_action_is_for_payments_confirmed_by_hand_only(card: Shop, sandbox_server: SandboxServer) -> None:
    secret = sandbox_server.payment_intent()["client_secret"]

    refusal = card.page.evaluate("secret => refusal(() => stripe.handleCardAction(secret))", secret)

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


def test_the_page_of_another_site_cannot_end_the_dialog(card: Shop, sandbox_server: SandboxServer) -> None:
    _ask(card, sandbox_server.payment_intent()["client_secret"])

    card.page.evaluate("() => { postMessage('stripe-sandbox:authenticated', '*'); }")
    card.page.evaluate("() => new Promise(resolve => setTimeout(resolve, 0))")

    expect(card.page.get_by_role("dialog")).to_be_visible()


def _ask(shop: Shop, secret: str, number: str = ASKS, postal: str = "94107") -> FrameLocator:
    """Pay with a card that is asked for 3-D Secure; the bank's page, once it is there."""
    shop.fill_card(number, postal=postal)
    shop.pay(secret)
    bank = shop.bank()
    expect(bank.get_by_role("button", name="Complete")).to_be_visible()
    return bank
