"""The same order is paid on the payment service's own page, where the card form does not load or is not wanted."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e import shop
from tests.e2e.conftest import NewBrowser
from tests.support.processes import SandboxProcess

HOSTED = re.compile(r"/c/pay/cs_test_")


def way_there(page: Page) -> Locator:
    """The one button that is shown."""
    return page.get_by_role("button", name="Pay on Stripe’s page instead")


def type_card(page: Page, number: str) -> None:
    for field, value in (("cardNumber", number), ("cardExpiry", "12 / 34"), ("cardCvc", "123")):
        page.locator(f"#{field}").fill(value)
    page.locator("#billingName").fill("Ada Lovelace")
    page.locator("#billingPostalCode").fill("10001")
    page.get_by_test_id("hosted-payment-submit-button").click()


def test_where_the_card_form_is_blocked_an_order_is_paid_elsewhere(page: Page, sandbox: SandboxProcess) -> None:
    page.route(f"{sandbox.url}/endive/stripe.js*", lambda route: route.abort())
    reference = shop.go_to_payment(page)
    expect(shop.message(page).filter(has_text="The card form did not load.").get_by_role("button")).to_have_text(
        ["Pay on Stripe’s page instead", "Retry"]
    )
    expect(way_there(page)).to_have_count(1)

    way_there(page).click()
    page.wait_for_url(HOSTED)
    expect(page.get_by_test_id("product-summary-total-amount")).to_have_text(shop.MUG_PRICE)
    type_card(page, shop.DECLINED)
    expect(page.get_by_text("card was declined")).to_be_visible()
    type_card(page, shop.PAYS)

    shop.see_paid(page, reference)
    shop.see_paid_with(page, "Visa ···· 4242")
    expect(shop.timeline(page, "Your card was declined.")).to_have_count(1)
    expect(shop.timeline(page, "You chose to pay on our payment service’s own page.")).to_have_count(1)


def test_who_comes_back_pays_on_the_stores_own_page(page: Page, new_browser: NewBrowser) -> None:
    reference = shop.go_to_payment(page)
    shop.see_card_form(page)
    way_there(page).click()
    page.wait_for_url(HOSTED)
    page.go_back()
    shop.see_card_form(page)
    way_there(page).click()
    page.wait_for_url(HOSTED)
    hosted = page.url
    # Whose scripts are off gets there by the same form.
    scriptless = new_browser(java_script_enabled=False, storage_state=page.context.storage_state()).new_page()
    scriptless.goto(f"/orders/{reference}/pay")
    expect(way_there(scriptless)).to_have_count(1)
    way_there(scriptless).click()
    scriptless.wait_for_url(HOSTED)

    page.get_by_test_id("business-link").click()
    expect(page.get_by_text("This order is not paid yet.")).to_be_visible()
    shop.type_card(page)
    shop.pay(page)

    shop.see_paid(page, reference)
    scriptless.goto(hosted)
    expect(scriptless.locator("body")).to_contain_text("You’re all done here")
