"""Stripe's React components on the sandbox, in programs that would be the same with Stripe: those in react/."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Response, send_file
from playwright.sync_api import BrowserContext, FrameLocator, Locator, expect

from browser.conftest import KEY, SandboxServer, Shop, serving, shop_app, tab
from harness.node import bundle, require_packages

pytestmark = pytest.mark.browser

REACT = Path(__file__).parent / "react"
ASKS = "4000002760003184"
DECLINED = "4000000000009995"


@dataclass
class Checkout:
    """The React page in a tab, about to pay `intent`."""

    tab: Shop
    intent: dict[str, Any]

    @property
    def said(self) -> Locator:
        return self.tab.page.get_by_role("status")

    def frame(self, title: str = "Secure card payment input frame") -> FrameLocator:
        return self.tab.page.frame_locator(f"iframe[title='{title}']")

    def type_card(self, number: str = "4242424242424242") -> None:
        """A whole card into the CardElement, key by key: the focus moves on by itself."""
        self.frame().locator("input[name=cardnumber]").click()
        self.tab.page.keyboard.type(f"{number}1234123")

    def press(self, name: str) -> None:
        """With the pointer, once the browser has it there: a busy one sends it to what it drew there before the page
        moved.
        """
        button = self.tab.page.get_by_role("button", name=name, exact=True)
        deadline = time.monotonic() + 10
        while not button.evaluate("button => button.matches(':hover')"):
            assert time.monotonic() < deadline, f"the pointer does not reach {name!r}"
            button.hover()
        button.click()


@pytest.fixture(scope="module")
def react_url(sandbox_server: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the programs, which `program` in the query chooses among."""
    require_packages("react", "react-dom", "@stripe/react-stripe-js", "@stripe/stripe-js")
    scripts = tmp_path_factory.mktemp("react")
    app = shop_app(REACT / "index.html", sandbox_server)

    @app.get("/<program>.js")
    def script(program: str) -> Response:
        made = scripts / f"{program}.js"
        if not made.exists():
            bundle(REACT / f"{program}.jsx", made)
        return send_file(made)

    with serving(app) as url:
        yield url


@pytest.fixture
def checkout(context: BrowserContext, react_url: str, sandbox_server: SandboxServer) -> Iterator[Checkout]:
    """The page with one CardElement. Afterwards nothing may have broken, gone against the policy, or been warned of."""
    opened = _open(context, react_url, sandbox_server)
    yield opened
    assert opened.tab.violations == []
    assert opened.tab.warnings == []


def test_a_card_typed_into_the_card_element_pays(checkout: Checkout, sandbox_server: SandboxServer) -> None:
    checkout.type_card()
    expect(checkout.tab.page.locator("[data-card=complete]")).to_be_visible()
    checkout.press("Pay")

    expect(checkout.said).to_have_text("The payment has succeeded.")
    assert sandbox_server.get(f"/v1/payment_intents/{checkout.intent['id']}")["status"] == "succeeded"


def test_a_declined_card_is_told_and_another_one_pays(checkout: Checkout) -> None:
    checkout.type_card(DECLINED)
    checkout.press("Pay")
    expect(checkout.said).to_have_text("card_declined: Your card has insufficient funds.")

    checkout.frame().locator("input[name=cardnumber]").fill("4242424242424242")
    checkout.press("Pay")

    expect(checkout.said).to_have_text("The payment has succeeded.")


def test_a_mistyped_number_is_told_while_it_is_typed(checkout: Checkout) -> None:
    checkout.frame().locator("input[name=cardnumber]").click()
    checkout.tab.page.keyboard.type("4242424242424241")

    expect(checkout.tab.page.get_by_role("alert")).to_have_text("Your card number is invalid.")


def test_the_bank_asks_and_the_payment_goes_on_once_it_is_answered(checkout: Checkout) -> None:
    checkout.type_card(ASKS)
    checkout.press("Pay")
    bank = checkout.tab.bank()
    bank.get_by_role("button", name="Complete").click()

    expect(checkout.said).to_have_text("The payment has succeeded.")


def test_a_card_element_that_was_unmounted_comes_back_empty_and_pays(checkout: Checkout) -> None:
    checkout.type_card()
    checkout.press("Hide the card")
    expect(checkout.tab.page.locator("iframe[title='Secure card payment input frame']")).to_have_count(0)
    checkout.press("Pay")
    expect(checkout.said).to_have_text("There is no card.")

    checkout.press("Show the card")
    expect(checkout.frame().locator("input[name=cardnumber]")).to_have_value("")
    checkout.type_card()
    checkout.press("Pay")

    expect(checkout.said).to_have_text("The payment has succeeded.")


def test_strict_mode_leaves_one_card_field(checkout: Checkout) -> None:
    """In development React mounts everything, takes it down and mounts it again."""
    expect(checkout.tab.page.locator("[data-card=ready]")).to_be_visible()

    expect(checkout.tab.page.locator("iframe[title='Secure card payment input frame']")).to_have_count(1)


def test_the_three_split_elements_pay_together(
    context: BrowserContext, react_url: str, sandbox_server: SandboxServer
) -> None:
    checkout = _open(context, react_url, sandbox_server, split="yes")

    checkout.frame("Secure card number input frame").locator("input").fill("5555555555554444")
    checkout.frame("Secure expiration date input frame").locator("input").fill("12 / 34")
    checkout.frame("Secure CVC input frame").locator("input").fill("123")
    checkout.press("Pay")

    expect(checkout.said).to_have_text("The payment has succeeded.")
    assert [*checkout.tab.violations, *checkout.tab.warnings] == []


@pytest.mark.parametrize("kind", ["intent", "deferred"])
def test_the_payment_element_pays_in_react(
    context: BrowserContext, react_url: str, sandbox_server: SandboxServer, kind: str
) -> None:
    query = {"deferred": "yes"} if kind == "deferred" else {}
    checkout = _open(context, react_url, sandbox_server, program="payment", **query)
    form = checkout.frame("Secure payment input frame")
    expect(checkout.tab.page.locator("[data-card=ready]")).to_be_visible()
    expect(checkout.tab.page.locator("iframe[title='Secure payment input frame']")).to_have_count(1)
    if kind == "deferred":
        address = checkout.frame("Secure address input frame")
        for name, text in (
            ("name", "Ada"),
            ("addressLine1", "1 Main St"),
            ("locality", "Bath"),
            ("postalCode", "62701"),
        ):
            address.locator(f"[name={name}]").fill(text)
        address.locator("[name=administrativeArea]").select_option("IL")

    checkout.press("Pay")
    expect(checkout.said).to_have_text("incomplete_number: Your card number is incomplete.")
    for number, words in (
        (DECLINED, "card_declined: Your card has insufficient funds."),
        (ASKS, "The payment has succeeded."),
    ):
        form.locator("[name=number]").fill("")
        form.locator("[name=number]").click()
        checkout.tab.page.keyboard.type(f"{number}1234123")
        form.locator("[name=postalCode]").fill("94103")
        expect(checkout.tab.page.locator("[data-card=complete]")).to_be_visible()
        checkout.press("Pay")
        if number == ASKS:
            checkout.tab.bank().get_by_role("button", name="Complete").click()
        expect(checkout.said).to_have_text(words)

    paid = sandbox_server.get(f"/v1/payment_intents/{checkout.intent['id']}?expand[]=payment_method")
    shipping, billing = paid["shipping"], paid["payment_method"]["billing_details"]
    if kind == "deferred":
        assert (shipping["name"], shipping["address"]["state"], billing["email"]) == ("Ada", "IL", "ada@example.com")
    assert [*checkout.tab.violations, *checkout.tab.warnings] == []


def test_elements_pay_a_checkout_session_in_react(
    context: BrowserContext, react_url: str, sandbox_server: SandboxServer
) -> None:
    session = _session(sandbox_server)
    checkout = _open(context, react_url, sandbox_server, program="checkout-sessions", secret=session["client_secret"])
    page, total = checkout.tab.page, checkout.tab.page.locator("[data-total]")
    pay = page.get_by_role("button", name="Pay", exact=True)

    expect(total).to_have_text("$23.00")
    checkout.press("One more Tea")
    expect(total).to_have_text("$32.00")
    checkout.press("Pick up")
    expect(total).to_have_text("$27.00")
    for code, words in (("nothing", "invalidCode: This code is invalid."), ("react", "")):
        page.get_by_label("Code").fill(code)
        checkout.press("Apply")
        expect(checkout.said).to_have_text(words)
    expect(total).to_have_text("$13.50")
    for email, words in (("ada@", "incompleteEmail: Your email is incomplete."), ("ada@example.com", "")):
        page.get_by_label("Email").fill(email)
        page.get_by_label("Email").blur()
        expect(checkout.said).to_have_text(words)
    form = checkout.frame("Secure payment input frame")
    for number, words in (
        (DECLINED, "insufficient_funds: Your card has insufficient funds."),
        (ASKS, "The session is complete."),
    ):
        form.locator("[name=number]").fill("")
        expect(pay).to_be_disabled()
        form.locator("[name=number]").click()
        page.keyboard.type(f"{number}1234123")
        form.locator("[name=postalCode]").fill("94103")
        pay.click()
        if number == ASKS:
            checkout.tab.bank().get_by_role("button", name="Complete").click()
        expect(checkout.said).to_have_text(words)

    done = sandbox_server.get(f"/v1/checkout/sessions/{session['id']}")
    assert (done["status"], done["payment_status"], done["amount_total"]) == ("complete", "paid", 1350)
    assert done["customer_details"]["email"] == "ada@example.com"
    assert [*checkout.tab.violations, *checkout.tab.warnings] == []


def _session(sandbox: SandboxServer) -> dict[str, Any]:
    """Two Tea, which can be more, with a code for half of it and two ways to get it."""
    coupon = sandbox.post("/v1/coupons", percent_off=50)
    code = {"promotion[type]": "coupon", "promotion[coupon]": coupon["id"], "code": "REACT"}
    sandbox.post("/v1/promotion_codes", **code)
    line, post = "line_items[0]", "shipping_options[0][shipping_rate_data]"
    pick_up = "shipping_options[1][shipping_rate_data]"
    return sandbox.post(
        "/v1/checkout/sessions",
        **{
            "mode": "payment",
            "ui_mode": "elements",
            "allow_promotion_codes": "true",
            f"{line}[quantity]": "2",
            f"{line}[adjustable_quantity][enabled]": "true",
            f"{line}[price_data][currency]": "usd",
            f"{line}[price_data][unit_amount]": "900",
            f"{line}[price_data][product_data][name]": "Tea",
            f"{post}[display_name]": "Post",
            f"{post}[fixed_amount][amount]": "500",
            f"{post}[fixed_amount][currency]": "usd",
            f"{pick_up}[display_name]": "Pick up",
            f"{pick_up}[fixed_amount][amount]": "0",
            f"{pick_up}[fixed_amount][currency]": "usd",
        },
    )


def _open(
    context: BrowserContext, url: str, sandbox: SandboxServer, program: str = "checkout", **query: str
) -> Checkout:
    intent = sandbox.payment_intent()
    opened = tab(context, url)
    # High enough for all of a program: a click right after scrolling can end in the frame that stood there before.
    opened.page.set_viewport_size({"width": 1280, "height": 1200})
    given = {"key": f"pk_{KEY}", "secret": intent["client_secret"], "program": program, **query}
    opened.page.goto(f"{url}?{urlencode(given)}")
    return Checkout(opened, intent)
