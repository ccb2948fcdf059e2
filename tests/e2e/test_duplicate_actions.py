"""Duplicate actions, such as two clicks, two tabs, back and again: one order, one charge."""

import re

from playwright.sync_api import Page, expect

from tests.e2e import shop
from tests.e2e.conftest import NewBrowser
from tests.support.processes import SandboxProcess, StoreProcess


def test_a_double_click_on_pay_charges_once(page: Page, sandbox: SandboxProcess) -> None:
    reference = shop.go_to_payment(page)
    shop.type_card(page)

    shop.pay_button(page).dblclick()

    shop.see_paid(page, reference)
    assert len(sandbox.charges_of(reference)) == 1


def test_pay_cannot_be_pressed_while_the_bank_is_asked(page: Page) -> None:
    shop.go_to_payment(page)
    shop.type_card(page, shop.ASKS_FOR_3DS)

    shop.pay(page)

    expect(shop.bank(page).get_by_role("button", name="Complete")).to_be_visible()
    expect(page.locator("button[type=submit]", has_text="Pay $28.00")).to_be_disabled()


def test_two_tabs_that_pay_the_same_order_make_one_payment(new_browser: NewBrowser, sandbox: SandboxProcess) -> None:
    browser = new_browser()
    first, second = browser.new_page(), browser.new_page()
    reference = shop.go_to_payment(first)
    second.goto(f"/orders/{reference}/pay")
    shop.type_card(first)
    shop.type_card(second, shop.ANOTHER_THAT_PAYS)

    shop.pay(first)
    shop.see_paid(first, reference)
    shop.pay(second)

    shop.see_paid(second, reference)
    assert [charge.status for charge in sandbox.charges_of(reference)] == ["succeeded"]


def test_two_tabs_that_pay_at_the_same_moment_make_one_payment(
    new_browser: NewBrowser, sandbox: SandboxProcess
) -> None:
    browser = new_browser()
    first, second = browser.new_page(), browser.new_page()
    reference = shop.go_to_payment(first)
    second.goto(f"/orders/{reference}/pay")
    shop.type_card(first)
    shop.type_card(second, shop.ANOTHER_THAT_PAYS)

    shop.pay_button(first).click(no_wait_after=True)
    shop.pay_button(second).click(no_wait_after=True)

    shop.see_paid(first, reference)
    shop.see_paid(second, reference)
    assert [charge.status for charge in sandbox.charges_of(reference)] == ["succeeded"]


def test_continue_to_payment_clicked_twice_places_one_order(page: Page, store: StoreProcess) -> None:
    shop.buy_now(page)
    shop.fill_in_details(page, Email="twice@example.com")

    page.get_by_role("button", name="Continue to payment").dblclick()

    page.wait_for_url(re.compile("/pay$"))
    assert open_orders(store, "twice@example.com") == [shop.reference_on(page)]


def test_two_tabs_at_the_checkout_place_one_order(new_browser: NewBrowser, store: StoreProcess) -> None:
    browser = new_browser()
    first, second = browser.new_page(), browser.new_page()
    shop.buy_now(first)
    second.goto("/checkout")
    for tab in (first, second):
        shop.fill_in_details(tab, Email="tabs@example.com")

    reference = shop.continue_to_payment(first)

    assert shop.continue_to_payment(second) == reference
    assert open_orders(store, "tabs@example.com") == [reference]


def test_going_back_and_continuing_again_keeps_the_order(
    page: Page, store: StoreProcess, sandbox: SandboxProcess
) -> None:
    shop.buy_now(page)
    shop.fill_in_details(page, Email="back@example.com")
    reference = shop.continue_to_payment(page)

    page.go_back()

    assert shop.continue_to_payment(page) == reference
    assert open_orders(store, "back@example.com") == [reference]
    assert len(sandbox.payments_of(reference)) == 1


def test_going_back_to_change_the_address_replaces_the_order(
    page: Page, store: StoreProcess, sandbox: SandboxProcess
) -> None:
    shop.buy_now(page)
    shop.fill_in_details(page, Email="moved@example.com")
    first = shop.continue_to_payment(page)

    page.get_by_role("link", name="Change the address").click()
    shop.fill_in_details(page, Email="moved@example.com", City="Albany", Postal_code="12207")
    second = shop.continue_to_payment(page)

    assert second != first
    assert open_orders(store, "moved@example.com") == [second]
    assert [intent.status for intent in sandbox.payments_of(first)] == ["canceled"]


def test_paying_an_order_that_was_replaced_in_another_tab_charges_nothing(
    new_browser: NewBrowser, sandbox: SandboxProcess
) -> None:
    browser = new_browser()
    left_open, page = browser.new_page(), browser.new_page()
    replaced = shop.go_to_payment(left_open)
    shop.type_card(left_open)
    shop.put_in_cart(page, "Cloth notebook")
    page.goto("/checkout")
    reference = shop.continue_to_payment(page)

    shop.pay(left_open)

    expect(left_open.get_by_role("heading", level=1, name="You changed this order")).to_be_visible()
    expect(left_open.get_by_text("Nothing was charged.", exact=True)).to_be_visible()
    expect(left_open.get_by_role("link", name="Go to your newer order")).to_have_attribute(
        "href", f"/orders/{reference}"
    )
    assert sandbox.charges_of(replaced) == []
    assert sandbox.payments_of(reference)[0].amount == 2800 + 1900


def test_the_back_button_after_paying_shows_the_paid_order(page: Page, sandbox: SandboxProcess) -> None:
    reference = shop.walk_to_payment(page)
    shop.type_card(page)
    shop.pay(page)
    shop.see_paid(page, reference)

    for _ in range(3):
        page.go_back()
        if shop.path_of(page).startswith("/orders/"):
            shop.see_paid(page, reference)
        else:
            expect(
                page.get_by_role("heading", level=1, name=re.compile("Your cart is empty|Stoneware mug"))
            ).to_be_visible()

    page.goto(f"/orders/{reference}/pay")
    shop.see_paid(page, reference)
    assert len(sandbox.charges_of(reference)) == 1


def test_every_page_can_be_reloaded(page: Page, sandbox: SandboxProcess) -> None:
    page.goto("/")
    shop.reload(page)
    shop.open_product(page, shop.MUG)
    shop.reload(page)
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("heading", name="Your cart")).to_be_visible()
    shop.reload(page)
    expect(page.get_by_label("Quantity")).to_have_value("1")
    page.get_by_role("link", name="Checkout").click()
    shop.reload(page)
    shop.fill_in_details(page)
    reference = shop.continue_to_payment(page)
    shop.reload(page)
    shop.see_card_form(page)
    shop.type_card(page)
    shop.pay(page)
    shop.see_paid(page, reference)
    shop.reload(page)
    shop.see_paid(page, reference)
    page.goto("/orders")
    shop.reload(page)
    expect(page.get_by_role("link", name=reference)).to_be_visible()
    assert len(sandbox.payments_of(reference)) == 1


def open_orders(store: StoreProcess, email: str) -> list[str]:
    rows = store.read("SELECT reference FROM orders WHERE email = ? AND state = 'awaiting_payment'", email)
    return [reference for (reference,) in rows]
