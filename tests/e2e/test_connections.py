"""Connections that fail during a payment: the page says at once what it knows, and finds out the rest."""

import re
import time

from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.e2e import shop
from tests.e2e.conftest import Stack
from tests.support.processes import SandboxProcess, StoreProcess

# Stripe.js shows a testing assistant of its own unless a page says not to; the store has a drawer.
REMEMBER_OPTIONS = """
;{
    const made = window.Stripe;
    window.Stripe = Object.assign((key, options) => made(key, (window.optionsOfStripe = options)), made);
}"""
API = re.compile(r"/v1/payment_intents/")
SCRIPT = re.compile(r"/js/test_mode/payment\.\w+\.js")
REFUSALS = "**/static/refusals.*"


def test_an_offline_shopper_sends_nothing_and_sees_whether_it_is_paid(page: Page, sandbox: SandboxProcess) -> None:
    reference = shop.go_to_payment(page)
    shop.type_card(page)

    page.context.set_offline(True)
    shop.pay(page)
    expect(shop.message(page)).to_contain_text("You are offline. Nothing was sent and nothing was charged.")
    assert sandbox.charges_of(reference) == []

    page.context.set_offline(False)
    page.route("**/status.json", lambda route: route.abort())  # as if the connection were lost right after success
    shop.pay(page)
    expect(progress(page)).to_contain_text("Your payment went through. Do not pay again.")

    page.unroute("**/status.json")
    shop.see_paid(page, reference)
    assert [charge.status for charge in sandbox.charges_of(reference)] == ["succeeded"]


def test_a_browser_that_cannot_ask_the_payment_service_lets_the_shop_ask(page: Page, sandbox: SandboxProcess) -> None:
    reference = shop.go_to_payment(page)
    shop.type_card(page)
    page.route(API, lambda route: route.abort())

    shop.pay(page)

    expect(shop.message(page)).to_contain_text(
        "Your browser cannot reach the payment service, so we asked it: nothing was charged.", timeout=20_000
    )
    page.unroute(API)
    shop.pay(page)
    shop.see_paid(page, reference)
    assert [charge.status for charge in sandbox.charges_of(reference)] == ["succeeded"]


def test_a_shopper_whose_cookies_are_gone_still_lands_on_the_paid_order(page: Page) -> None:
    reference = shop.go_to_payment(page)
    shop.type_card(page)
    page.context.clear_cookies()

    shop.pay(page)

    shop.see_paid(page, reference)


def test_a_detail_that_the_payment_service_refuses_is_named(page: Page, stack: Stack) -> None:
    reference = shop.go_to_payment(page)
    stack.store.change("UPDATE orders SET email = 'ada@example' WHERE reference = ?", reference)
    shop.reload(page)
    expect(page.get_by_text("The confirmation goes to ada@example.")).to_be_visible()
    shop.type_card(page)

    page.route(REFUSALS, lambda route: route.abort())
    shop.pay(page)
    expect(shop.message(page)).to_contain_text("The payment service does not accept one of your details.")
    page.unroute(REFUSALS)
    shop.pay(page)

    expect(shop.message(page)).to_contain_text("The payment service does not accept your e-mail address.")
    shop.message(page).get_by_role("link", name="Change it").click()
    page.get_by_label("Email").fill("ada@example.org")
    assert shop.continue_to_payment(page) != reference


def test_a_script_that_does_not_arrive_leaves_a_message(page: Page) -> None:
    page.route(SCRIPT, lambda route: route.abort())
    reference = shop.go_to_payment(page)
    expect(page.get_by_text("Loading the card form…")).to_be_visible()

    waiting = "document.getAnimations().find(({ animationName }) => animationName === 'appear')"
    deadline = time.monotonic() + 10
    while not page.evaluate(f"Boolean({waiting})"):  # the style sheet may come after the text
        assert time.monotonic() < deadline
    page.evaluate(f"{waiting}.finish()")
    expect(page.get_by_text("The card form did not load.").first).to_be_visible()
    page.unroute(SCRIPT)
    page.get_by_role("link", name="Load the page again").click()

    shop.type_card(page)
    shop.pay(page)
    shop.see_paid(page, reference)


def test_a_part_of_the_script_that_fails_stops_no_other(browser: Browser, store: StoreProcess) -> None:
    """The card's style, the countdown and the watch for the bank's window fail; the card is paid with all the same."""
    own = browser.new_context(base_url=store.url, locale="en-US")  # of its own: these errors are meant
    page = own.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(error.message))
    page.add_init_script("window.matchMedia = window.setInterval = () => { throw new Error('broken') }")

    reference = shop.go_to_payment(page)
    shop.type_card(page)
    shop.pay(page)
    shop.see_paid(page, reference)

    own.close()
    assert errors == ["broken"] * 3


def test_a_card_form_that_fails_says_so_at_once(browser: Browser, store: StoreProcess) -> None:
    own = browser.new_context(base_url=store.url, locale="en-US")
    page = own.new_page()
    page.add_init_script("JSON.parse = () => { throw new Error('broken') }")

    shop.go_to_payment(page)

    expect(page.get_by_role("link", name="Load the page again")).to_be_visible()
    expect(page.get_by_text("Loading the card form…")).to_be_hidden()
    expect(page.get_by_text("29:5")).to_be_visible()  # the countdown goes on
    own.close()


def test_a_late_payment_script_works_and_the_result_is_announced(page: Page, sandbox: SandboxProcess) -> None:
    late: list[Route] = []

    def keep_waiting(route: Route) -> None:
        late.append(route)

    page.route(f"{sandbox.url}/endive/stripe.js*", keep_waiting)
    page.clock.install()
    shop.go_to_payment(page)
    expect(page.get_by_text("Loading the card form…")).to_be_visible()
    page.clock.fast_forward(16_000)
    expect(shop.message(page).filter(has_text="The card form did not load.")).to_be_visible()

    script = late[0].fetch()
    late[0].fulfill(response=script, body=script.text() + REMEMBER_OPTIONS)

    shop.see_card_form(page)
    assert page.evaluate("optionsOfStripe.developerTools.assistant.enabled") is False
    expect(page.get_by_text("Two minutes left to pay.")).to_have_count(0)
    page.clock.fast_forward("28:00")
    expect(page.get_by_role("status").filter(has_text="Two minutes left to pay.")).to_be_visible()


def progress(page: Page) -> Locator:
    return page.get_by_role("region", name="Your card").get_by_role("status")
