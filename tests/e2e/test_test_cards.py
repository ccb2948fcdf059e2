"""The drawer of test cards beside the card form, and the bench that tries each with a click."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import shop


def test_a_test_card_is_found_and_put_into_the_field(page: Page) -> None:
    reference = shop.go_to_payment(page)
    shop.see_card_form(page)
    page.get_by_role("button", name="Test cards").click()
    drawer = page.get_by_role("dialog", name="Test cards")
    drawer.get_by_label("Search").fill("mastercard prepaid")
    expect(drawer.get_by_role("listitem")).to_have_count(1)

    drawer.get_by_role("button", name="5105 1051 0510 5100").click()

    expect(drawer).to_be_hidden()
    expect(shop.card_field(page).locator("input[name=cardnumber]")).to_have_value("5105 1051 0510 5100")
    shop.pay(page)
    shop.see_paid(page, reference)


@pytest.mark.parametrize(
    "row",
    ["success-4242424242424242", "decline-4000000000009995", "3ds-4000002760003184-fail", "dispute-4000000000000259"],
)
def test_a_row_of_the_bench_runs_with_a_click(page: Page, row: str) -> None:
    page.goto("/bench")
    line = page.locator(f'[id="{row}"]')

    line.get_by_role("button", name="Run").click()

    expect(line).to_have_attribute("data-state", "passed", timeout=60_000)
    page.reload()
    expect(line).to_have_attribute("data-state", "passed")
