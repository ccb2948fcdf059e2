"""Outages, as the shopper sees them: of the payment service, its script, or JavaScript."""

import re

from playwright.sync_api import Page, Route, expect

from tests.e2e import shop
from tests.e2e.conftest import NewBrowser
from tests.support.processes import SandboxProcess


def test_an_order_can_be_paid_after_the_payment_service_was_down(page: Page, sandbox: SandboxProcess) -> None:
    shop.buy_now(page)
    shop.fill_in_details(page)
    sandbox.stop()
    try:
        with page.expect_response(re.compile("/pay$")) as refused:
            page.get_by_role("button", name="Continue to payment").click()
        assert refused.value.status == 503
        assert int(refused.value.headers["retry-after"]) > 0
        expect(page.get_by_role("heading", level=1, name="We cannot take payments right now")).to_be_visible()
        expect(page.get_by_text("Nothing was charged.", exact=True)).to_be_visible()
        expect(page.get_by_text("Your order is kept.")).to_be_visible()
    finally:
        sandbox.start()

    page.get_by_role("link", name="Try again").click()
    reference = shop.reference_on(page)
    shop.type_card(page)
    shop.pay(page)
    shop.see_paid(page, reference)


def test_a_payment_service_that_goes_down_while_paying_charges_nothing(page: Page, sandbox: SandboxProcess) -> None:
    reference = shop.go_to_payment(page)
    shop.type_card(page)
    sandbox.stop()
    try:
        shop.pay(page)
        expect(page.get_by_role("region", name="Your card").get_by_role("status")).to_contain_text(
            "We lost the connection and do not know yet whether the payment went through. Please do not pay again"
        )
        expect(page.get_by_role("button", name="Pay $28.00")).to_be_disabled()
    finally:
        sandbox.start()

    expect(shop.message(page)).to_contain_text(
        "The payment service could not be reached. Nothing was charged.", timeout=20_000
    )
    shop.pay(page)
    shop.see_paid(page, reference)


def test_a_payment_whose_response_is_lost_is_not_made_again(page: Page, sandbox: SandboxProcess) -> None:
    reference = shop.go_to_payment(page)

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    page.route("**/v1/payment_intents/*/confirm", lose_the_answer)
    shop.type_card(page)
    shop.pay(page)

    shop.see_paid(page, reference)
    assert [charge.status for charge in sandbox.charges_of(reference)] == ["succeeded"]


def test_a_blocked_payment_script_is_said_and_can_be_retried(page: Page, sandbox: SandboxProcess) -> None:
    def block(route: Route) -> None:
        route.abort()

    script = f"{sandbox.url}/endive/stripe.js*"
    page.route(script, block)
    reference = shop.go_to_payment(page)

    expect(shop.message(page).filter(has_text="The card form did not load.")).to_contain_text(
        "Nothing was charged and your order is kept."
    )
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    assert shop.status(page, reference)["state"] == "awaiting_payment"

    page.unroute(script, block)
    page.get_by_role("button", name="Retry").click()
    shop.type_card(page)
    shop.pay(page)
    shop.see_paid(page, reference)


def test_without_javascript_everything_works_up_to_the_card(new_browser: NewBrowser) -> None:
    page = new_browser(java_script_enabled=False).new_page()

    reference = shop.go_to_payment(page)

    # By its visible text: Playwright's own search skips <noscript>.
    expect(page.get_by_role("region", name="Your card")).to_contain_text(
        "The card form needs JavaScript.", use_inner_text=True
    )
    expect(shop.pay_button(page)).to_have_count(0)
    assert shop.status(page, reference)["payment"] == "open"
    page.goto("/orders")
    expect(page.get_by_role("link", name=reference)).to_be_visible()


def test_without_javascript_the_status_page_looks_again_by_itself(new_browser: NewBrowser) -> None:
    """A shopper whose script stops working after paying still sees the order become paid."""
    browser = new_browser()
    page = browser.new_page()
    reference = shop.go_to_payment(page)
    browser.route("**/static/js/**", lambda route: route.abort())
    scriptless = new_browser(java_script_enabled=False, storage_state=browser.storage_state()).new_page()
    scriptless.goto(f"/orders/{reference}?confirming=1")
    expect(scriptless.get_by_role("heading", name="Confirming your payment")).to_be_visible()

    shop.type_card(page)
    shop.pay(page)

    shop.see_paid(scriptless, reference)


def test_the_shop_says_that_no_real_money_moves(page: Page) -> None:
    page.goto("/")

    banner = page.get_by_role("complementary", name="Test mode")
    expect(banner).to_contain_text("Test mode: no real money moves.")
    expect(banner).to_contain_text("4242")
