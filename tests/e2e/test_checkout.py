"""The checkout form: what is missing or wrong is said at the top and at the field, and nothing typed is lost."""

import re

from playwright.sync_api import Page, expect

from tests.e2e import shop


def test_an_empty_form_lists_what_is_missing_and_says_it_at_each_field(page: Page) -> None:
    shop.buy_now(page)

    page.get_by_role("button", name="Continue to payment").click()

    summary = page.get_by_role("alert", name="Please check these")
    for label, words in {
        "Email": "Enter your e-mail address.",
        "Full name": "Enter your full name.",
        "Address line 1": "Enter the street and the number, or a P.O. box.",
        "City": "Enter the city.",
        "Postal code": "Enter the ZIP code, such as 95014.",
    }.items():
        expect(summary.get_by_role("link", name=words)).to_be_visible()
        expect(page.get_by_label(label, exact=True)).to_have_accessible_description(f"Error: {words}")
    expect(page).to_have_title("Error: Checkout · Till")
    expect(summary).to_be_focused()


def test_a_link_in_the_summary_leads_to_its_field(page: Page) -> None:
    shop.buy_now(page)
    shop.fill_in_details(page, Email="not an address")
    page.get_by_role("button", name="Continue to payment").click()

    page.get_by_role("alert", name="Please check one thing").get_by_role("link").click()

    expect(page.get_by_label("Email")).to_be_focused()


def test_typed_values_are_kept_when_a_form_is_refused(page: Page) -> None:
    shop.buy_now(page)
    shop.fill_in_details(page, Email="not an address", Full_name="Zoë O’Neill-Łukasz", Country="Canada")

    page.get_by_role("button", name="Continue to payment").click()

    expect(page.get_by_label("Email")).to_have_value("not an address")
    expect(page.get_by_label("Email")).to_have_accessible_description(
        "Error: Enter an e-mail address like name@example.com."
    )
    expect(page.get_by_label("Full name")).to_have_value("Zoë O’Neill-Łukasz")
    expect(page.get_by_label("Country").locator("option:checked")).to_have_text("Canada")


def test_a_postal_code_of_another_country_is_refused_until_it_fits(page: Page) -> None:
    shop.buy_now(page)
    shop.fill_in_details(page, Country="United Kingdom", Postal_code="10001")

    page.get_by_role("button", name="Continue to payment").click()
    expect(page.get_by_label("Postal code")).to_have_accessible_description(
        "Error: Enter a postal code of the chosen country, such as EC1Y 8SY."
    )
    page.get_by_label("Postal code").fill("sw1a 1aa")

    assert shop.continue_to_payment(page)
    expect(page.get_by_role("complementary")).to_contain_text(["", "SW1A 1AA"])


def test_a_country_without_postal_codes_asks_for_none(page: Page) -> None:
    shop.buy_now(page)
    shop.fill_in_details(page, Country="Ireland", Postal_code="")

    assert shop.continue_to_payment(page)


def test_an_empty_cart_has_no_checkout(page: Page) -> None:
    page.goto("/checkout")

    expect(page.get_by_role("heading", name="Your cart is empty")).to_be_visible()


def test_the_next_checkout_remembers_the_address(page: Page) -> None:
    shop.walk_to_payment(page)

    shop.buy_now(page, "Cloth notebook")

    expect(page.get_by_label("Full name")).to_have_value("Ada Lovelace")
    expect(page.get_by_label("Postal code")).to_have_value("10001")


def test_a_gift_is_billed_to_the_payer(page: Page) -> None:
    shop.buy_now(page)
    shop.fill_in_details(page)
    expect(page.get_by_role("checkbox", name="Same as shipping")).to_be_checked()
    payer = page.get_by_role("group", name="Billing address")

    page.get_by_label("Same as shipping").uncheck()
    payer.get_by_label("Full name").fill("Grace Hopper")
    payer.get_by_label("Country").select_option(label="Canada")
    payer.get_by_label("Address line 1").fill("1 Compiler Court")
    page.get_by_role("button", name="Continue to payment").click()
    expect(payer.get_by_label("City")).to_have_accessible_description("Error: Enter the city.")
    expect(payer.get_by_label("Full name")).to_have_value("Grace Hopper")
    page.get_by_label("Same as shipping").check()
    expect(payer.get_by_label("City")).to_be_hidden()

    shop.continue_to_payment(page)


def test_an_email_with_a_likely_typo_is_questioned_and_enter_keeps_it(page: Page) -> None:
    shop.buy_now(page)
    shop.fill_in_details(page, Email="ada@gmail.con")

    page.get_by_role("button", name="Continue to payment").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("button", name="Use ada@gmail.com")).to_be_visible()
    page.get_by_label("City").press("Enter")

    page.wait_for_url(re.compile(r"/orders/[A-Z0-9-]+/pay$"))
