"""What a shopper does in the shop. Elements are found as people find them: by role and label."""

import re
import time
from typing import Any

from playwright.sync_api import FrameLocator, Locator, Page, Response, expect

from tests.support.shop import FORM

PAYS = "4242424242424242"
ANOTHER_THAT_PAYS = "5555555555554444"
DECLINED = "4000000000000002"
ASKS_FOR_3DS = "4000002500003155"
ALWAYS_ASKS_FOR_3DS = "4000002760003184"

MUG = "Stoneware mug"
MUG_PRICE = "$28.00"

DETAILS = {
    "Email": "ada@example.com",
    "Full name": "Ada Lovelace",
    "Country": "United States",
    "Address line 1": "12 Analytical Street",
    "City": "New York",
    "Postal code": "10001",
}


def open_product(page: Page, name: str) -> None:
    """The product's own page, as from a bookmark."""
    page.goto(product_path(name))
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def product_path(name: str) -> str:
    return f"/products/{name.lower().replace(' ', '-')}"


def put_in_cart(page: Page, name: str = MUG, quantity: int = 1) -> None:
    """Ends on the cart."""
    open_product(page, name)
    page.get_by_label("Quantity").fill(str(quantity))
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("status").filter(has_text="is in your cart")).to_be_visible()


def buy_now(page: Page, name: str = MUG) -> None:
    """Ends on the checkout."""
    open_product(page, name)
    page.get_by_role("button", name="Buy now").click()
    expect(page.get_by_role("heading", level=1, name="Checkout")).to_be_visible()


def fill_in_details(page: Page, **changes: str) -> None:
    """Fill in the checkout; `changes` are by label, with _ for a blank."""
    for label, value in (DETAILS | {name.replace("_", " "): value for name, value in changes.items()}).items():
        field = page.get_by_label(label, exact=True)
        if label == "Country":
            field.select_option(label=value)
        else:
            field.fill(value)


def continue_to_payment(page: Page) -> str:
    """Place the order; returns its reference."""
    page.get_by_role("button", name="Continue to payment").click()
    page.wait_for_url(re.compile(r"/orders/[A-Z0-9-]+/pay$"), wait_until="domcontentloaded")
    return reference_on(page)


def walk_to_payment(page: Page, name: str = MUG) -> str:
    """From a product to the payment page of a new order for one piece; returns its reference."""
    buy_now(page, name)
    fill_in_details(page)
    return continue_to_payment(page)


def go_to_payment(page: Page, name: str = MUG) -> str:
    """The payment page of a new order for one piece, as from a bookmark; returns its reference. The order is placed
    with this browser's cookies, but without drawing the pages before, which take longer than most tests of this one.
    """
    product = page.request.get(product_path(name))
    token = {"csrf_token": re.findall(r'name="csrf_token"[^>]* value="([^"]+)"', product.text())[0]}
    slug = product_path(name).rpartition("/")[2]
    page.request.post("/cart/lines", form={"slug": slug, "quantity": "1", **token})
    placed = page.request.post("/checkout", form={**FORM, **token}, max_redirects=0)
    page.goto(placed.headers["location"], wait_until="domcontentloaded")
    return reference_on(page)


def card_field(page: Page) -> FrameLocator:
    """Inside the card field: the inputs the payment service shows in a frame of its own origin."""
    return page.get_by_role("group", name="Card").frame_locator("iframe[name^=__privateStripeFrame]")


def type_card(page: Page, number: str = PAYS, expiry: str = "12 / 34", cvc: str = "123", postal: str = "10001") -> None:
    """A whole card, with its postal code where the field asks for one."""
    field = card_field(page)
    for name, value in (("cardnumber", number), ("exp-date", expiry), ("cvc", cvc)):
        field.locator(f"input[name={name}]").fill(value)
    if field.locator("input[name=postal]").count():
        field.locator("input[name=postal]").fill(postal)


def pay_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile(r"^Pay [^\d\s]?[\d.,]+"))


def pay(page: Page) -> None:
    pay_button(page).click()


def bank(page: Page) -> FrameLocator:
    """The bank's page during 3-D Secure, in a dialog over the payment page: a frame inside Stripe's."""
    return page.get_by_role("dialog").frame_locator("iframe").frame_locator("iframe[name=stripe-challenge-frame]")


def answer_bank(page: Page, answer: str) -> None:
    """`answer` is Complete or Fail."""
    bank(page).get_by_role("button", name=answer).click()


def message(page: Page) -> Locator:
    """What the payment page says about the last attempt."""
    return page.get_by_role("alert")


def see_paid(page: Page, reference: str) -> None:
    """The order's page says that the payment has been received."""
    expect(page.get_by_role("heading", level=1, name="Payment received")).to_be_visible(timeout=20_000)
    assert path_of(page) == f"/orders/{reference}"


def see_card_form(page: Page) -> None:
    expect(pay_button(page)).to_be_enabled()
    expect(card_field(page).locator("input[name=cardnumber]")).to_be_visible()


def see_paid_with(page: Page, card: str) -> None:
    """The order's page says which card paid. A separate event reports it, which may arrive after the page."""
    deadline = time.monotonic() + 10
    while not page.get_by_text(card).is_visible():
        assert time.monotonic() < deadline, f"the page does not say {card!r}"
        reload(page)


def timeline(page: Page, event: str) -> Locator:
    """The lines of an order's timeline that contain `event`."""
    return page.get_by_role("region", name="What happened").get_by_role("listitem").filter(has_text=event)


def status(page: Page, reference: str) -> dict[str, Any]:
    """An order's status.json, as this browser gets it."""
    answer = page.request.get(f"/orders/{reference}/status.json")
    assert answer.status == 200, answer.text()
    status: dict[str, Any] = answer.json()
    return status


def reload(page: Page) -> Response:
    """Raises when there is no answer, or one that is not a page."""
    response = page.reload()
    assert response is not None
    assert response.status == 200, response.status
    return response


def reference_on(page: Page) -> str:
    return path_of(page).split("/")[2]


def path_of(page: Page) -> str:
    """Without the host, and without a question mark and what follows."""
    return re.sub(r"^https?://[^/]+|\?.*$", "", page.url)
