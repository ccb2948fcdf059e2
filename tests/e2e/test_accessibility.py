"""The whole purchase on a small screen, and with nothing but a keyboard."""

from playwright.sync_api import Page, expect

from tests.e2e import shop
from tests.e2e.conftest import NewBrowser
from tests.e2e.pages import SMALL, press_on, see_no_sideways_scrolling, see_nothing_cut_off, tab_to, type_into

TEXT_TWICE_AS_LARGE = """document.addEventListener("DOMContentLoaded", () => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(":root { font-size: 200% }");
    document.adoptedStyleSheets = [sheet];
})"""


def test_the_whole_purchase_fits_a_screen_390_pixels_wide(new_browser: NewBrowser) -> None:
    page = new_browser(**SMALL).new_page()

    page.goto("/")
    see_no_sideways_scrolling(page)
    shop.open_product(page, shop.MUG)
    see_no_sideways_scrolling(page)
    page.get_by_role("button", name="Add to cart").tap()
    expect(page.get_by_role("heading", name="Your cart")).to_be_visible()
    see_no_sideways_scrolling(page)
    page.get_by_role("link", name="Checkout").tap()
    page.get_by_role("button", name="Continue to payment").tap()
    expect(page.get_by_role("alert")).to_be_visible()
    see_no_sideways_scrolling(page)
    shop.fill_in_details(page)
    reference = shop.continue_to_payment(page)
    shop.type_card(page, shop.DECLINED)
    see_no_sideways_scrolling(page)
    shop.pay_button(page).tap()
    expect(shop.message(page)).to_contain_text("Nothing was charged.")
    see_no_sideways_scrolling(page)
    shop.type_card(page, shop.ASKS_FOR_3DS)
    shop.pay_button(page).tap()
    shop.bank(page).get_by_role("button", name="Complete").tap()
    shop.see_paid(page, reference)
    see_no_sideways_scrolling(page)
    page.goto("/orders")
    see_no_sideways_scrolling(page)


def test_text_twice_as_large_is_not_cut_off_on_a_small_screen(new_browser: NewBrowser) -> None:
    page = new_browser(**SMALL).new_page()
    page.add_init_script(TEXT_TWICE_AS_LARGE)

    for path in ("/", "/orders"):
        page.goto(path)
        see_nothing_cut_off(page)
    shop.put_in_cart(page)
    see_nothing_cut_off(page)
    page.goto("/checkout")
    page.get_by_role("button", name="Continue to payment").tap()
    expect(page.get_by_role("alert")).to_be_visible()
    see_nothing_cut_off(page)
    shop.fill_in_details(page, Email="a-rather-long-address.of-somebody@mail.department.example.com")
    reference = shop.continue_to_payment(page)
    shop.type_card(page, shop.DECLINED)
    shop.pay_button(page).tap()
    expect(shop.message(page)).to_contain_text("Nothing was charged.")
    see_nothing_cut_off(page)
    shop.type_card(page)
    shop.pay_button(page).tap()
    shop.see_paid(page, reference)
    see_nothing_cut_off(page)


def test_the_whole_purchase_works_with_the_keyboard_alone(page: Page) -> None:
    page.goto("/")
    press_on(page, "link", shop.MUG)
    press_on(page, "button", "Buy now")
    expect(page.get_by_role("heading", level=1, name="Checkout")).to_be_visible()
    type_into(page, "Email", "keys@example.com")
    type_into(page, "Full name", "Grace Hopper")
    type_into(page, "Address line 1", "1 Navy Yard")
    type_into(page, "City", "Arlington")
    type_into(page, "Postal code", "22202")
    press_on(page, "button", "Continue to payment")
    shop.see_card_form(page)
    reference = shop.reference_on(page)

    tab_to(page, shop.card_field(page).locator("input[name=cardnumber]"))
    page.keyboard.type("4000002500003155")
    page.keyboard.type("1234")
    page.keyboard.type("123")
    page.keyboard.press("Tab")
    expect(shop.pay_button(page)).to_be_focused()
    page.keyboard.press("Enter")
    complete = shop.bank(page).get_by_role("button", name="Complete")
    expect(complete).to_be_visible()
    for _ in range(6):
        if complete.evaluate("button => button === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(complete).to_be_focused()
    page.keyboard.press("Enter")

    shop.see_paid(page, reference)


def test_enter_in_the_card_field_pays(page: Page) -> None:
    reference = shop.go_to_payment(page)
    shop.type_card(page)

    shop.card_field(page).locator("input[name=cvc]").press("Enter")

    shop.see_paid(page, reference)


def test_the_first_tab_stop_skips_to_the_content(page: Page) -> None:
    page.goto("/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("main")).to_be_focused()
