"""Scripts that fill in a card field as soon as its inputs are there, before the field and the page have met."""

import pytest
from playwright.sync_api import Route

from browser.conftest import SandboxServer, Shop

pytestmark = pytest.mark.browser

#: Keeps back what the frames say to the page until `letThrough` is called.
HOLD_MESSAGES = """
    if (window === top) {
        let held = [];
        addEventListener('message', (event) => {
            if (held) {
                event.stopImmediatePropagation();
                held.push(event);
            }
        });
        window.letThrough = () => {
            const messages = held;
            held = null;
            for (const {data, origin, source} of messages) {
                dispatchEvent(new MessageEvent('message', {data, origin, source}));
            }
        };
    }
"""


def test_what_is_filled_in_before_field_and_page_have_met_is_reported(
    shop: Shop, sandbox_server: SandboxServer
) -> None:
    shop.page.add_init_script(HOLD_MESSAGES)
    shop.open()
    shop.page.evaluate("() => { window.mounted = mount('card', {hidePostalCode: true}); }")

    shop.fill_card()
    assert shop.events("change") == []
    shop.page.evaluate("() => { letThrough(); return mounted; }")

    assert shop.completed()
    shop.pay(sandbox_server.payment_intent()["client_secret"])
    assert shop.outcome()["paymentIntent"]["status"] == "succeeded"


def test_what_is_filled_in_before_the_fields_script_has_run_counts(shop: Shop, sandbox_server: SandboxServer) -> None:
    held: list[Route] = []
    shop.page.route("**/sandbox/frames/field.js", lambda route: held.append(route))  # noqa: PLW0108  # Playwright needs a Python function
    shop.open()
    shop.page.evaluate("() => { window.mounted = mount('card', {hidePostalCode: true}); }")

    for name, value in (("cardnumber", "4242 4242 4242 4242"), ("exp-date", "12/34"), ("cvc", "123")):
        shop.input(name).fill(value)
    for route in held:
        route.continue_()
    shop.page.evaluate("() => mounted")

    assert shop.completed()
    shop.pay(sandbox_server.payment_intent()["client_secret"])
    assert shop.outcome()["paymentIntent"]["status"] == "succeeded"
