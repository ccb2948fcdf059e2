"""The Payment Element: one form for a card in one frame, confirmed by `confirmPayment` and its like."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from browser.conftest import HEAR_MESSAGES, SandboxServer, Shop

pytestmark = pytest.mark.browser

ASKS, DECLINED = "4000002760003184", "4000000000009995"
CONFIRM = "more => stripe.confirmPayment({elements, redirect: 'if_required', ...more})"


class Form:
    """A Payment Element in the shop's page."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.page = shop.page
        self.frame = shop.page.frame_locator("iframe[title='Secure payment input frame']")

    def open(self, elements: dict[str, Any], options: object = None) -> "Form":
        """The page with a group made so, and the Element mounted in it."""
        self.shop.open(elements=elements)
        self.shop.mount("payment", options)
        return self

    def again(self, elements: dict[str, Any], options: object = None) -> "Form":
        """Another group and Element on the page that is loaded."""
        self.page.evaluate("() => { page.payment.destroy(); events.length = 0; }".replace("page.", "window."))
        self.shop.start(elements=elements)
        self.shop.mount("payment", options)
        return self

    def field(self, name: str) -> Locator:
        return self.frame.locator(f"#Field-{name}Input")

    def type_card(self, number: str = "4242424242424242", postal: str = "94103") -> "Form":
        """A whole card, key by key: the focus moves on by itself."""
        self.field("number").fill("")
        self.field("number").click()
        self.page.keyboard.type(f"{number}1234123")
        self.field("postalCode").fill(postal)
        return self

    def confirm(self, **more: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.page.evaluate(CONFIRM, more)
        return result


@pytest.fixture
def form(shop: Shop) -> Iterator[Form]:
    yield Form(shop)
    assert shop.warnings == []


def test_a_card_typed_into_the_payment_element_pays(form: Form, sandbox_server: SandboxServer) -> None:
    intent = sandbox_server.payment_intent()
    form.page.add_init_script(HEAR_MESSAGES)
    form.open({"clientSecret": intent["client_secret"]})
    frame = form.page.locator("#payment iframe")
    assert (frame.get_attribute("name") or "").startswith("__privateStripeFrame")
    assert "elements-inner-payment" in (frame.get_attribute("src") or "")
    for name, label, autocomplete, placeholder in [
        ("number", "Card number", "cc-number", "1234 1234 1234 1234"),
        ("expiry", "Expiration date MM / YY", "cc-exp", "MM / YY"),
        ("cvc", "Security code", "cc-csc", "CVC"),
        ("postalCode", "ZIP code", "billing postal-code", "12345"),
    ]:
        expect(form.frame.get_by_label(label, exact=True)).to_have_attribute("name", name)
        expect(form.field(name)).to_have_attribute("autocomplete", autocomplete)
        expect(form.field(name)).to_have_attribute("placeholder", placeholder)
    expect(form.frame.get_by_label("Country")).to_have_value("US")

    form.type_card()
    expect(form.field("number")).to_have_value("4242 4242 4242 4242")
    assert form.shop.completed() == {
        "name": "change",
        "elementType": "payment",
        "empty": False,
        "complete": True,
        "collapsed": False,
        "value": {"type": "card", "billingDetails": {"address": {"country": "US", "postalCode": "94103"}}},
    }
    names = [event["name"] for event in form.page.evaluate("() => events")]
    assert names[:3] == ["loaderstart", "ready", "focus"]
    details = {
        "payment_method_data": {"billing_details": {"name": "Ada", "address": {"city": "Bath", "country": "GB"}}}
    }
    paid = form.confirm(confirmParams=details)["paymentIntent"]

    assert (paid["id"], paid["status"]) == (intent["id"], "succeeded")
    billing = sandbox_server.get(f"/v1/payment_methods/{paid['payment_method']}")["billing_details"]
    address = billing["address"]  # what the page says goes before what was typed
    assert (billing["name"], address["city"], address["country"], address["postal_code"]) == (
        "Ada",
        "Bath",
        "GB",
        "94103",
    )
    heard = "".join(form.page.evaluate("() => heard"))
    assert '"postalCode":"94103"' in heard.replace("\\", "")
    assert "4242" not in heard.replace(" ", "").replace('last4":"4242', "")  # no digit of the card comes to the page
    form.again({"clientSecret": intent["client_secret"]})
    (failed,) = form.shop.told("loaderror")
    assert "terminal state" in failed["error"]["message"]


def test_what_is_missing_is_told_and_a_decline_can_be_followed_by_3d_secure(
    form: Form, sandbox_server: SandboxServer
) -> None:
    intent = sandbox_server.payment_intent()
    form.open({"clientSecret": intent["client_secret"]})

    assert form.page.evaluate("() => elements.submit()") == {
        "error": {
            "type": "validation_error",
            "code": "incomplete_number",
            "message": "Your card number is incomplete.",
        }
    }
    expect(form.field("number")).to_be_focused()
    for name, words in [
        ("number", "Your card number is incomplete."),
        ("expiry", "Your card's expiration date is incomplete."),
        ("cvc", "Your card's security code is incomplete."),
        ("postalCode", "Your postal code is incomplete."),
    ]:
        expect(form.frame.locator(f"#Field-{name}Error")).to_have_text(words)
        expect(form.field(name)).to_have_attribute("aria-invalid", "true")
        expect(form.field(name)).to_have_accessible_description(words)
    form.field("number").fill("4242424242424241")
    assert form.confirm()["error"]["code"] == "invalid_number"

    form.page.evaluate(
        """() => {
            window.height = () => document.querySelector("#payment iframe").getBoundingClientRect().height;
            payment.on("change", ({ complete }) => { if (complete) window.whenComplete = height(); });
        }"""
    )
    form.type_card(DECLINED)
    expect(form.frame.get_by_role("alert")).to_have_count(0)
    # What is below the form has moved already where the words have gone: a press of its button counts.
    assert form.page.evaluate("() => whenComplete === height()")
    error = form.confirm()["error"]
    assert (error["type"], error["decline_code"]) == ("card_error", "insufficient_funds")
    assert error["payment_intent"]["status"] == "requires_payment_method"
    form.type_card(ASKS)
    for answer, status in (("Fail", None), ("Complete", "succeeded")):
        form.page.evaluate(f"() => {{ window.paying = ({CONFIRM})(); }}")
        form.shop.bank().get_by_role("button", name=answer).click()
        outcome = form.page.evaluate("() => paying")
        if status is None:
            assert outcome["error"]["code"] == "payment_intent_authentication_failure"
        else:
            assert outcome["paymentIntent"]["status"] == status


def test_paying_leads_to_the_return_url(form: Form, sandbox_server: SandboxServer) -> None:
    intent = sandbox_server.payment_intent()
    form.open({"clientSecret": intent["client_secret"]})
    form.type_card()
    address = f"{form.shop.url}?order=7"

    with form.page.expect_navigation() as navigation:
        form.page.evaluate("return_url => { stripe.confirmPayment({elements, confirmParams: {return_url}}); }", address)

    assert navigation.value.url == (
        f"{address}&payment_intent={intent['id']}&payment_intent_client_secret={intent['client_secret']}"
        "&redirect_status=succeeded"
    )


def test_a_group_without_an_intent_pays_in_each_of_its_ways(form: Form, sandbox_server: SandboxServer) -> None:
    """By a PaymentIntent made after `submit()`, a ConfirmationToken, a PaymentMethod, a SetupIntent."""
    form.open({"mode": "payment", "amount": 1000, "currency": "usd"})
    form.type_card()
    intent = sandbox_server.payment_intent()
    refused = form.shop.refusal(
        f"stripe.confirmPayment({{elements, clientSecret: '{intent['client_secret']}', redirect: 'if_required'}})"
    )
    assert refused is not None
    assert refused["message"].startswith("elements.submit() must be called before stripe.confirmPayment().")

    assert form.page.evaluate("() => elements.submit()") == {"selectedPaymentMethod": "card"}
    wrong = form.confirm(clientSecret=intent["client_secret"])["error"]
    assert wrong["message"] == "The provided amount (1000) does not match the expected amount (1234)."
    form.page.evaluate("() => elements.update({amount: 1234})")
    assert form.confirm(clientSecret=intent["client_secret"])["paymentIntent"]["status"] == "succeeded"

    form.field("postalCode").fill("10001")
    form.page.wait_for_function("() => events.at(-1).value?.billingDetails?.address.postalCode === '10001'")
    again = form.shop.refusal("stripe.createConfirmationToken({elements})")
    assert again is not None
    assert again["message"].startswith("elements.submit() must be called before stripe.createConfirmationToken().")
    form.page.evaluate("() => elements.submit()")
    token = form.page.evaluate(
        "() => stripe.createConfirmationToken({elements, params: {return_url: 'https://a.example'}})"
    )
    paid = sandbox_server.post(
        "/v1/payment_intents",
        amount=1234,
        currency="usd",
        confirm="true",
        confirmation_token=token["confirmationToken"]["id"],
    )
    assert paid["status"] == "succeeded"

    form.type_card(ASKS)
    form.page.evaluate("() => elements.submit()")
    token = form.page.evaluate("() => stripe.createConfirmationToken({elements})")["confirmationToken"]
    asking = sandbox_server.post(
        "/v1/payment_intents", amount=1234, currency="usd", confirm="true", confirmation_token=token["id"]
    )
    form.page.evaluate(
        "clientSecret => { window.paying = stripe.handleNextAction({clientSecret}); }", asking["client_secret"]
    )
    form.shop.bank().get_by_role("button", name="Complete").click()
    assert form.page.evaluate("() => paying")["paymentIntent"]["status"] == "succeeded"

    form.again({"mode": "setup", "currency": "usd", "paymentMethodCreation": "manual"})
    expect(form.frame.locator(".TermsText")).to_contain_text("charge your card for future payments")
    form.type_card()
    form.page.evaluate("() => elements.submit()")
    made = form.page.evaluate("() => stripe.createPaymentMethod({elements})")["paymentMethod"]
    assert made["billing_details"]["address"]["postal_code"] == "94103"
    setup = sandbox_server.post("/v1/setup_intents", **{"allowed_payment_method_types[]": "card"})
    done = form.page.evaluate(
        "clientSecret => stripe.confirmSetup({elements, clientSecret, redirect: 'if_required'})", setup["client_secret"]
    )
    assert done["setupIntent"]["status"] == "succeeded"


def test_addresses_and_emails_typed_into_their_elements_go_along(form: Form, sandbox_server: SandboxServer) -> None:
    intent = sandbox_server.payment_intent()
    london = {"country": "GB", "postal_code": "SW1A 1AA"}
    form.shop.open(elements={"clientSecret": intent["client_secret"]})
    for kind, options in (
        ("expressCheckout", None),
        ("linkAuthentication", {"defaultValues": {"email": "ada@example"}}),
        ("address", {"mode": "billing", "defaultValues": {"name": "Ada", "address": london}}),
        ("payment", None),
    ):
        form.shop.mount(kind, options)
    (express,) = [event for event in form.shop.events("ready") if event["elementType"] == "expressCheckout"]
    assert express.get("availablePaymentMethods") is None
    expect(form.field("country")).to_have_count(0)  # the Address Element asks
    assert form.page.evaluate("() => elements.submit()")["error"]["code"] == "incomplete_email"
    form.page.frame_locator("iframe[title='Secure email input frame']").locator("#Field-emailInput").fill(
        "ada@example.com"
    )
    address = form.page.frame_locator("iframe[title='Secure address input frame']")
    expect(address.locator("#Field-postalCodeInput")).to_have_value("SW1A 1AA")
    address.locator("#Field-countryInput").select_option("US")
    for name, text in (("addressLine1", "1 Main St"), ("locality", "Springfield"), ("postalCode", "62701")):
        address.locator(f"#Field-{name}Input").fill(text)
    address.locator("#Field-administrativeAreaInput").select_option("IL")
    value = form.page.evaluate("() => address.getValue()")
    assert (value["complete"], value["value"]["address"]["state"]) == (True, "IL")
    form.field("number").click()
    form.page.keyboard.type("42424242424242421234123")

    paid = form.confirm()["paymentIntent"]

    billing = sandbox_server.get(f"/v1/payment_methods/{paid['payment_method']}")["billing_details"]
    assert (billing["email"], billing["name"], billing["address"]["city"]) == ("ada@example.com", "Ada", "Springfield")
    address.locator("#Field-countryInput").select_option("IE")
    expect(address.locator("#Field-postalCodeInput")).to_have_count(0)
    expect(address.locator("#Field-administrativeAreaInput")).to_have_count(0)


def test_the_form_looks_and_speaks_as_the_page_wishes(form: Form) -> None:
    looks = {
        "theme": "night",
        "variables": {"colorPrimary": "rgb(1, 2, 3)", "spacingUnit": "2px"},
        "rules": {".Input": {"borderRadius": "13px"}, ".Input:focus": {"borderColor": "rgb(9, 8, 7)"}},
    }
    elements = {"mode": "payment", "amount": 1000, "currency": "eur", "locale": "de", "appearance": looks}
    form.open(elements, {"fields": {"billingDetails": {"address": {"postalCode": "never"}}}})

    number = form.frame.get_by_label("Kartennummer")
    expect(number).to_have_css("border-radius", "13px")
    expect(number).to_have_css("background-color", "rgb(48, 49, 61)")
    number.click()
    expect(number).to_have_css("border-color", "rgb(9, 8, 7)")
    expect(form.field("postalCode")).to_have_count(0)
    form.page.evaluate("() => elements.update({appearance: {theme: 'stripe'}, locale: 'en'})")
    expect(form.frame.get_by_label("Card number")).to_have_css("background-color", "rgb(255, 255, 255)")
    form.page.evaluate("() => Stripe.sandbox.fill({number: '4242424242424242', expiry: '12 / 34', cvc: '123'})")
    expect(form.field("cvc")).to_have_value("123")
    form.page.evaluate("() => elements.submit()")
    create = """address => stripe.createConfirmationToken({
        elements, params: {payment_method_data: {billing_details: {address}}},
    })"""
    for address in ("{}", "{postal_code: null}"):
        refused = form.shop.refusal(f"({create})({address})")
        assert refused is not None
        assert "billing_details.address.postal_code" in refused["message"]
    token = form.page.evaluate(create, {"postal_code": "", "city": "Ulm"})["confirmationToken"]
    assert token["payment_method_preview"]["billing_details"]["address"]["city"] == "Ulm"
    form.field("cvc").press("Enter")
    form.page.wait_for_function("() => submits === 1")
    form.page.keyboard.press("Escape")
    form.page.evaluate("() => { payment.blur(); payment.update({readOnly: true}); }")
    expect(form.field("number")).to_be_disabled()
    form.page.wait_for_function("() => events.at(-1).name === 'blur'")
    assert [event["elementType"] for event in form.shop.told("escape")] == ["payment"]
    form.page.evaluate(
        "() => elements.update({appearance: {variables: {colorText: 4}, rules: {'body': {}}, shape: 'x'}})"
    )
    assert len(form.shop.warnings) == 3
    form.shop.warnings.clear()
