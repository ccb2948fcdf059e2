"""A merchant's pages in a real browser, a journey for each role; every page on the way keeps nobody from using it."""

import re

from playwright.sync_api import Page, expect

from tests.e2e import shop
from tests.e2e.conftest import NewBrowser
from tests.e2e.pages import SMALL, press_on, see_a_good_page
from tests.e2e.staff import sign_in, work_as
from tests.support.processes import StoreProcess


def paid_order(page: Page, name: str) -> str:
    shop.buy_now(page)
    shop.fill_in_details(page, Full_name=name)
    reference = shop.continue_to_payment(page)
    shop.type_card(page)
    shop.pay(page)
    shop.see_paid(page, reference)
    return reference


def test_a_packer_ships_an_order_from_a_telephone(new_browser: NewBrowser, store: StoreProcess) -> None:
    reference = paid_order(new_browser().new_page(), "Pia Packed")
    page = new_browser(**SMALL).new_page()
    printed = store.flask("staff", "add", "packing@shop.example", "--role", "packing", "--generate")
    sign_in(page, "packing@shop.example", printed.split()[1])
    see_a_good_page(page, "Today")

    page.get_by_role("link", name="Packing slip", exact=False).filter(has_text=reference).click()
    expect(page.get_by_text("Pia Packed")).to_be_visible()
    see_a_good_page(page, "Packing slip")
    page.get_by_role("link", name="Back to the order").click()
    expect(page.get_by_text("Refund", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="Staff")).to_have_count(0)
    see_a_good_page(page, reference)
    page.get_by_role("link", name="invoice").first.tap()
    see_a_good_page(page, "Invoice")
    page.get_by_role("link", name="Today").tap()
    page.get_by_label(f"Tracking of {reference}").fill("1Z 999")
    page.get_by_role("button", name=f"Shipped {reference}").tap()

    expect(page.get_by_role("status")).to_contain_text("Shipped. The customer gets a mail.")
    expect(page.get_by_role("button", name=f"Shipped {reference}")).to_have_count(0)
    page.get_by_role("link", name="Account").tap()
    page.get_by_role("button", name="Sign out", exact=True).tap()
    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
    page.goto(f"/admin/orders/{reference}")
    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
    see_a_good_page(page, "Sign in")


def test_service_finds_an_order_and_refunds_a_part_of_it(new_browser: NewBrowser, store: StoreProcess) -> None:
    shopper = new_browser().new_page()
    reference = paid_order(shopper, "Rita Refunded")
    page = new_browser(permissions=["clipboard-read", "clipboard-write"]).new_page()
    work_as(page, store, "service")

    page.get_by_role("link", name="Orders").click()
    see_a_good_page(page, "Orders")
    page.get_by_label("Search").fill("refunded rita")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name=reference).click()
    see_a_good_page(page, reference)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    page.get_by_text("Refund by line").click()
    expect(page.get_by_label("Stoneware mug not sent, $28.00, of 1")).to_be_visible()
    see_a_good_page(page, reference)
    page.get_by_text("Refund by line").click()
    page.get_by_text("Refund an amount").click()
    page.get_by_label(re.compile("Amount in USD")).fill("5,50")
    page.get_by_role("button", name="Refund", exact=True).click()

    expect(page.get_by_role("status").first).to_contain_text("sent to the card")
    expect(page.get_by_text("Partly refunded")).to_be_visible()
    expect(shop.timeline(page, "A refund of $5.50 was asked for.")).to_contain_text("service@shop.example")
    link = page.evaluate("navigator.clipboard.readText()")
    assert f"/orders/{reference}/from-mail/" in link
    page.get_by_role("link", name="Webhooks").click()
    page.get_by_role("link", name="payment_intent.succeeded").first.click()
    see_a_good_page(page, "payment_intent.succeeded")
    page.get_by_role("button", name="Handle again").click()
    expect(page.get_by_role("status")).to_contain_text("nothing was done twice")
    shop.reload(shopper)
    expect(shopper.get_by_text("Part of your money is on its way back")).to_be_visible()
    shopper.get_by_role("link", name="Invoice", exact=True).click()
    see_a_good_page(shopper, "Invoice")


def test_an_owner_works_with_the_keyboard_alone(page: Page, store: StoreProcess) -> None:
    work_as(page, store, "owner")

    press_on(page, "link", "Products")
    press_on(page, "link", "Canvas apron")
    page.get_by_label("Price in USD").press("Control+a")
    page.keyboard.type("70.50")
    press_on(page, "button", "Save")
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    see_a_good_page(page, "Canvas apron")
    headings = {"Charges": "Shipping", "Coupons": "Coupons", "Money": "Money", "Programs": "Programs", "Staff": "Staff"}
    for part, heading in headings.items():
        press_on(page, "link", part)
        expect(page.get_by_role("link", name=part)).to_have_attribute("aria-current", "page")
        see_a_good_page(page, heading)
    expect(page.get_by_text("changed canvas-apron: price_minor")).to_be_visible()
    page.goto("/products/canvas-apron")
    expect(page.get_by_text("$70.50")).to_be_visible()
