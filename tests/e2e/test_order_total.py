"""The total at the checkout follows what is chosen, with a script and without one."""

import time

from playwright.sync_api import Page, Route, expect

from tests.e2e import shop
from tests.e2e.conftest import NewBrowser


def summary(page: Page) -> str:
    return page.locator("#summary").inner_text()


def test_the_total_follows_country_and_method_in_place(page: Page) -> None:
    shop.buy_now(page)
    shop.fill_in_details(page, Country="Canada", Postal_code="K1A 0B1")
    expect(page.get_by_role("radio", name="Standard")).to_be_checked()
    expect(page.get_by_text("6 to 10 working days, free from $200.00")).to_be_visible()

    page.get_by_role("radio", name="Express").check()
    expect(page.locator("#summary")).to_contain_text("Express, 3 working days")
    expect(page.get_by_role("button", name="Update the total")).to_be_hidden()
    expect(page.get_by_role("radio", name="Express")).to_be_focused()
    expect(page.get_by_label("Postal code")).to_have_value("K1A 0B1")
    total = summary(page).split("Total")[1].split()[0]

    shop.continue_to_payment(page)
    expect(page.get_by_role("button", name=f"Pay {total}")).to_be_visible()


def test_without_a_script_a_button_updates_the_total(new_browser: NewBrowser) -> None:
    page = new_browser(java_script_enabled=False).new_page()
    shop.buy_now(page)
    shop.fill_in_details(page, Country="Japan", Postal_code="100-0001")

    page.get_by_role("button", name="Update the total").click()

    expect(page.locator("#summary")).to_contain_text("Standard, 10 to 20 working days")
    expect(page.get_by_label("Postal code").first).to_have_value("100-0001")
    page.get_by_role("radio", name="Express").check()
    page.get_by_role("button", name="Update the total").click()
    expect(page.locator("#summary")).to_contain_text("Express, 4 to 6 working days")


def test_a_discount_code_takes_its_part_off_in_place_or_says_why_not(page: Page) -> None:
    """The script may come after somebody has typed."""
    scripts: list[Route] = []
    page.route("**/js/pages/checkout.*.js", lambda route: scripts.append(route))  # noqa: PLW0108
    shop.buy_now(page, "Enamel pot")
    shop.fill_in_details(page)
    code = page.get_by_label("Discount code (optional)")

    code.fill("nosuchcode")
    code.press("Tab")
    first(page, scripts).continue_()
    expect(code).to_have_accessible_description(
        "Error: We do not know this code. Check its spelling, or leave this empty."
    )
    code.fill("five")
    code.press("Tab")
    expect(page.locator("#summary")).to_contain_text("Discount, FIVE")
    expect(page.locator("#summary")).to_contain_text("$93.00")

    shop.continue_to_payment(page)
    expect(page.get_by_role("button", name="Pay $93.00")).to_be_visible()


def test_an_order_that_costs_nothing_is_confirmed_without_a_card(page: Page) -> None:
    shop.buy_now(page)
    shop.fill_in_details(page)
    page.get_by_label("Discount code (optional)").fill("onthehouse")
    page.get_by_label("Discount code (optional)").press("Tab")
    expect(page.locator("#summary")).to_contain_text("$0.00")

    page.get_by_role("button", name="Continue to payment").click()

    expect(page.get_by_role("heading", level=1, name="Your order is confirmed")).to_be_visible()
    expect(page.get_by_text("There was nothing to pay.", exact=False).first).to_be_visible()
    expect(shop.timeline(page, "There was nothing to pay")).to_be_visible()


def test_an_ebook_is_ordered_without_an_address(page: Page) -> None:
    shop.buy_now(page, "Plain Bread")
    expect(page.get_by_label("Address line 1")).to_have_count(0)
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Full name").fill("Ada Lovelace")

    reference = shop.continue_to_payment(page)
    shop.type_card(page)
    shop.pay(page)

    shop.see_paid(page, reference)
    expect(page.get_by_text("what you ordered follows by e-mail")).to_be_visible()


def test_who_goes_on_before_the_total_is_there_is_not_asked_twice(page: Page) -> None:
    """The last field is left by pressing the button, so that the total is asked for at that moment."""
    shop.buy_now(page)
    asked = hold_totals(page, "K1A")
    shop.fill_in_details(page, Country="Canada", City="Ottawa", Postal_code="K1A 0B1")

    page.get_by_role("button", name="Continue to payment").hover()
    page.mouse.down()
    with page.expect_response("**/checkout/total") as answer:
        first(page, asked).continue_()
    answer.value.finished()
    page.evaluate(TWO_FRAMES)
    page.mouse.up()

    expect(page.get_by_role("heading", name="Payment")).to_be_visible()
    expect(page.get_by_role("button", name="Pay $28.00")).to_have_count(0)


def test_a_total_that_does_not_come_stops_no_order(page: Page) -> None:
    """The button that asks for it again appears above the one that is pressed, and must not move it."""
    shop.buy_now(page)
    asked = hold_totals(page, "12207")
    shop.fill_in_details(page, City="Albany", Postal_code="12207")

    page.get_by_role("button", name="Continue to payment").hover()
    page.mouse.down()
    with page.expect_event("requestfailed"):
        first(page, asked).abort()
    page.evaluate(TWO_FRAMES)
    page.mouse.up()

    expect(page.get_by_role("button", name="Pay $28.00")).to_be_visible()


def test_what_is_typed_while_the_total_is_asked_for_stays(page: Page) -> None:
    shop.buy_now(page, "Enamel pot")
    asked = hold_totals(page, "10001")
    shop.fill_in_details(page)
    page.get_by_label("Discount code (optional)").focus()
    page.keyboard.type("fi")

    with page.expect_response("**/checkout/total") as answer:
        first(page, asked).continue_()
    answer.value.finished()
    page.evaluate(TWO_FRAMES)
    page.keyboard.type("ve")
    page.keyboard.press("Tab")

    expect(page.locator("#summary")).to_contain_text("Discount, FIVE")


TWO_FRAMES = "() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))"


def hold_totals(page: Page, postal_code: str) -> list[Route]:
    """The first question for a total that names this postal code, once it comes. It waits for an answer."""
    asked: list[Route] = []

    def hold(route: Route) -> None:
        if not asked and postal_code in (route.request.post_data or ""):
            asked.append(route)
        else:
            route.continue_()

    page.route("**/checkout/total", hold)
    return asked


def first(page: Page, asked: list[Route]) -> Route:
    deadline = time.monotonic() + 10
    while not asked:
        assert time.monotonic() < deadline, "nothing was asked for"
        page.wait_for_timeout(10)
    return asked[0]
