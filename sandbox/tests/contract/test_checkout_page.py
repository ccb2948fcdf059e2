"""What the page of a Checkout Session answers without a browser."""

from typing import Any

import pytest
import stripe
from flask.testing import FlaskClient

from harness.checkout import Open, opener, pay


@pytest.fixture
def start(client: stripe.StripeClient) -> Open:
    return opener(client)


def path(session: stripe.checkout.Session) -> str:
    return f"/c/pay/{session.id}"


def test_the_page_loads_nothing_foreign_and_stands_in_no_frame(start: Open, http: FlaskClient) -> None:
    answer = http.get(path(start()))

    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
    assert policy["frame-ancestors"] == "'none'"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_what_others_wrote_is_no_html(start: Open, http: FlaskClient) -> None:
    price: Any = {"currency": "usd", "unit_amount": 900, "product_data": {"name": "<b>Tea</b>"}}
    session = start(line_items=[{"price_data": price, "quantity": 1}], branding_settings={"display_name": "<i>Shop"})

    text = http.get(path(session)).get_data(as_text=True)

    assert "&lt;b&gt;Tea&lt;/b&gt;" in text
    assert "<b>" not in text
    assert "<i>" not in text


def test_an_unknown_session_is_not_found(http: FlaskClient) -> None:
    for answer in (http.get("/c/pay/cs_test_none"), http.post("/c/pay/cs_test_none/pay", json={})):
        assert answer.status_code == 404
        assert "There is no checkout session at this address." in answer.get_data(as_text=True)


def test_only_the_page_itself_can_change_anything(start: Open, http: FlaskClient) -> None:
    session = start()

    for what in ("pay", "change"):
        assert http.post(f"{path(session)}/{what}", data={"email": "a@b.example"}).status_code == 415
        assert http.post(f"{path(session)}/{what}", json=[]).status_code == 400
        deep = http.post(f"{path(session)}/{what}", data="[" * 100_000, content_type="application/json")
        assert deep.status_code == 400
    assert http.post(f"{path(session)}/change", json={"colour": "red"}).status_code == 400


def test_a_finished_page_says_so(start: Open, http: FlaskClient, client: stripe.StripeClient) -> None:
    paid, expired = start(), start()
    pay(http, paid.id)
    client.v1.checkout.sessions.expire(expired.id)

    for session in (paid, expired):
        assert "You’re all done here" in http.get(path(session)).get_data(as_text=True)
    again = http.post(f"{path(paid)}/pay", json={}).get_json()
    assert again == {"redirect": f"https://shop.example/done?id={paid.id}"}
    assert http.post(f"{path(expired)}/pay", json={}).get_json() == {"closed": True}


@pytest.mark.parametrize(
    ("asked", "typed", "field"),
    [
        ({}, {}, "email"),
        ({"customer_email": "a@b.example", "phone_number_collection": {"enabled": True}}, {}, "phoneNumber"),
        ({"customer_email": "a@b.example", "billing_address_collection": "required"}, {}, "billingAddressLine1"),
        (
            {"customer_email": "a@b.example", "consent_collection": {"terms_of_service": "required"}},
            {},
            "termsOfServiceConsentCheckbox",
        ),
        ({"customer_email": "a@b.example"}, {"billingName": "Ada"}, "cardNumber"),
    ],
)
def test_what_is_missing_is_named(
    start: Open, http: FlaskClient, asked: dict[str, Any], typed: dict[str, Any], field: str
) -> None:
    refused = http.post(f"{path(start(**asked))}/pay", json=typed).get_json()

    assert refused["error"]["field"] == field


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"cardNumber": "4242424242424241"}, "Your card number is invalid."),
        ({"cardExpiry": "13 / 34"}, "Your card’s expiration date is invalid."),
        ({"cardExpiry": "soon"}, "Your card’s expiration date is invalid."),
        ({"cardNumber": "4000000000000127"}, "Your card’s security code is incorrect."),
        ({"cardNumber": "4000056655665556", "cardCvc": "x"}, "Your card’s security code is incorrect."),
        ({"cardNumber": "4000000000000119"}, "There was an error processing your card."),
    ],
)
def test_the_page_has_words_of_its_own_for_a_card(
    start: Open, http: FlaskClient, typed: dict[str, str], message: str
) -> None:
    card = {"cardNumber": "4242424242424242", "cardExpiry": "12 / 34", "cardCvc": "123", "email": "a@b.example"}

    refused = http.post(f"{path(start())}/pay", json=card | typed).get_json()

    assert refused["error"]["message"].startswith(message)


def test_a_code_is_taken_only_where_it_is_asked_for_and_can_be_paid(
    start: Open, http: FlaskClient, client: stripe.StripeClient
) -> None:
    coupon = client.v1.coupons.create({"percent_off": 98})
    client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "NEARLY"})

    answers = [
        http.post(f"{path(session)}/change", json={"promotionCode": "NEARLY"}).get_json()
        for session in (start(), start(allow_promotion_codes=True))
    ]

    assert answers[0]["error"]["message"] == "This code is invalid."
    assert answers[1]["error"]["message"].endswith("must convert to at least 50 cents.")


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        ({"minimum": ("business_day", 2), "maximum": ("business_day", 5)}, "2–5 business days"),
        ({"minimum": ("day", 1), "maximum": ("week", 1)}, "1 day to 1 week"),
        ({"maximum": ("hour", 3)}, "Up to 3 hours"),
    ],
)
def test_the_page_says_how_long_delivery_takes(
    start: Open, http: FlaskClient, estimate: dict[str, tuple[str, int]], words: str
) -> None:
    said = {name: {"unit": unit, "value": value} for name, (unit, value) in estimate.items()}
    post = {"display_name": "Post", "fixed_amount": {"amount": 500, "currency": "usd"}, "delivery_estimate": said}

    text = http.get(path(start(shipping_options=[{"shipping_rate_data": post}]))).get_data(as_text=True)

    assert words in text


def test_customers_may_choose_what_they_pay_within_limits(
    start: Open, http: FlaskClient, client: stripe.StripeClient
) -> None:
    price: Any = {"currency": "usd", "product_data": {"name": "Donation"}}
    price["custom_unit_amount"] = {"enabled": True, "minimum": 300, "maximum": 9000, "preset": 500}
    gift = client.v1.prices.create(price).id
    session = start(line_items=[{"price": gift, "quantity": 1}])
    assert session.amount_total == 500

    answers = [http.post(f"{path(session)}/change", json={"amount": amount}).get_json() for amount in (299, 9001, 1250)]
    pay(http, session.id)

    assert [answer.get("error", {}).get("message") for answer in answers] == [
        "Amount must be at least $3.00.",
        "Amount must be no more than $90.00.",
        None,
    ]
    assert client.v1.checkout.sessions.retrieve(session.id).amount_total == 1250
    with pytest.raises(stripe.InvalidRequestError, match="only be used as the only line item"):
        start(line_items=[{"price": gift, "quantity": 2}])


def test_an_amount_that_nobody_chose_cannot_be_paid(
    start: Open, http: FlaskClient, client: stripe.StripeClient
) -> None:
    price: Any = {"currency": "usd", "product_data": {"name": "Donation"}, "custom_unit_amount": {"enabled": True}}
    session = start(line_items=[{"price": client.v1.prices.create(price).id, "quantity": 1}])

    refused = http.post(f"{path(session)}/pay", json={"email": "a@b.example"}).get_json()

    assert refused["error"] == {"field": "customUnitAmount", "message": "Amount must be at least $0.50."}
    answer = http.post(f"{path(start())}/change", json={"amount": 900}).get_json()
    assert answer["error"]["message"] == "This amount cannot be chosen."


def test_nothing_can_be_changed_about_a_set_up(start: Open, http: FlaskClient, client: stripe.StripeClient) -> None:
    session = start(mode="setup", currency="usd")

    for change in ({"amount": 900}, {"promotionCode": ""}):
        assert "error" in http.post(f"{path(session)}/change", json=change).get_json()

    assert client.v1.checkout.sessions.retrieve(session.id).amount_total is None


def test_a_quantity_is_what_the_line_allows(start: Open, http: FlaskClient, client: stripe.StripeClient) -> None:
    price: Any = {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Tea"}}
    adjustable = {"enabled": True, "minimum": 2, "maximum": 4}
    session = start(line_items=[{"price_data": price, "quantity": 2, "adjustable_quantity": adjustable}])
    line = client.v1.checkout.sessions.line_items.list(session.id).data[0].id

    answers = [http.post(f"{path(session)}/change", json={"line": line, "quantity": it}).get_json() for it in (1, 4, 5)]

    assert ["error" in answer for answer in answers] == [True, False, True]
    assert client.v1.checkout.sessions.retrieve(session.id).amount_total == 3600
