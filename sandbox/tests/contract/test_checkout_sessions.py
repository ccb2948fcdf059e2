"""Checkout Sessions through the API: what is asked for, what it comes to, what is refused."""

from typing import Any

import pytest
import stripe
from flask.testing import FlaskClient

from harness.checkout import TEA, Open, opener, pay
from till_sandbox.sandbox import Sandbox
from till_sandbox.testing import START, ManualClock


@pytest.fixture
def start(client: stripe.StripeClient) -> Open:
    return opener(client)


def test_a_new_session_is_open_and_has_a_page_but_no_payment(start: Open, client: stripe.StripeClient) -> None:
    session = start(client_reference_id="T-1", metadata={"order": "T-1"})

    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert session.url is not None
    assert session.url.startswith(f"http://127.0.0.1:4242/c/pay/{session.id}#fid")
    assert (len(session.id), session.id[:10], session.client_secret) == (66, "cs_test_a1", None)
    assert session.expires_at == int(START) + 86400
    assert (session.amount_subtotal, session.amount_total, session.currency) == (1800, 1800, "usd")
    assert session.success_url == "https://shop.example/done?id={CHECKOUT_SESSION_ID}"
    assert client.v1.events.list().data == []


def test_lines_are_in_their_order_and_a_page_at_a_time(start: Open, client: stripe.StripeClient) -> None:
    names = ["Tea", "Cup", "Pot"]
    price: Any = {"currency": "usd", "unit_amount": 100}
    session = start(
        line_items=[{"price_data": {**price, "product_data": {"name": name}}, "quantity": 1} for name in names]
    )
    lines = client.v1.checkout.sessions.line_items

    first = lines.list(session.id, {"limit": 2})
    rest = lines.list(session.id, {"starting_after": first.data[-1].id})
    before = lines.list(session.id, {"ending_before": rest.data[0].id, "limit": 1})

    assert [line.description for line in first.data + rest.data] == names
    assert (first.has_more, rest.has_more, before.has_more) == (True, False, True)
    assert [line.description for line in before.data] == ["Cup"]


def test_prices_of_the_catalogue_and_of_the_moment_go_together(start: Open, client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"name": "Cup", "default_price_data": {"currency": "usd", "unit_amount": 500}})

    session = start(line_items=[{"price": product.default_price, "quantity": 3}, TEA], expand=["line_items"])

    assert session.line_items is not None
    cup, tea = session.line_items.data
    assert (cup.description, cup.amount_total, tea.amount_total) == ("Cup", 1500, 1800)
    assert tea.price is not None
    assert tea.price.active is False
    assert [price.id for price in client.v1.prices.list().data] == [product.default_price]


def test_the_price_of_an_order_has_discount_taxes_and_shipping(start: Open, client: stripe.StripeClient) -> None:
    rate = client.v1.tax_rates.create({"display_name": "Sales tax", "inclusive": False, "percentage": 8.875})
    coupon = client.v1.coupons.create({"amount_off": 300, "currency": "usd"})

    session = start(
        line_items=[{**TEA, "tax_rates": [rate.id]}],
        discounts=[{"coupon": coupon.id}],
        shipping_options=[
            {"shipping_rate_data": {"display_name": name, "fixed_amount": {"amount": amount, "currency": "usd"}}}
            for name, amount in (("Post", 500), ("Courier", 1200))
        ],
        expand=["total_details.breakdown", "line_items.data.taxes", "line_items.data.discounts"],
    )

    details = session.total_details
    assert details is not None
    assert (details.amount_discount, details.amount_tax, details.amount_shipping) == (300, 133, 500)
    assert (session.amount_subtotal, session.amount_total) == (1800, 2133)
    assert details.breakdown is not None
    assert details.breakdown.taxes[0].rate.id == rate.id
    assert details.breakdown.discounts[0].discount.source.coupon == coupon.id
    assert session.line_items is not None
    line = session.line_items.data[0]
    assert line.taxes is not None
    assert (line.amount_discount, line.taxes[0].taxable_amount, line.amount_total) == (300, 1500, 1633)
    assert [option.shipping_amount for option in session.shipping_options] == [500, 1200]


def test_a_price_may_be_in_another_currency_that_it_has(start: Open, client: stripe.StripeClient) -> None:
    price = client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 1000,
            "product_data": {"name": "Tea"},
            "currency_options": {"eur": {"unit_amount": 900}},
        }
    )
    items: Any = [{"price": price.id, "quantity": 2}]

    session = start(line_items=items, currency="eur")

    assert (session.currency, session.amount_total) == ("eur", 1800)
    with pytest.raises(stripe.InvalidRequestError, match="only supports `usd`"):
        start(line_items=items, currency="gbp")


def test_a_coupon_may_be_for_some_products_only(start: Open, client: stripe.StripeClient) -> None:
    cup = client.v1.products.create({"name": "Cup", "default_price_data": {"currency": "usd", "unit_amount": 500}})
    coupon = client.v1.coupons.create({"percent_off": 10, "applies_to": {"products": [cup.id]}})
    discounts = [{"coupon": coupon.id}]

    session = start(
        line_items=[TEA, {"price": cup.default_price, "quantity": 1}], discounts=discounts, expand=["line_items"]
    )

    assert session.line_items is not None
    assert [line.amount_discount for line in session.line_items.data] == [0, 50]
    with pytest.raises(stripe.InvalidRequestError, match="applies to nothing"):
        start(discounts=discounts)


def test_what_is_sold_in_packs_costs_whole_packs(start: Open, client: stripe.StripeClient) -> None:
    price: Any = {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Eggs"}}
    totals = []

    for way in ("up", "down"):
        price["transform_quantity"] = {"divide_by": 6, "round": way}
        packs = client.v1.prices.create(price)
        totals.append(start(line_items=[{"price": packs.id, "quantity": 13}]).amount_total)

    assert totals == [2700, 1800]


def test_a_version_before_endive_pins_the_types(http: FlaskClient, client: stripe.StripeClient) -> None:
    line = {"line_items[0][price_data][product_data][name]": "Tea", "line_items[0][quantity]": "1"}
    line |= {"line_items[0][price_data][currency]": "usd", "line_items[0][price_data][unit_amount]": "900"}
    asked = {"mode": "payment", "success_url": "https://shop.example/", "payment_method_types[]": "card", **line}

    session = http.post("/v1/checkout/sessions", data=asked, headers={"Stripe-Version": "2025-03-31.basil"}).get_json()
    pay(http, session["id"])

    paid = client.v1.checkout.sessions.retrieve(session["id"], {"expand": ["payment_intent"]})
    intent: Any = paid.payment_intent
    assert (paid.payment_method_types, intent.payment_method_types) == (["card"], ["card"])


def test_a_set_up_costs_nothing_and_has_its_intent_at_once(start: Open, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "ada@example.com"})

    session = start(mode="setup", currency="usd", customer=customer.id, setup_intent_data={"metadata": {"a": "b"}})

    assert (session.amount_total, session.payment_status) == (None, "no_payment_required")
    intent = client.v1.setup_intents.retrieve(str(session.setup_intent))
    assert intent.metadata is not None
    assert (intent.customer, intent.metadata.to_dict()) == (customer.id, {"a": "b"})
    assert session.customer_details is not None
    assert session.customer_details.email == "ada@example.com"


@pytest.mark.parametrize("page", ["embedded_page", "elements", "form"])
def test_a_page_inside_the_shops_has_a_secret_and_no_address(client: stripe.StripeClient, page: str) -> None:
    asked: Any = {"mode": "payment", "line_items": [TEA], "ui_mode": page, "return_url": "https://shop.example/done"}

    session = client.v1.checkout.sessions.create(asked)

    assert session.url is None
    assert session.client_secret is not None
    assert session.client_secret.startswith(f"{session.id}_secret_")


def test_the_same_key_gets_the_same_session(client: stripe.StripeClient) -> None:
    asked: Any = {"mode": "payment", "success_url": "https://shop.example/", "line_items": [TEA]}
    first, again = (client.v1.checkout.sessions.create(asked, {"idempotency_key": "T-1"}) for _ in range(2))
    client.v1.checkout.sessions.expire(first.id)

    late = client.v1.checkout.sessions.create(asked, {"idempotency_key": "T-1"})

    assert first.id == again.id == late.id
    assert (late.status, late.url) == ("open", first.url)
    assert client.v1.checkout.sessions.retrieve(first.id).status == "expired"


def test_an_expired_session_stays_expired(start: Open, client: stripe.StripeClient) -> None:
    session = start()

    expired = client.v1.checkout.sessions.expire(session.id)

    assert (expired.status, expired.url) == ("expired", None)
    assert [event.type for event in client.v1.events.list().data] == ["checkout.session.expired"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.expire(session.id)
    assert str(refused.value).endswith(
        'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
        "`expired`."
    )


def test_a_session_expires_when_its_time_is_over(
    start: Open, client: stripe.StripeClient, clock: ManualClock, sandbox: Sandbox
) -> None:
    session = start(expires_at=int(START) + 1800)

    clock.advance(1799)
    sandbox.deliver_due()
    before = client.v1.checkout.sessions.retrieve(session.id).status
    clock.advance(1)
    sandbox.deliver_due()

    assert (before, client.v1.checkout.sessions.retrieve(session.id).status) == ("open", "expired")
    assert [event.type for event in client.v1.events.list().data] == ["checkout.session.expired"]


def test_a_set_ups_intent_ends_with_its_session(start: Open, client: stripe.StripeClient) -> None:
    session = start(mode="setup", currency="usd")

    with pytest.raises(stripe.InvalidRequestError, match="SetupIntents created by Checkout"):
        client.v1.setup_intents.cancel(str(session.setup_intent))
    client.v1.checkout.sessions.expire(session.id)

    assert client.v1.setup_intents.retrieve(str(session.setup_intent)).status == "canceled"


def test_lists_find_sessions_by_what_they_are(start: Open, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({})
    of_customer, by_mail, gone = start(customer=customer.id), start(customer_email="a@b.example"), start()
    client.v1.checkout.sessions.expire(gone.id)
    found = client.v1.checkout.sessions.list

    assert [it.id for it in found().data] == [gone.id, by_mail.id, of_customer.id]
    assert [it.id for it in found({"customer": customer.id}).data] == [of_customer.id]
    assert [it.id for it in found({"customer_details": {"email": "a@b.example"}}).data] == [by_mail.id]
    assert [it.id for it in found({"status": "expired"}).data] == [gone.id]


def test_a_hosted_page_takes_new_metadata_only(start: Open, client: stripe.StripeClient) -> None:
    session = start(metadata={"a": "1"})

    changed = client.v1.checkout.sessions.update(session.id, {"metadata": {"b": "2"}})

    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"a": "1", "b": "2"}
    with pytest.raises(stripe.InvalidRequestError, match="You can not update `line_items`"):
        client.v1.checkout.sessions.update(session.id, {"line_items": [{"quantity": 1}]})


def test_a_page_inside_the_shops_takes_other_lines(client: stripe.StripeClient) -> None:
    asked: Any = {"mode": "payment", "line_items": [TEA, TEA], "ui_mode": "elements", "expand": ["line_items"]}
    session = client.v1.checkout.sessions.create(asked)
    assert session.line_items is not None
    kept = session.line_items.data[0].id

    changed = client.v1.checkout.sessions.update(
        session.id, {"line_items": [{"id": kept, "quantity": 5}], "expand": ["line_items"]}
    )

    assert changed.line_items is not None
    assert [(line.id, line.amount_total) for line in changed.line_items.data] == [(kept, 4500)]
    assert changed.amount_total == 4500
