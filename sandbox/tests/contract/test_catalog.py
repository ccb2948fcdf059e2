"""Products, prices, coupons, promotion codes, shipping rates and tax rates: what no recording shows."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import stripe
from flask import Flask

from till_sandbox.testing import START, connect

Later = Callable[[float], None]


@pytest.fixture
def tea(client: stripe.StripeClient) -> stripe.Product:
    return client.v1.products.create({"name": "Tea", "default_price_data": {"currency": "usd", "unit_amount": 900}})


def events(client: stripe.StripeClient) -> list[Any]:
    """Oldest first."""
    return list(reversed(client.v1.events.list({"limit": 100}).data))


def test_a_product_and_its_default_price_are_announced_together(
    client: stripe.StripeClient, tea: stripe.Product
) -> None:
    made, priced = events(client)

    assert [made.type, priced.type] == ["product.created", "price.created"]
    assert made.data.object["default_price"] == priced.data.object["id"] == tea.default_price
    assert made.request.id == priced.request.id


def test_a_change_of_a_product_says_what_was_before(client: stripe.StripeClient, tea: stripe.Product) -> None:
    client.v1.products.update(tea.id, {"metadata": {"origin": "Assam"}, "description": "Black"})

    change = events(client)[-1]
    assert change.type == "product.updated"
    assert change.data.previous_attributes is not None
    assert change.data.previous_attributes.to_dict() == {"description": None, "metadata": {"origin": None}}


def test_what_is_deleted_says_that_it_is_of_no_use_any_more(client: stripe.StripeClient) -> None:
    client.v1.products.delete(client.v1.products.create({"name": "Cup"}).id)
    client.v1.coupons.delete(client.v1.coupons.create({"percent_off": 10}).id)

    gone = {event.type: event.data for event in events(client) if event.type.endswith(".deleted")}
    assert gone["product.deleted"].object["active"] is False
    assert gone["coupon.deleted"].object["valid"] is False
    assert "previous_attributes" not in gone["coupon.deleted"]


def test_only_the_loser_of_a_lookup_key_is_changed(client: stripe.StripeClient, tea: stripe.Product) -> None:
    price: Any = {"product": tea.id, "currency": "usd", "unit_amount": 1, "lookup_key": "std"}
    first = client.v1.prices.create(price)

    price["transfer_lookup_key"] = True
    client.v1.prices.create(price)

    lost, made = events(client)[-2:]
    assert (lost.type, lost.data.object["id"]) == ("price.updated", first.id)
    assert lost.data.previous_attributes.to_dict() == {"lookup_key": "std"}
    assert (made.type, made.data.object["lookup_key"]) == ("price.created", "std")


def test_a_chosen_id_belongs_to_its_account_and_is_free_once_deleted(
    application: Flask, client: stripe.StripeClient
) -> None:
    other = connect(application, "sk_test_other")
    for account in (client, other):
        account.v1.coupons.create({"id": "SPRING", "percent_off": 10})

    with pytest.raises(stripe.InvalidRequestError, match=r"Coupon already exists\.") as refused:
        client.v1.coupons.create({"id": "SPRING", "percent_off": 20})
    client.v1.coupons.delete("SPRING")
    client.v1.coupons.create({"id": "SPRING", "percent_off": 20})

    assert refused.value.code == "resource_already_exists"
    assert client.v1.coupons.retrieve("SPRING").percent_off == 20
    assert other.v1.coupons.retrieve("SPRING").percent_off == 10
    assert [coupon.id for coupon in other.v1.coupons.list().data] == ["SPRING"]


def test_lists_go_on_after_a_chosen_id(client: stripe.StripeClient) -> None:
    for name in ("A", "B", "C"):
        client.v1.products.create({"id": name, "name": name})

    after = client.v1.products.list({"starting_after": "C", "limit": 1})
    found = client.v1.products.search({"query": 'name:"a"'})

    assert ([it.id for it in after.data], after.has_more) == (["B"], True)
    assert [it.id for it in found.data] == ["A"]


def test_what_is_hidden_is_shown_when_it_is_expanded(client: stripe.StripeClient, tea: stripe.Product) -> None:
    price = client.v1.prices.create(
        {
            "product": tea.id,
            "currency": "usd",
            "unit_amount_decimal": Decimal("12.5"),
            "currency_options": {"eur": {"unit_amount": 11}},
            "expand": ["currency_options", "product.default_price"],
        }
    )
    coupon = client.v1.coupons.create(
        {
            "amount_off": 100,
            "currency": "usd",
            "applies_to": {"products": [tea.id]},
            "currency_options": {"eur": {"amount_off": 90}},
            "expand": ["applies_to", "currency_options"],
        }
    )

    options: Any = price.currency_options
    assert (price.unit_amount, options["eur"]["unit_amount"]) == (None, 11)
    assert options["usd"]["unit_amount_decimal"] == "12.5"
    expanded: Any = price.product
    assert expanded["default_price"]["unit_amount"] == 900
    assert coupon.applies_to is not None
    assert coupon.applies_to.products == [tea.id]
    amounts: Any = coupon.currency_options
    assert {name: option["amount_off"] for name, option in amounts.to_dict().items()} == {"usd": 100, "eur": 90}


def test_a_coupon_and_a_code_end_in_time(client: stripe.StripeClient, later: Later) -> None:
    until = int(START) + 3
    coupon = client.v1.coupons.create({"percent_off": 10, "redeem_by": until})
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "expires_at": until})

    later(4)

    assert client.v1.coupons.retrieve(coupon.id).valid is False
    assert client.v1.promotion_codes.retrieve(code.id).active is False
    with pytest.raises(stripe.InvalidRequestError, match="cannot be activated"):
        client.v1.promotion_codes.update(code.id, {"active": True})


def test_a_code_is_found_however_it_is_written(client: stripe.StripeClient) -> None:
    coupon = client.v1.coupons.create({"percent_off": 10})
    promotion: Any = {"promotion": {"type": "coupon", "coupon": coupon.id}}
    taken: Any = {**promotion, "code": "SPRING-25"}
    promotion["code"] = "Spring-25"
    code = client.v1.promotion_codes.create(promotion)

    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        client.v1.promotion_codes.create(taken)

    assert [it.id for it in client.v1.promotion_codes.list({"code": "spring-25"}).data] == [code.id]


def test_a_code_taken_meanwhile_cannot_come_back(client: stripe.StripeClient) -> None:
    coupon = client.v1.coupons.create({"percent_off": 10})
    asked: Any = {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "SPRING"}
    first = client.v1.promotion_codes.create(asked)
    client.v1.promotion_codes.update(first.id, {"active": False})
    client.v1.promotion_codes.create(asked)

    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        client.v1.promotion_codes.update(first.id, {"active": True})


def test_a_products_default_price_is_one_of_its_own(client: stripe.StripeClient, tea: stripe.Product) -> None:
    cup = client.v1.products.create({"name": "Cup"})

    with pytest.raises(stripe.InvalidRequestError, match="does not belong to the product"):
        client.v1.products.update(cup.id, {"default_price": str(tea.default_price)})


def test_a_shipping_rate_costs_what_it_says(client: stripe.StripeClient) -> None:
    estimate: Any = {"minimum": {"unit": "business_day", "value": 2}, "maximum": {"unit": "week", "value": 1}}
    rate = client.v1.shipping_rates.create(
        {
            "display_name": "Post",
            "type": "fixed_amount",
            "fixed_amount": {"amount": 500, "currency": "usd"},
            "delivery_estimate": estimate,
        }
    )

    archived = client.v1.shipping_rates.update(rate.id, {"active": False, "metadata": {"zone": "1"}})

    assert rate.fixed_amount is not None
    assert (rate.fixed_amount.amount, rate.active, archived.active) == (500, True, False)
    assert rate.delivery_estimate is not None
    assert rate.delivery_estimate.to_dict() == estimate
    assert client.v1.shipping_rates.list({"active": True}).data == []
    assert [it.id for it in client.v1.shipping_rates.list({"currency": "usd"}).data] == [rate.id]


@pytest.mark.parametrize(
    ("ask", "message", "param"),
    [
        ({"currency_options": {"EUR": {"unit_amount": 1}}}, "Currencies must be lowercase", "currency_options"),
        ({"unit_amount": -1}, "Invalid non-negative integer", "unit_amount"),
        ({"unit_amount_decimal": "1.5"}, "You may only specify one of these parameters", "unit_amount"),
        ({"recurring": {"interval": "year", "interval_count": 4}}, "at most three years", "interval_count"),
        ({"currency": "xxx"}, "Invalid currency: xxx", "currency"),
    ],
)
def test_a_price_that_makes_no_sense_is_refused(
    client: stripe.StripeClient, tea: stripe.Product, ask: dict[str, Any], message: str, param: str
) -> None:
    price: Any = {"product": tea.id, "currency": "usd", "unit_amount": 100, **ask}

    with pytest.raises(stripe.InvalidRequestError, match=message) as refused:
        client.v1.prices.create(price)

    assert refused.value.param == param


def test_what_a_price_costs_never_changes(client: stripe.StripeClient, tea: stripe.Product) -> None:
    changed: Any = {"unit_amount": 1}

    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: unit_amount"):
        client.v1.prices.update(str(tea.default_price), changed)
    with pytest.raises(stripe.InvalidRequestError, match="from 0 to 100"):
        client.v1.tax_rates.create({"display_name": "VAT", "inclusive": True, "percentage": 101})
