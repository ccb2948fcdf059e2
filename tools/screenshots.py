"""Takes a picture of every page and state of a running store: 390 and 1280 pixels wide, light and dark.

    python -m tools.screenshots pictures --store http://127.0.0.1:8000

The store must use the sandbox, since orders are placed and paid. Pictures go to `<folder>/<width>-<light|dark>/`.
"""

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin

from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Route, expect

from config import Settings
from tools.headless import launched

WIDTHS = {390: 844, 1280: 900}  # and the height of the window
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

PAYS, DECLINED, ASKS_FOR_3DS = "4242424242424242", "4000000000000002", "4000002500003155"
DETAILS = {
    "Email": "ada@example.com",
    "Full name": "Ada Lovelace",
    "Address line 1": "12 Analytical Street",
    "City": "New York",
    "Postal code": "10001",
}

PICTURES_ARE_THERE = """() => Promise.all([...document.images].map((image) => {
    image.loading = "eager";
    return image.decode().catch(() => {});
}))"""


@dataclass
class Album:
    """Where the pictures of one width and scheme go, numbered as they are taken."""

    folder: Path
    taken: list[str] = field(default_factory=list)

    def add(self, page: Page, name: str, *, whole: bool = True) -> None:
        """`whole` takes the page to its end, else only what is in the window (a dialog, for example)."""
        self.taken.append(name)
        page.wait_for_load_state()
        page.evaluate(PICTURES_ARE_THERE)
        page.screenshot(path=self.folder / f"{len(self.taken):02}-{name}.png", full_page=whole, animations="disabled")


Chapter = Callable[[BrowserContext, Album], None]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description="Pictures of every page.")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--store", default="http://127.0.0.1:8000", help="the address of the running store")
    options = parser.parse_args()
    with launched() as browser:
        for (width, height), scheme in product(WIDTHS.items(), SCHEMES):
            album = Album(options.folder / f"{width}-{scheme}")
            album.folder.mkdir(parents=True, exist_ok=True)
            for chapter in CHAPTERS:
                context = _open(browser, options.store, width, height, scheme)
                chapter(context, album)
                context.close()
            print(f"{len(album.taken)} pictures in {album.folder}")


def shop_window(context: BrowserContext, album: Album) -> None:
    page = context.new_page()
    for name, path in {
        "home": "/",
        "product": "/products/stoneware-mug",
        "product-scarce": "/products/brass-pen",
        "product-sold-out": "/products/tape-dispenser",
        "cart-empty": "/cart",
        "orders-empty": "/orders",
        "not-found": "/products/nothing-of-this-name",
    }.items():
        page.goto(path)
        album.add(page, name)
    page.goto("/products/stoneware-mug")
    page.get_by_label("Quantity").fill("0")
    page.get_by_role("button", name="Add to cart").click()
    see_an_error(page)
    album.add(page, "product-wrong-quantity")


def cart_and_checkout(context: BrowserContext, album: Album) -> None:
    page = context.new_page()
    for slug in ("stoneware-mug", "wool-throw"):
        page.goto(f"/products/{slug}")
        page.get_by_role("button", name="Add to cart").click()
        page.wait_for_url("**/cart")
    album.add(page, "cart")
    page.get_by_label("Quantity").first.fill("100")
    page.get_by_role("button", name="Update the quantity").first.click()
    see_an_error(page)
    album.add(page, "cart-wrong-quantity")
    page.goto("/checkout")
    album.add(page, "checkout")
    page.get_by_label("Postal code").fill("ABC")
    page.get_by_role("button", name="Continue to payment").click()
    see_an_error(page)
    album.add(page, "checkout-errors")


def see_an_error(page: Page) -> None:
    """The page with the error is here: Chromium hangs where a picture is asked for while a page goes."""
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()


def paying(context: BrowserContext, album: Album) -> None:
    page = context.new_page()
    place_order(page)
    _card(page).locator("input[name=cardnumber]").wait_for()
    album.add(page, "pay")
    page.get_by_role("button", name="Test cards").click()
    page.get_by_role("dialog", name="Test cards").wait_for()
    album.add(page, "pay-test-cards", whole=False)
    page.get_by_role("button", name="Close").click()
    type_card(page, "4242424242424241")
    album.add(page, "pay-invalid-number")
    type_card(page, PAYS)
    album.add(page, "pay-card-typed")
    type_card(page, DECLINED)
    press_pay(page)
    expect(page.get_by_role("alert")).to_contain_text("declined")
    album.add(page, "pay-declined")
    page.reload()
    _card(page).locator("input[name=cardnumber]").wait_for()
    album.add(page, "pay-declined-reloaded")
    type_card(page, ASKS_FOR_3DS)
    press_pay(page)
    challenge = page.get_by_role("dialog").frame_locator("iframe").frame_locator("iframe")
    expect(challenge.get_by_role("button", name="Complete")).to_be_visible()
    album.add(page, "pay-3d-secure", whole=False)
    page.reload()
    _card(page).locator("input[name=cardnumber]").wait_for()
    album.add(page, "pay-3d-secure-not-finished")
    _pay_slowly(page, album)
    expect(page.get_by_role("heading", name="Payment received")).to_be_visible(timeout=20_000)
    album.add(page, "order-paid")
    page.goto("/orders")
    album.add(page, "orders")


def for_developers(context: BrowserContext, album: Album) -> None:
    """The test-card page with a result of each kind, and the sandbox's console while it has something to show."""
    page = context.new_page()
    page.goto("/test-cards")
    for row in ("success-4242424242424242", "success-4000056655665556"):
        page.locator(f"[id='{row}']").get_by_role("button", name="Run").click()
        expect(page.locator(f"[id='{row}']")).to_have_attribute("data-state", "passed", timeout=60_000)
    page.locator("[data-group=success]").evaluate("group => group.scrollIntoView()")
    album.add(page, "test_cards", whole=False)
    place_order(page)
    script = page.locator("[data-stripe-js-url]").get_attribute("data-stripe-js-url")
    type_card(page, ASKS_FOR_3DS)
    press_pay(page)
    bank = page.get_by_role("dialog").frame_locator("iframe").frame_locator("iframe")
    expect(bank.get_by_role("button", name="Complete")).to_be_visible()
    page.goto(urljoin(script or "", "/sandbox/"))
    page.get_by_label("only calls that begin").fill("POST /v1/refunds")
    page.get_by_role("button", name="Make them fail").click()
    expect(page.get_by_role("button", name="Take back")).to_be_visible()
    page.evaluate("scrollTo(0, 0)")
    album.add(page, "console", whole=False)
    page.get_by_role("button", name="Let everything work again").click()
    for listing in ("payments", "deliveries", "events"):
        page.locator(f"[data-list={listing}] .toggle").first.click()
    expect(page.locator("[data-list=deliveries] [aria-expanded=true]")).to_be_visible()
    expect(page.get_by_text("Stripe-Signature").first).to_be_visible()
    album.add(page, "console-opened")


def waiting_and_giving_up(context: BrowserContext, album: Album) -> None:
    page = context.new_page()
    reference = place_order(page)
    page.goto(f"/orders/{reference}?confirming=1")
    album.add(page, "order-confirming")
    page.goto(f"/orders/{reference}/pay")
    page.get_by_text("Cancel this order").click()
    album.add(page, "pay-cancel")
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.get_by_role("heading", level=1, name="Order cancelled")).to_be_visible()
    album.add(page, "order-cancelled")


def trouble(context: BrowserContext, album: Album) -> None:
    page = context.new_page()
    page.route("**/stripe.js*", lambda route: route.abort())
    reference = place_order(page)
    page.get_by_role("button", name="Retry").wait_for()
    album.add(page, "pay-script-blocked")
    page.unroute_all()
    page.goto(f"/orders/{reference}/pay?because=not-paid")
    type_card(page, PAYS)
    album.add(page, "pay-not-paid")
    context.set_offline(True)
    press_pay(page)
    album.add(page, "pay-offline")
    context.set_offline(False)
    page.route("**/v1/payment_intents/**", lambda route: route.abort())
    press_pay(page)
    page.get_by_text("We lost the connection").wait_for()
    album.add(page, "pay-checking")
    page.get_by_text("so we asked it").wait_for()
    album.add(page, "pay-nothing-charged")
    page.route("**/js/*/payment.*.js", lambda route: route.abort())
    page.reload()
    page.get_by_role("link", name="Load the page again").wait_for()
    album.add(page, "pay-script-missing")
    page.goto("/orders/AAAA-BBBB-CCCC-DDDD")
    album.add(page, "order-not-found")


def merchant(context: BrowserContext, album: Album) -> None:
    """The merchant's pages, as the account sees them that `make run` has made."""
    page = context.new_page()
    page.goto("/admin")
    album.add(page, "admin-sign-in")
    page.get_by_label("E-mail").fill("owner@localhost")
    page.get_by_label("Password").fill(Settings.load().local_staff_password.get_secret_value())
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("heading", level=1, name="Today").wait_for()
    album.add(page, "admin-today")
    for name in ("orders", "products", "charges", "charges/taxes", "coupons", "money", "webhooks", "staff", "account"):
        page.goto(f"/admin/{name}")
        album.add(page, f"admin-{name.replace('/', '-')}")
    for name, path in {"order": "/admin/orders", "product": "/admin/products", "coupon": "/admin/coupons"}.items():
        page.goto(path)
        page.get_by_role("table").get_by_role("link").first.click()
        page.get_by_role("link", name=re.compile("^All ")).wait_for()
        album.add(page, f"admin-{name}")


CHAPTERS: tuple[Chapter, ...] = (
    shop_window,
    cart_and_checkout,
    paying,
    for_developers,
    waiting_and_giving_up,
    trouble,
    merchant,
)


def _open(browser: Browser, store: str, width: int, height: int, scheme: Literal["light", "dark"]) -> BrowserContext:
    context = browser.new_context(
        base_url=store,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        locale="en-US",
        reduced_motion="reduce",
    )
    context.set_default_timeout(20_000)
    return context


def place_order(page: Page) -> str:
    """Ends on the payment page; returns the order's reference."""
    page.goto("/products/stoneware-mug")
    page.get_by_role("button", name="Buy now").click()
    for label, value in DETAILS.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Continue to payment").click()
    page.wait_for_url(re.compile("/pay$"))
    return page.url.split("/")[-2]


def _card(page: Page) -> FrameLocator:
    return page.get_by_role("group", name="Card").frame_locator("iframe[name^=__privateStripeFrame]")


def type_card(page: Page, number: str) -> None:
    for name, value in {"cardnumber": number, "exp-date": "1234", "cvc": "123"}.items():
        _card(page).locator(f"input[name={name}]").fill(value)
    if _card(page).locator("input[name=postal]").count():
        _card(page).locator("input[name=postal]").fill("10001")


def press_pay(page: Page) -> None:
    page.get_by_role("button", name=re.compile(r"^Pay [^\d\s]?[\d.,]+")).click()


def _pay_slowly(page: Page, album: Album) -> None:
    """Pay, with a picture of the moment in which the bank is asked."""
    asked: list[Route] = []
    page.route("**/v1/payment_intents/*/confirm", lambda route: asked.append(route))  # noqa: PLW0108  # Playwright needs a Python function
    type_card(page, PAYS)
    press_pay(page)
    page.get_by_text("Asking your bank").wait_for()
    album.add(page, "pay-asking-the-bank")
    while not asked:
        page.wait_for_timeout(20)
    asked[0].continue_()


if __name__ == "__main__":
    main()
