"""Number, date and security code in frames of their own."""

from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import BrowserContext, expect

from browser.conftest import SandboxServer, Shop, tab

pytestmark = pytest.mark.browser

KINDS = ("cardNumber", "cardExpiry", "cardCvc")


@pytest.fixture(scope="module")
def lasting_split(lasting_context: BrowserContext, shop_url: str) -> Iterator[Shop]:
    """A page with all three, loaded once."""
    shop = tab(lasting_context, shop_url)
    shop.open()
    for kind in KINDS:
        shop.mount(kind, {"showIcon": True} if kind == "cardNumber" else {})
    yield shop
    shop.page.close()


@pytest.fixture
def split(lasting_split: Shop) -> Iterator[Shop]:
    """Three Elements in which nothing was typed yet."""
    lasting_split.page.evaluate("async kinds => { for (const kind of kinds) await remount(kind); }", KINDS)
    yield lasting_split
    assert lasting_split.violations == []


def test_each_field_has_its_frame_and_its_words(split: Shop) -> None:
    for kind, title, name, placeholder in [
        ("cardNumber", "Secure card number input frame", "cardnumber", "1234 1234 1234 1234"),
        ("cardExpiry", "Secure expiration date input frame", "exp-date", "MM / YY"),
        ("cardCvc", "Secure CVC input frame", "cvc", "CVC"),
    ]:
        expect(split.page.locator(f"#{kind} iframe")).to_have_attribute("title", title)
        expect(split.input(name, kind)).to_have_attribute("placeholder", placeholder)
        expect(split.input(name, kind)).to_have_attribute("data-elements-stable-field-name", kind)
        expect(split.page.locator(f"iframe[src*='componentName={kind}']")).to_have_count(1)

    expect(split.frame("cardNumber").locator(".CardNumberField-input-wrapper input.InputElement")).to_have_count(1)
    split.page.evaluate("() => cardCvc.update({placeholder: '123'})")
    expect(split.input("cvc", "cardCvc")).to_have_attribute("placeholder", "123")
    expect(split.frame("cardNumber").locator(".CardBrandIcon-container")).to_be_visible()


def test_the_keyboard_goes_on_to_the_next_field_and_back(split: Shop) -> None:
    split.input("cardnumber", "cardNumber").fill("378282246310005")
    expect(split.input("exp-date", "cardExpiry")).to_be_focused()
    split.input("exp-date", "cardExpiry").fill("12 / 34")
    expect(split.input("cvc", "cardCvc")).to_be_focused()

    split.page.keyboard.press("Backspace")
    expect(split.input("exp-date", "cardExpiry")).to_be_focused()

    split.input("cvc", "cardCvc").fill("12345")
    expect(split.input("cvc", "cardCvc")).to_have_value("1234")


def test_a_field_that_is_full_takes_the_focus_from_no_other(split: Shop) -> None:
    """A fast script types the security code before the page hears that the number is full."""
    split.input("cvc", "cardCvc").click()

    split.input("cardnumber", "cardNumber").evaluate(
        """input => {
            input.value = '4242424242424242';
            input.dispatchEvent(new InputEvent('input', {inputType: 'insertText'}));
        }"""
    )
    split.page.wait_for_function("() => events.some(event => event.elementType === 'cardNumber' && event.complete)")
    split.page.keyboard.type("123")

    expect(split.input("cvc", "cardCvc")).to_have_value("123")
    expect(split.input("exp-date", "cardExpiry")).to_have_value("")


def test_each_field_tells_of_itself(split: Shop) -> None:
    split.input("cardnumber", "cardNumber").fill("5555555555554444")
    split.input("exp-date", "cardExpiry").fill("12 / 20")

    [number, expiry] = split.told("change", 2)
    assert number == {
        "name": "change",
        "elementType": "cardNumber",
        "error": None,
        "empty": False,
        "complete": True,
        "brand": "mastercard",
    }
    assert expiry["elementType"] == "cardExpiry"
    assert expiry["error"]["code"] == "invalid_expiry_year_past"
    assert "brand" not in expiry


def test_the_number_field_brings_the_others_along(split: Shop, sandbox_server: SandboxServer) -> None:
    intent = sandbox_server.payment_intent()
    split.input("cardnumber", "cardNumber").fill("4242424242424242")
    split.input("exp-date", "cardExpiry").fill("12 / 34")
    data = "{payment_method: {card: cardNumber, billing_details: {name: 'Ada', address: {postal_code: '10115'}}}}"

    missing = split.page.evaluate(f"secret => stripe.confirmCardPayment(secret, {data})", intent["client_secret"])
    assert missing["error"]["code"] == "incomplete_cvc"
    expect(split.page.locator("#cardCvc")).to_contain_class("StripeElement--invalid")

    split.input("cvc", "cardCvc").fill("123")
    paid = split.page.evaluate(f"secret => stripe.confirmCardPayment(secret, {data})", intent["client_secret"])
    assert paid["paymentIntent"]["status"] == "succeeded"
    method = sandbox_server.get(f"/v1/payment_methods/{paid['paymentIntent']['payment_method']}")
    assert method["card"]["last4"] == "4242"
    assert method["billing_details"]["address"]["postal_code"] == "10115"


def test_a_security_code_alone_goes_with_a_saved_card(split: Shop, sandbox_server: SandboxServer) -> None:
    secret = sandbox_server.payment_intent()["client_secret"]
    data = "{payment_method: 'pm_card_visa', payment_method_options: {card: {cvc: cardCvc}}}"
    paying = f"secret => stripe.confirmCardPayment(secret, {data})"

    assert split.page.evaluate(paying, secret)["error"]["code"] == "incomplete_cvc"
    split.input("cvc", "cardCvc").fill("123")
    with split.page.expect_request("**/confirm") as confirming:
        split.page.evaluate(paying, secret)

    sent = parse_qs(confirming.value.post_data or "")
    assert sent["payment_method"] == ["pm_card_visa"]
    assert sent["payment_method_options[card][cvc]"] == ["123"]
