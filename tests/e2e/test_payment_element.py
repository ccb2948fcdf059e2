"""Paying with the Payment Element, which a setting puts in the card field's place: same page, states and words."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.e2e import shop
from tests.e2e.conftest import NewBrowser, Stack
from tests.support.processes import SandboxProcess
from tests.support.shop import FORM
from tools.programs import Program, free_port


@pytest.fixture(scope="module")
def store_with_payment_element(stack: Stack) -> Iterator[Program]:
    beside = stack.store.beside(free_port(), PAYMENT_FORM="payment_element")
    beside.start()
    yield beside
    beside.kill()


@pytest.fixture
def page(new_browser: NewBrowser, store_with_payment_element: Program) -> Page:
    """High enough for the whole form: a click right after scrolling can end in the frame that stood there before."""
    size = {"width": 1280, "height": 1100}
    return new_browser(base_url=store_with_payment_element.url, viewport=size).new_page()


def form(page: Page) -> FrameLocator:
    return page.get_by_role("group", name="Card").frame_locator("iframe[title='Secure payment input frame']")


def type_card(page: Page, number: str) -> None:
    """Key by key, from one field to the next."""
    form(page).get_by_label("Card number").fill("")
    form(page).get_by_label("Card number").click()
    page.keyboard.type(f"{number}1234123")


def test_the_payment_element_declines_asks_and_pays_in_the_shops_words(page: Page, sandbox: SandboxProcess) -> None:
    reference = shop.go_to_payment(page)
    expect(shop.pay_button(page)).to_be_enabled()
    expect(form(page).get_by_label("Country")).to_have_count(0)  # given at the checkout

    shop.pay(page)
    expect(form(page).get_by_text("Your card number is incomplete.")).to_be_visible()
    expect(form(page).get_by_label("Card number")).to_be_focused()
    expect(page.get_by_role("group", name="Card")).to_have_accessible_description("Your card number is incomplete.")
    assert shop.status(page, reference)["payment"] == "open"

    type_card(page, "4000000000009995")
    shop.pay(page)
    expect(shop.message(page)).to_contain_text(
        "Your card has insufficient funds for this payment. Nothing was charged."
    )
    expect(shop.message(page)).to_be_focused()
    expect(form(page).get_by_label("Card number")).to_have_value("")

    type_card(page, shop.ALWAYS_ASKS_FOR_3DS)
    shop.pay(page)
    expect(page.get_by_text("Your bank wants to make sure that it is you.")).to_be_visible()
    shop.answer_bank(page, "Fail")
    expect(shop.message(page)).to_contain_text("Your bank could not confirm that it was you. Nothing was charged.")
    type_card(page, shop.ASKS_FOR_3DS)
    form(page).get_by_label("Security code").press("Enter")
    shop.answer_bank(page, "Complete")

    shop.see_paid(page, reference)
    (intent,) = sandbox.payments_of(reference)
    assert [charge.status for charge in sandbox.charges_of(reference)] == ["succeeded", "failed"]
    charge = sandbox.charges_of(reference)[0]
    assert (intent.amount_received, charge.billing_details.name) == (2800, FORM["full_name"])
    assert charge.billing_details.address is not None
    assert charge.billing_details.address.postal_code == FORM["postal_code"]
