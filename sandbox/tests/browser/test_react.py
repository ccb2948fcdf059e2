"""Stripe's React components on the sandbox, in a checkout that would be the same with Stripe: react/checkout.jsx."""

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
        self.tab.page.get_by_role("button", name=name, exact=True).click()


@pytest.fixture(scope="module")
def react_url(sandbox_server: SandboxServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    require_packages("react", "react-dom", "@stripe/react-stripe-js", "@stripe/stripe-js")
    script = tmp_path_factory.mktemp("react") / "checkout.js"
    bundle(REACT / "checkout.jsx", script)
    app = shop_app(REACT / "index.html", sandbox_server)

    @app.get("/checkout.js")
    def checkout() -> Response:
        return send_file(script)

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


def _open(context: BrowserContext, url: str, sandbox: SandboxServer, **query: str) -> Checkout:
    intent = sandbox.payment_intent()
    opened = tab(context, url)
    opened.page.goto(f"{url}?{urlencode({'key': f'pk_{KEY}', 'secret': intent['client_secret'], **query})}")
    return Checkout(opened, intent)
