"""The page of a Checkout Session, as customers use it and as tests of Stripe's page find their way on it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, FrameLocator, Page, expect

from browser.conftest import SandboxServer
from harness.axe import obstacles
from till_sandbox.testing import connect

pytestmark = pytest.mark.browser

Start = Callable[..., dict[str, Any]]

LINE = "line_items[0]"
TEA = {
    f"{LINE}[price_data][currency]": "usd",
    f"{LINE}[price_data][unit_amount]": "900",
    f"{LINE}[price_data][product_data][name]": "Tea",
    f"{LINE}[quantity]": "2",
}
AUTHENTICATION_FAILURE = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab. Afterwards nothing may have broken in it or gone against its policy."""
    broken: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: broken.append(str(error)))
    opened.on("console", lambda message: broken.append(message.text) if "Security Policy" in message.text else None)
    yield opened
    assert broken == []


@pytest.fixture
def start(sandbox_server: SandboxServer, shop_url: str, page: Page) -> Start:
    """Makes a session of some tea and opens its page."""

    def open_session(**asked: str) -> dict[str, Any]:
        urls = {"success_url": f"{shop_url}?paid={{CHECKOUT_SESSION_ID}}", "cancel_url": f"{shop_url}?back"}
        line = {} if asked.get("mode") == "setup" or f"{LINE}[price]" in asked else TEA
        form = {"mode": "payment", **urls, **line, **asked}
        session = sandbox_server.post("/v1/checkout/sessions", **form)
        page.goto(session["url"])
        return session

    return open_session


def type_card(page: Page, number: str = "4242424242424242") -> None:
    for field, value in (("cardNumber", number), ("cardExpiry", "12 / 34"), ("cardCvc", "123")):
        page.locator(f"#{field}").fill(value)
    page.locator("#billingName").fill("Ada Lovelace")
    page.locator("#billingPostalCode").fill("62701")


def submit(page: Page) -> None:
    page.get_by_test_id("hosted-payment-submit-button").click()


def see_no_obstacles(page: Page) -> None:
    """In light and in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert obstacles(page) == []


def bank(page: Page) -> FrameLocator:
    outer = page.frame_locator("body > div > iframe[name^=__privateStripeFrame][src*=three-ds-2-challenge]")
    return outer.frame_locator("iframe[name=stripe-challenge-frame]")


def test_a_customer_pays_and_comes_back_to_the_shop(start: Start, page: Page, sandbox_server: SandboxServer) -> None:
    session = start()
    expect(page.locator("form.PaymentForm-form")).to_be_visible()
    expect(page.get_by_test_id("product-summary-total-amount")).to_have_text("$18.00")
    expect(page.get_by_test_id("line-item-product-name")).to_have_text("Tea")
    see_no_obstacles(page)

    page.locator("#email").fill("ada@example.com")
    type_card(page)
    expect(page.locator(".SubmitButton--complete")).to_have_accessible_name("Pay")
    submit(page)

    page.wait_for_url(f"**/?paid={session['id']}")
    done = sandbox_server.get(f"/v1/checkout/sessions/{session['id']}")
    assert (done["payment_status"], done["customer_details"]["email"]) == ("paid", "ada@example.com")
    assert done["customer_details"]["address"]["postal_code"] == "62701"
    page.goto(session["url"])
    expect(page.get_by_role("heading", name="You’re all done here")).to_be_visible()


def test_a_decline_is_said_and_another_card_pays(start: Start, page: Page) -> None:
    start(customer_email="ada@example.com")
    expect(page.get_by_text("ada@example.com")).to_be_visible()

    for number, words in (
        ("4000000000000002", "Your credit card was declined. Try paying with a debit card instead."),
        ("4000000000009995", "Your credit card was declined because of insufficient funds. Try paying with"),
        ("4000000000000069", "Your card is expired. Try a different card."),
    ):
        type_card(page, number)
        submit(page)
        expect(page.locator("#card-error")).to_contain_text(words)
    see_no_obstacles(page)
    type_card(page)
    submit(page)

    page.wait_for_url("**/?paid=cs_test_*")


def test_the_bank_asks_in_the_page(start: Start, page: Page) -> None:
    start(customer_email="ada@example.com")
    type_card(page, "4000002760003184")

    submit(page)
    bank(page).locator("#test-source-fail-3ds").click()
    expect(page.locator("#card-error")).to_have_text(AUTHENTICATION_FAILURE)
    submit(page)
    bank(page).locator("#test-source-authorize-3ds").click()

    page.wait_for_url("**/?paid=cs_test_*")


def test_code_delivery_and_quantity_change_what_is_paid(
    start: Start, page: Page, sandbox_server: SandboxServer
) -> None:
    coupon = sandbox_server.post("/v1/coupons", percent_off="10", name="Spring sale")["id"]
    promotion = {"promotion[type]": "coupon", "promotion[coupon]": coupon}
    sandbox_server.post("/v1/promotion_codes", code="S", **promotion)
    rates = {"Post": "0", "Courier": "1200"}
    session = start(
        customer_email="ada@example.com",
        allow_promotion_codes="true",
        **{f"{LINE}[adjustable_quantity][enabled]": "true", "shipping_address_collection[allowed_countries][]": "DE"},
        **{
            f"shipping_options[{number}][shipping_rate_data][{field}]": value
            for number, (name, amount) in enumerate(rates.items())
            for field, value in (
                ("display_name", name),
                ("fixed_amount][amount", amount),
                ("fixed_amount][currency", "usd"),
            )
        },
    )
    total = page.locator("#OrderDetails-TotalAmount")

    page.locator("#promotionCode").fill("WRONG")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".PromotionCodeEntry .FieldError")).to_have_text("This code is invalid.")
    page.locator("#promotionCode").fill("s")
    page.get_by_role("button", name="Apply").click()
    expect(total).to_have_text("$16.20")
    page.get_by_label("Courier").check()
    expect(total).to_have_text("$28.20")
    page.get_by_label("Quantity of Tea").fill("3")
    page.get_by_label("Quantity of Tea").press("Tab")
    expect(total).to_have_text("$36.30")
    for field, value in (("Name", "Ada"), ("AddressLine1", "Weg 1"), ("Locality", "Bonn"), ("PostalCode", "53111")):
        page.locator(f"#shipping{field}").fill(value)
    type_card(page)
    submit(page)

    page.wait_for_url("**/?paid=cs_test_*")
    paid = sandbox_server.get(f"/v1/checkout/sessions/{session['id']}?expand[]=payment_intent")
    assert paid["payment_intent"]["amount_received"] == 3630
    assert paid["payment_intent"]["shipping"]["address"]["country"] == "DE"


def test_customers_say_how_much_they_want_to_pay(start: Start, page: Page, sandbox_server: SandboxServer) -> None:
    asked = {"custom_unit_amount[enabled]": "true", "product_data[name]": "Donation", "currency": "usd"}
    gift = sandbox_server.post("/v1/prices", **asked)["id"]
    start(customer_email="ada@example.com", **{f"{LINE}[price]": gift, f"{LINE}[quantity]": "1"})

    type_card(page)
    submit(page)
    expect(page.locator("#customUnitAmount-error")).to_have_text("Amount must be at least $0.50.")
    page.get_by_text("Change amount").click()
    page.keyboard.type("12.50")
    submit(page)

    page.wait_for_url("**/?paid=cs_test_*")
    paid = sandbox_server.get("/v1/checkout/sessions?limit=1")["data"][0]
    assert (paid["amount_total"], paid["payment_status"]) == (1250, "paid")


def test_nothing_to_pay_asks_for_no_card(start: Start, page: Page, sandbox_server: SandboxServer) -> None:
    coupon = sandbox_server.post("/v1/coupons", percent_off="100")["id"]
    start(customer_email="ada@example.com", **{"discounts[0][coupon]": coupon})

    expect(page.locator("#cardNumber")).to_be_hidden()
    page.get_by_role("button", name="Complete order").click()

    page.wait_for_url("**/?paid=cs_test_*")


def test_a_keyboard_is_enough_and_what_is_missing_is_named(start: Start, page: Page) -> None:
    start()
    page.locator("#email").press("Enter")
    expect(page.locator("#email")).to_be_focused()
    expect(page.locator("#email")).to_have_accessible_description("Required")
    expect(page.locator("#cardNumber")).to_have_accessible_description("Your card number is incomplete.")
    for text, goes_on in (
        ("ada@example.com", False),
        ("4242424242424242", True),
        ("1234", True),
        ("123", False),
        ("Ada", False),
        ("", False),
        ("62701", True),
    ):
        page.keyboard.type(text)
        if not goes_on:
            page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    page.wait_for_url("**/?paid=cs_test_*")


def test_a_session_that_expired_meanwhile_takes_no_money(
    start: Start, page: Page, sandbox_server: SandboxServer
) -> None:
    session = start(customer_email="ada@example.com")
    type_card(page)
    connect(sandbox_server.app, "sk_test_elements").v1.checkout.sessions.expire(session["id"])

    submit(page)

    expect(page.get_by_text("or this checkout session has timed out")).to_be_visible()
    assert sandbox_server.get(f"/v1/checkout/sessions/{session['id']}")["payment_intent"] is None


def test_a_card_is_saved_without_paying(start: Start, page: Page, sandbox_server: SandboxServer) -> None:
    session = start(mode="setup", currency="usd", customer_creation="always")

    page.locator("#email").fill("ada@example.com")
    type_card(page)
    page.get_by_role("button", name="Save card").click()

    page.wait_for_url("**/?paid=cs_test_*")
    done = sandbox_server.get(f"/v1/checkout/sessions/{session['id']}?expand[]=setup_intent")
    assert (done["setup_intent"]["status"], done["customer"][:4]) == ("succeeded", "cus_")


def test_the_way_back_and_a_broken_connection_leave_everything_as_it_was(start: Start, page: Page) -> None:
    session = start(customer_email="ada@example.com")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    type_card(page)
    page.route("**/pay", lambda route: route.abort())

    submit(page)
    expect(page.locator("#card-error")).to_contain_text("issues connecting to our payments provider")
    page.get_by_role("link", name="Back to").click()
    page.wait_for_url("**/?back")
    page.goto(session["url"])

    expect(page.get_by_test_id("hosted-payment-submit-button")).to_be_visible()
