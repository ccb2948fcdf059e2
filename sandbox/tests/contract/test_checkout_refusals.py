"""Checkout Sessions that are refused, and in which words."""

from typing import Any

import pytest
import stripe

from harness.checkout import TEA, Open, opener
from till_sandbox.testing import START

QUESTION: dict[str, Any] = {"key": "a", "label": {"type": "custom", "custom": "A"}, "type": "text"}
POST: dict[str, Any] = {
    "shipping_rate_data": {"display_name": "Post", "fixed_amount": {"amount": 500, "currency": "usd"}}
}


@pytest.fixture
def start(client: stripe.StripeClient) -> Open:
    return opener(client)


@pytest.mark.parametrize(
    ("asked", "message", "param"),
    [
        ({"mode": None}, "Missing required param: mode.", "mode"),
        ({"mode": "subscription"}, "The sandbox does not imitate subscriptions", "mode"),
        ({"success_url": None}, "Missing required param: success_url.", "success_url"),
        ({"success_url": "shop"}, "Not a valid URL", "success_url"),
        ({"line_items": None}, "Missing required param: line_items.", "line_items"),
        ({"line_items": [{"quantity": 1}]}, "You must provide either price or price_data", None),
        ({"line_items": [{"price": "price_x", "quantity": 1}]}, "No such price: 'price_x'", "line_items[0][price]"),
        (
            {"line_items": [{"price_data": TEA["price_data"]}]},
            "Quantity is required. Add `quantity` to `line_items[0]`",
            "line_items[0][quantity]",
        ),
        ({"line_items": [{**TEA, "quantity": 0}]}, "greater than or equal to 1", "line_items[0][quantity]"),
        ({"line_items": [{**TEA, "tax_rates": ["txr_x"]}]}, "No such tax rate", "line_items[0][tax_rates][0]"),
        ({"line_items": [TEA] * 101}, "at most 100", "line_items"),
        ({"customer": "cus_x"}, "No such customer: 'cus_x'", "customer"),
        ({"customer": "cus_x", "customer_email": "a@b.example"}, "You may only specify one of", "customer"),
        ({"customer_email": "nobody"}, "Invalid email address: nobody", "customer_email"),
        ({"ui_mode": "hosted"}, "Invalid ui_mode: must be one of elements, embedded_page, form, or", "ui_mode"),
        ({"ui_mode": "custom"}, "Invalid ui_mode", "ui_mode"),
        ({"ui_mode": "elements"}, "You can not pass `success_url` when `ui_mode` is `elements`.", "success_url"),
        ({"return_url": "https://a.example"}, "You can not pass `return_url` when", "return_url"),
        ({"payment_method_types": ["card"]}, "`payment_method_types` is no longer supported", "payment_method_types"),
        ({"payment_method_collection": "always"}, "in `payment` mode.", "payment_method_collection"),
        (
            {"discounts": [{"coupon": "X"}], "allow_promotion_codes": True},
            "You may only specify one of these parameters: allow_promotion_codes, discounts.",
            "allow_promotion_codes",
        ),
        ({"discounts": [{"coupon": "NOPE"}]}, "No such coupon: 'NOPE'", "discounts[0][coupon]"),
        (
            {"expires_at": int(START) + 1799},
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
            "expires_at",
        ),
        (
            {"expires_at": int(START) + 86401},
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            "expires_at",
        ),
        ({"customer_update": {"name": "auto"}}, "can only be used with `customer`", "customer_update"),
        ({"custom_fields": [QUESTION, QUESTION]}, "each once", "custom_fields[1][key]"),
        ({"shipping_options": [POST] * 6}, "at most 5 shipping options", "shipping_options"),
        ({"client_reference_id": "x" * 201}, "must be at most 200 characters", "client_reference_id"),
        ({"invoice_creation": {"enabled": True}}, "The sandbox's page does not make invoices", "invoice_creation"),
        ({"subscription_data": {}, "wat": 1}, "Received unknown parameter: wat", "wat"),
    ],
)
def test_what_cannot_be_is_refused(
    client: stripe.StripeClient, asked: dict[str, Any], message: str, param: str | None
) -> None:
    usual = {"mode": "payment", "success_url": "https://shop.example/", "line_items": [TEA]}
    params: Any = {name: value for name, value in {**usual, **asked}.items() if value is not None}

    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create(params)

    assert message in str(refused.value)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"line_items": [TEA]}, "You can not pass `line_items` in `setup` mode."),
        ({"allow_promotion_codes": True}, "You can not pass `allow_promotion_codes` in `setup` mode."),
        ({"currency": None}, "Missing required param: currency."),
    ],
)
def test_a_set_up_takes_nothing_that_costs(start: Open, asked: dict[str, Any], message: str) -> None:
    params = {name: value for name, value in {"currency": "usd", **asked}.items() if value is not None}

    with pytest.raises(stripe.InvalidRequestError, match=message):
        start(mode="setup", **params)


@pytest.mark.parametrize(
    ("currency", "amount", "message"),
    [
        ("usd", 49, "The Checkout Session's total amount must convert to at least 50 cents."),
        ("gbp", 29, "The Checkout Session's total amount must convert to at least 30 pence."),
        ("usd", 100_000_000, "The Checkout Session's total amount due must be no more than $999,999.99."),
        ("usd", 0, "The Checkout Session's total amount due cannot be zero in `payment` mode"),
    ],
)
def test_an_order_too_small_or_too_large_to_pay_is_refused(
    start: Open, currency: str, amount: int, message: str
) -> None:
    price = {"currency": currency, "unit_amount": amount, "product_data": {"name": "Tea"}}

    with pytest.raises(stripe.InvalidRequestError) as refused:
        start(line_items=[{"price_data": price, "quantity": 1}])

    assert message in str(refused.value)


def test_a_recurring_price_is_for_subscriptions(start: Open, client: stripe.StripeClient) -> None:
    price: Any = {"currency": "usd", "unit_amount": 900, "recurring": {"interval": "month"}}
    price["product_data"] = {"name": "Tea"}
    monthly = client.v1.prices.create(price)

    with pytest.raises(stripe.InvalidRequestError, match="but passed a recurring price"):
        start(line_items=[{"price": monthly.id, "quantity": 1}])


def test_what_is_no_longer_offered_is_refused(start: Open, client: stripe.StripeClient) -> None:
    price = client.v1.prices.create({"currency": "usd", "unit_amount": 900, "product_data": {"name": "Tea"}})
    client.v1.prices.update(price.id, {"active": False})
    rate = client.v1.shipping_rates.create(POST["shipping_rate_data"])
    client.v1.shipping_rates.update(rate.id, {"active": False})
    tax = client.v1.tax_rates.create({"display_name": "VAT", "inclusive": True, "percentage": 20, "active": False})
    asked: list[dict[str, Any]] = [
        {"line_items": [{"price": price.id, "quantity": 1}]},
        {"shipping_options": [{"shipping_rate": rate.id}]},
        {"line_items": [{**TEA, "tax_rates": [tax.id]}]},
    ]

    for params in asked:
        with pytest.raises(stripe.InvalidRequestError, match="is inactive"):
            start(**params)
