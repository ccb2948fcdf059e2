"""Elements with a Checkout Session, without a framework: `initCheckoutElementsSdk` and its actions."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from browser.conftest import SandboxServer, Shop

pytestmark = pytest.mark.browser

START = """async secret => {
    window.sdk = stripe.initCheckoutElementsSdk({clientSecret: secret, defaultValues: {email: 'ada@example.com'}});
    window.told = [];
    sdk.on('change', session => told.push(session));
    const {actions} = await sdk.loadActions();
    window.actions = actions;
    const mount = (element, place) => new Promise(resolve => { element.on('ready', resolve); element.mount(place); });
    await mount(sdk.createShippingAddressElement(), '#address');
    await mount(sdk.createPaymentElement({layout: 'accordion'}), '#payment');
    return actions.getSession();
}"""


@pytest.fixture
def session(sandbox_server: SandboxServer) -> dict[str, Any]:
    line = "line_items[0]"
    return sandbox_server.post(
        "/v1/checkout/sessions",
        **{
            "mode": "payment",
            "ui_mode": "elements",
            f"{line}[quantity]": "1",
            f"{line}[price_data][currency]": "usd",
            f"{line}[price_data][unit_amount]": "900",
            f"{line}[price_data][product_data][name]": "Tea",
            "shipping_address_collection[allowed_countries][]": "US",
        },
    )


def test_a_page_pays_a_session_with_elements(
    shop: Shop, sandbox_server: SandboxServer, session: dict[str, Any]
) -> None:
    shop.open()
    page = shop.page
    page.set_viewport_size({"width": 1280, "height": 1100})

    first = page.evaluate(START, session["client_secret"])
    assert (first["status"], first["email"], first["canConfirm"]) == ({"type": "open"}, "ada@example.com", False)
    wrong = page.evaluate("() => actions.validateElements()")["error"]
    assert wrong["code"] == "validation_error"
    assert [one["element"] for one in wrong["validation_errors"]] == ["shippingAddress", "payment"]
    assert shop.refusal("actions.confirm()") is not None  # nowhere to go to afterwards
    assert page.evaluate("() => actions.confirm({redirect: 'if_required'})")["error"]["code"] is None

    address = page.frame_locator("iframe[title='Secure address input frame']")
    filled = {"name": "Ada", "addressLine1": "1 Main St", "locality": "Springfield", "postalCode": "62701"}
    for name, text in filled.items():
        address.locator(f"#Field-{name}Input").fill(text)
    address.locator("#Field-administrativeAreaInput").select_option("IL")
    page.evaluate(
        "() => Stripe.sandbox.fill({number: '4242424242424242', expiry: '1234', cvc: '123', postal: '62701'})"
    )
    expect(page.frame_locator("#payment iframe").locator("#Field-postalCodeInput")).to_have_value("62701")
    page.wait_for_function("() => actions.getSession().canConfirm")
    assert page.evaluate("() => told.at(-1).shippingAddress") == {
        "name": "Ada",
        "address": {
            "line1": "1 Main St",
            "line2": None,
            "city": "Springfield",
            "state": "IL",
            "postal_code": "62701",
            "country": "US",
        },
    }
    page.evaluate(
        "() => { window.slow = actions.runServerUpdate(() => new Promise(done => { window.done = done; })); }"
    )
    assert page.evaluate("() => actions.getSession().canConfirm") is False
    line = sandbox_server.get(f"/v1/checkout/sessions/{session['id']}/line_items")["data"][0]["id"]
    changed = {"line_items[0][id]": line, "line_items[0][quantity]": "3"}
    sandbox_server.post(f"/v1/checkout/sessions/{session['id']}", **changed)
    updated = page.evaluate("async () => { done(); return slow; }")
    assert updated["session"]["total"]["total"]["amount"] == "$27.00"

    with page.expect_navigation() as navigation:
        page.evaluate(f"() => {{ actions.confirm({{returnUrl: '{shop.url}?session={{CHECKOUT_SESSION_ID}}'}}); }}")

    assert navigation.value.url == f"{shop.url}?session={session['id']}"
    done = sandbox_server.get(f"/v1/checkout/sessions/{session['id']}?expand[]=payment_intent")
    assert (done["status"], done["amount_total"]) == ("complete", 2700)
    assert done["payment_intent"]["shipping"]["address"]["city"] == "Springfield"
    assert shop.warnings == []


def test_a_session_that_cannot_be_loaded_says_so(shop: Shop) -> None:
    shop.open()

    for secret, words in (
        ("'nothing'", "the client secret of a Checkout Session"),
        ("Promise.reject(new Error('The server is down.'))", "The server is down."),
        ("'cs_test_none_secret_none'", "No such checkout.session"),
    ):
        loaded = shop.page.evaluate(f"() => stripe.initCheckoutElementsSdk({{clientSecret: {secret}}}).loadActions()")
        assert loaded["type"] == "error"
        assert re.search(words, loaded["error"]["message"])
