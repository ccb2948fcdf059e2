"""Mistakes of the page, refused with Stripe's IntegrationError in Stripe's words."""

import re

import pytest

from browser.conftest import Shop
from harness.node import PACKAGES, require_packages

pytestmark = pytest.mark.browser

IMITATED = {
    "elements",
    "confirmCardPayment",
    "confirmCardSetup",
    "confirmPayment",
    "confirmSetup",
    "createConfirmationToken",
    "createPaymentMethod",
    "handleCardAction",
    "handleNextAction",
    "initCheckoutElementsSdk",
    "registerAppInfo",
    "retrievePaymentIntent",
    "retrieveSetupIntent",
}
ELEMENTS = {
    "address",
    "card",
    "cardCvc",
    "cardExpiry",
    "cardNumber",
    "contactDetails",
    "currencySelector",
    "expressCheckout",
    "linkAuthentication",
    "payment",
}


def test_mistakes_are_integration_errors(shop: Shop, subtests: pytest.Subtests) -> None:
    shop.open()
    shop.mount()
    shop.page.evaluate("() => { window.gone = stripe.elements().create('card'); gone.destroy(); }")
    for mistake, words in [
        ("Stripe()", "Please call Stripe() with your publishable key. You used undefined."),
        ("Stripe('')", "Please call Stripe() with your publishable key. You used an empty string."),
        ("Stripe('sk_test_x')", "You should not use your secret key with Stripe.js."),
        ("Stripe('pk_live_x')", "takes no live keys"),
        ("elements.create('card')", "Can only create one Element of type card."),
        ("elements.create('cash')", "A valid Element name must be provided."),
        ("elements.create('cardCvc', {disabled: 'yes'})", "disabled should be of type boolean"),
        ("elements.create('cardCvc', 'big')", "value should be an object"),
        ("card.mount('#pay')", "This Element is already mounted."),
        ("stripe.elements().create('card').mount()", "Missing argument. Make sure to call mount()"),
        ("stripe.elements().create('card').mount('#none')", "The selector you specified (#none) applies to no DOM"),
        ("stripe.elements().create('card').mount({})", "Invalid DOM element."),
        ("card.on('change')", "The handler of the change event must be a function."),
        ("gone.mount('#card')", "This Element has already been destroyed."),
        ("gone.update({})", "This Element has already been destroyed."),
        ("stripe.confirmCardPayment()", "value should be a client_secret string."),
        ("stripe.confirmCardPayment('pi_1')", "value should be a client secret of the form ${id}_secret_${secret}."),
        ("stripe.confirmCardPayment('seti_1_secret_2')", "You specified: a SetupIntent client secret."),
        ("stripe.confirmCardSetup('pi_1_secret_2')", "You specified: a PaymentIntent client secret."),
        ("stripe.confirmCardPayment('pi_1_secret_2', {payment_method: {}})", "payment_method.card should be a card"),
        (
            "stripe.confirmCardPayment('pi_1_secret_2', {payment_method: {card: stripe.elements().create('card')}})",
            "We could not retrieve data from the specified Element.",
        ),
        ("stripe.createPaymentMethod({type: 'sepa_debit'})", "type should be card"),
        ("elements.create('payment')", "In order to create a payment element, you must pass a clientSecret or mode"),
        ("elements.create('address')", "mode should be one of the following strings: shipping, billing."),
        ("stripe.elements({clientSecret: 'pi_1'})", "client secret of the form ${id}_secret_${secret}."),
        ("stripe.elements({clientSecret: 'pi_1_secret_2', mode: 'payment'})", "a clientSecret or a mode, not both."),
        (
            "stripe.elements({mode: 'gift'})",
            "mode should be one of the following strings: payment, setup, subscription.",
        ),
        ("stripe.elements({mode: 'payment', currency: 'USD'})", "currency should be a three-letter currency code"),
        ("stripe.elements({mode: 'payment', currency: 'usd', amount: 1.5})", "amount should be a whole number"),
        ("stripe.confirmPayment({elements, redirect: 'if_required'})", "You must pass in a clientSecret when calling"),
        ("stripe.confirmPayment({clientSecret: 'pi_1_secret_2'})", "confirmParams.return_url should be a URL"),
        (
            "stripe.confirmPayment({elements, clientSecret: 'pi_1_secret_2', redirect: 'if_required'})",
            "elements should have a mounted Payment Element or Express Checkout Element.",
        ),
        ("stripe.createPaymentMethod({elements})", "paymentMethodCreation: 'manual'"),
        ("stripe.createConfirmationToken({})", "elements should be an Elements object."),
        ("stripe.initCheckout({})", "use stripe.initCheckoutElementsSdk()."),
        ("stripe.initCheckoutElementsSdk({})", "clientSecret should be a string or a Promise of one."),
        ("stripe.createToken(card)", "stripe.createToken() is not part of this sandbox"),
        ("elements.create('iban')", "The iban Element is not part of this sandbox"),
    ]:
        with subtests.test(mistake):
            refusal = shop.refusal(mistake)

            assert refusal is not None
            assert refusal["name"] == "IntegrationError"
            assert words in refusal["message"]


def test_unknown_options_are_only_warned_about(shop: Shop) -> None:
    shop.open(options={"colour": "red"}, elements={"shape": "round"})

    shop.mount(options={"size": "big"})

    for name in ("colour", "shape", "size"):
        assert any(f"{name} is not a recognized parameter" in warning for warning in shop.warnings)


def test_the_testing_assistant_may_be_switched_off(shop: Shop) -> None:
    shop.open(options={"developerTools": {"assistant": {"enabled": False}}})

    shop.mount()

    assert shop.warnings == []
    for options in ("{developerTools: 'off'}", "{developerTools: {assistant: {enabled: 'no'}}}"):
        refusal = shop.refusal(f"Stripe('pk_test_x', {options})")
        assert refusal is not None
        assert "developerTools" in refusal["message"]


def test_the_script_says_which_release_it_is_and_loads_once(shop: Shop, shop_url: str) -> None:
    shop.page.goto(shop_url)

    assert shop.page.evaluate("() => Stripe.version") == "endive"
    source = shop.page.locator("script").first.get_attribute("src") or ""
    shop.page.evaluate("() => { window.first = Stripe; }")
    shop.page.add_script_tag(url=source)
    assert shop.page.evaluate("() => Stripe === first") is True
    assert any("loaded more than one time" in warning for warning in shop.warnings)
    for address, version in (("/v3/", 3), ("/v3/stripe.js", 3), ("/basil/stripe.js", "basil")):
        shop.page.evaluate("() => { delete window.Stripe; }")
        shop.page.add_script_tag(url=source.replace("/endive/stripe.js", address))
        assert shop.page.evaluate("() => Stripe.version") == version


def test_every_method_and_every_element_is_there_or_says_that_it_is_not(shop: Shop) -> None:
    """By the types of @stripe/stripe-js."""
    shop.open()
    methods = re.findall(r"^  (\w+)\(", types("stripe.d.ts"), flags=re.MULTILINE)
    kinds = re.findall(
        r"'(\w+)'", types("elements-group.d.ts").partition("export type StripeElementType =")[2].partition(";")[0]
    )

    assert shop.page.evaluate("names => names.filter(name => typeof stripe[name] !== 'function')", methods) == []
    for name in set(methods) - IMITATED:
        refusal = shop.refusal(f"stripe.{name}()")
        assert refusal is not None
        assert f"{name}() is not part of this sandbox" in refusal["message"]
    for kind in set(kinds) - ELEMENTS:
        refusal = shop.refusal(f"elements.create('{kind}')")
        assert refusal is not None
        assert f"The {kind} Element is not part of this sandbox" in refusal["message"]


def test_wrapping_libraries_find_what_they_look_for(shop: Shop) -> None:
    shop.open()

    missing = shop.page.evaluate(
        """() => ['elements', 'createToken', 'createPaymentMethod', 'confirmCardPayment', 'confirmCardSetup',
            'retrievePaymentIntent', 'retrieveSetupIntent', 'handleNextAction', 'handleCardAction', 'registerAppInfo',
            '_registerWrapper', 'confirmPayment'].filter(name => typeof stripe[name] !== 'function')"""
    )

    assert missing == []
    shop.mount()
    assert shop.page.evaluate("() => elements.getElement(Object.assign(() => 0, {__elementType: 'card'})) === card")


def types(file: str) -> str:
    require_packages("@stripe/stripe-js")
    return (PACKAGES / "@stripe" / "stripe-js" / "dist" / "stripe-js" / file).read_text(encoding="utf-8")
