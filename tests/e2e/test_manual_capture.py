"""A card that is charged when the order is shipped, from the shopper's payment to the merchant's shipment."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e import shop
from tests.e2e.conftest import NewBrowser, Stack
from tests.e2e.pages import SMALL, see_a_good_page
from tests.e2e.staff import work_as
from tests.e2e.test_payment_element import type_card
from tools.programs import Program, free_port


@pytest.fixture
def store_that_charges_later(stack: Stack) -> Iterator[Program]:
    beside = stack.store.beside(free_port(), CAPTURE="on_shipping", PAYMENT_FORM="payment_element")
    beside.start()
    yield beside
    beside.kill()


def test_a_card_is_authorised_then_charged_when_the_order_is_shipped(
    new_browser: NewBrowser, stack: Stack, store_that_charges_later: Program
) -> None:
    size = {"width": 1280, "height": 1100}
    shopper = new_browser(base_url=store_that_charges_later.url, viewport=size).new_page()
    reference = shop.go_to_payment(shopper)
    expect(shopper.get_by_text("Nothing is charged now.")).to_be_visible()
    type_card(shopper, shop.PAYS)
    shop.pay(shopper)
    expect(shopper.get_by_role("heading", level=1, name="Your order is confirmed")).to_be_visible()
    expect(shopper.get_by_text("Nothing is charged yet:")).to_be_visible()
    assert shop.status(shopper, reference)["payment"] == "authorised"

    merchant = new_browser(**SMALL).new_page()
    work_as(merchant, stack.store, "service", name="charger")
    see_a_good_page(merchant, "Today")
    merchant.get_by_role("link", name=reference, exact=True).first.tap()
    see_a_good_page(merchant, reference)
    merchant.get_by_label("Charge in USD").fill("10.00")
    merchant.get_by_role("button", name="Mark as shipped").tap()
    expect(merchant.get_by_text("Shipped. The customer gets a mail.")).to_be_visible()

    shop.reload(shopper)
    expect(shopper.get_by_role("heading", level=1, name="Your order is on its way")).to_be_visible()
    expect(shopper.get_by_text("You paid $10.00")).to_be_visible()
