"""A Checkout Session that is paid on a page of the shop's own: what Stripe.js asks for and is answered."""

from typing import Any

import pytest
import stripe
from flask.testing import FlaskClient

from harness.checkout import TEA, Open, opener

CARD = {
    "payment_method_data[type]": "card",
    "payment_method_data[card][number]": "4242424242424242",
    "payment_method_data[card][exp_month]": "12",
    "payment_method_data[card][exp_year]": "34",
    "payment_method_data[card][cvc]": "123",
}


@pytest.fixture
def start(client: stripe.StripeClient) -> Open:
    open_session = opener(client)

    def start(**params: Any) -> stripe.checkout.Session:
        adjustable = {**TEA, "adjustable_quantity": {"enabled": True}}
        return open_session(**{"ui_mode": "elements", "success_url": None, "line_items": [adjustable], **params})

    return start


class Page:
    """Stripe.js in the shop's page."""

    def __init__(self, browser: FlaskClient, session: stripe.checkout.Session) -> None:
        self.browser = browser
        self.path = f"/v1/payment_pages/{session.id}"
        self.secret = {"client_secret": str(session.client_secret)}

    def look(self) -> dict[str, Any]:
        return self._body(self.browser.get(self.path, query_string=self.secret))

    def change(self, **params: Any) -> dict[str, Any]:
        return self._body(self.browser.post(self.path, data={**params, **self.secret}))

    def confirm(self, **params: Any) -> dict[str, Any]:
        return self._body(self.browser.post(f"{self.path}/confirm", data={**CARD, **params, **self.secret}))

    @staticmethod
    def _body(answer: Any) -> dict[str, Any]:
        body: dict[str, Any] = answer.get_json()
        return body


def test_the_page_shows_what_is_bought_and_changes_it(
    start: Open, browser: FlaskClient, client: stripe.StripeClient
) -> None:
    rate = client.v1.tax_rates.create({"display_name": "VAT", "inclusive": True, "percentage": 20})
    coupon = client.v1.coupons.create({"percent_off": 50, "name": "Half"})
    client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "HALF"})
    post: Any = {"display_name": "Post", "fixed_amount": {"amount": 500, "currency": "usd"}}
    boat: Any = {"display_name": "Boat", "fixed_amount": {"amount": 100, "currency": "usd"}}
    line = {**TEA, "adjustable_quantity": {"enabled": True}, "tax_rates": [rate.id]}
    session = start(
        line_items=[line],
        allow_promotion_codes=True,
        shipping_options=[{"shipping_rate_data": post}, {"shipping_rate_data": boat}],
    )
    page = Page(browser, session)

    shown = page.look()["session"]
    assert (shown["status"], shown["minorUnitsAmountDivisor"]) == ({"type": "open"}, 100)
    assert shown["total"]["total"] == {"amount": "$23.00", "minorUnitsAmount": 2300}
    assert shown["total"]["taxInclusive"]["minorUnitsAmount"] == 300
    assert [option["displayName"] for option in shown["shippingOptions"]] == ["Post", "Boat"]
    (item,) = shown["lineItems"]
    assert (item["name"], item["quantity"], item["unitAmount"]["amount"]) == ("Tea", 2, "$9.00")
    page.change(line_item=item["id"], quantity=3)
    page.change(shipping_rate=shown["shippingOptions"][1]["id"])
    shown = page.change(promotion_code="half")["session"]
    assert shown["total"]["total"]["minorUnitsAmount"] == 1350 + 100
    (discount,) = shown["discountAmounts"]
    assert (discount["displayName"], discount["promotionCode"], discount["percentOff"]) == ("Half", "HALF", 50)
    assert shown["shipping"]["shippingOption"]["displayName"] == "Boat"
    assert page.change(promotion_code="")["session"]["discountAmounts"] is None
    assert page.change(promotion_code="nothing")["error"]["code"] == "invalidCode"
    assert "error" in page.change(line_item=item["id"], quantity=0)


def test_the_page_pays_after_a_decline_and_a_challenge(
    start: Open, browser: FlaskClient, client: stripe.StripeClient
) -> None:
    session = start(return_url="https://shop.example/done?id={CHECKOUT_SESSION_ID}")
    page = Page(browser, session)

    assert page.confirm()["error"]["message"] == "Your email is incomplete."
    for name in ("payment_method_data[billing_details]", "shipping_address", "shipping_address[address][line1][x]"):
        assert page.confirm(**{name: "x"})["error"]["type"] == "invalid_request_error"
    declined = page.confirm(email="ada@example.com", **{"payment_method_data[card][number]": "4000000000009995"})
    assert (declined["error"]["type"], declined["error"]["decline_code"]) == ("card_error", "insufficient_funds")
    assert page.look()["session"]["lastPaymentError"] == {"message": "Your card has insufficient funds."}
    asks = page.confirm(email="ada@example.com", **{"payment_method_data[card][number]": "4000002760003184"})
    assert "/sandbox/3ds/" in asks["stripe_js"]
    log = browser.get("/sandbox/requests?limit=1").get_data(as_text=True)
    assert "ada@example.com" in log
    for secret in (str(session.client_secret), "src_client_secret", "4000002760003184"):
        assert secret not in log
    address = {"shipping_address[name]": "Ada", "shipping_address[address][line1]": "1 Main St"}
    typed = {"payment_method_data[billing_details][address][postal_code]": "94103"}
    paid = page.confirm(email="ada@example.com", **address, **typed, **{"shipping_address[address][country]": "US"})

    assert paid["return_url"] == "https://shop.example/done?id={CHECKOUT_SESSION_ID}"
    assert paid["session"]["status"] == {"type": "complete", "paymentStatus": "paid"}
    done = client.v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.customer_details and done.customer_details.email) == ("complete", "ada@example.com")
    assert done.customer_details is not None
    assert done.customer_details.address is not None
    assert done.customer_details.address.postal_code == "94103"
    assert done.collected_information is not None
    assert done.collected_information.shipping_details is not None
    assert done.collected_information.shipping_details.name == "Ada"


def test_only_the_page_that_was_given_the_secret_sees_the_session(start: Open, browser: FlaskClient) -> None:
    session = start()
    hosted = start(ui_mode="embedded_page")

    for path, secret in (
        (session.id, "cs_test_1_secret_2"),
        (session.id, None),
        (hosted.id, hosted.client_secret),
    ):
        answer = browser.get(f"/v1/payment_pages/{path}", query_string={"client_secret": secret} if secret else {})
        assert answer.status_code == 400
        assert answer.json is not None
        assert "session" not in answer.json


def test_a_card_is_saved_without_anything_to_pay(start: Open, browser: FlaskClient) -> None:
    session = start(mode="setup", currency="usd", line_items=None)

    done = Page(browser, session).confirm(email="ada@example.com")

    assert done["session"]["status"] == {"type": "complete", "paymentStatus": "no_payment_required"}
    assert done["due"] is True
