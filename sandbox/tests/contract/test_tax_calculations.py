"""Calculations of Stripe Tax, and what they go by: registrations, settings, tax codes."""

from typing import Any

import pytest
import stripe
from flask.testing import FlaskClient

from till_sandbox.testing import ManualClock

SEATTLE: Any = {"line1": "920 5th Ave", "city": "Seattle", "state": "WA", "postal_code": "98104", "country": "US"}


@pytest.fixture
def registered(client: stripe.StripeClient) -> stripe.StripeClient:
    """An account that collects in the European Union, in Washington and in Canada."""
    registrations = client.v1.tax.registrations
    union: Any = {"de": {"type": "oss_union"}}
    washington: Any = {"us": {"state": "WA", "type": "state_sales_tax"}}
    registrations.create({"country": "DE", "country_options": union, "active_from": "now"})
    registrations.create({"country": "US", "country_options": washington, "active_from": "now"})
    registrations.create({"country": "CA", "country_options": {"ca": {"type": "standard"}}, "active_from": "now"})
    return client


def calculate(client: stripe.StripeClient, address: Any, *lines: Any, **more: Any) -> stripe.tax.Calculation:
    details = {"address": address, "address_source": "shipping", **more.pop("details", {})}
    asked: Any = {"currency": "eur", "line_items": list(lines), "customer_details": details, **more}
    return client.v1.tax.calculations.create(asked)


def refusal(client: stripe.StripeClient, address: Any, *lines: Any, **more: Any) -> tuple[Any, Any]:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        calculate(client, address, *lines, **more)
    return refused.value.code, refused.value.param


def rates(calculation: stripe.tax.Calculation) -> list[tuple[str, int, str]]:
    return [
        (part.tax_rate_details.percentage_decimal, part.amount, part.taxability_reason)
        for part in calculation.tax_breakdown
    ]


def test_a_tax_on_top_of_the_price_is_added_line_by_line(registered: stripe.StripeClient) -> None:
    made = calculate(
        registered,
        SEATTLE,
        {"amount": 1010, "reference": "L1"},
        {"amount": 1010, "reference": "L2"},
        shipping_cost={"amount": 500},
        expand=["line_items.data.tax_breakdown", "shipping_cost.tax_breakdown"],
    )

    assert made.line_items is not None
    assert [line.amount_tax for line in made.line_items.data] == [66, 66]  # 65.65 each
    assert (made.shipping_cost.amount_tax, made.tax_amount_exclusive, made.amount_total) == (33, 165, 2685)  # type: ignore[union-attr]
    assert rates(made) == [("6.5", 165, "standard_rated")]
    assert made.line_items.data[0].tax_breakdown[0].jurisdiction.state == "WA"  # type: ignore[index]


def test_a_tax_in_the_price_changes_no_total(registered: stripe.StripeClient) -> None:
    made = calculate(
        registered,
        {"country": "DE"},
        {"amount": 2140, "reference": "book", "tax_behavior": "inclusive", "tax_code": "txcd_35010000"},
        {"amount": 1190, "reference": "cup", "tax_behavior": "inclusive"},
        {"amount": 5000, "reference": "card", "tax_behavior": "inclusive", "tax_code": "txcd_10502000"},
    )

    assert (made.amount_total, made.tax_amount_inclusive, made.tax_amount_exclusive) == (8330, 330, 0)
    assert rates(made) == [
        ("7.0", 140, "reduced_rated"),
        ("19.0", 190, "standard_rated"),
        ("0.0", 0, "not_subject_to_tax"),
    ]


def test_delivering_is_taxed_as_what_is_delivered(registered: stripe.StripeClient) -> None:
    made = calculate(
        registered,
        {"country": "DE"},
        {"amount": 3000, "tax_code": "txcd_35010000"},
        {"amount": 1000},
        shipping_cost={"amount": 400},
    )

    assert made.shipping_cost is not None
    assert made.shipping_cost.amount_tax == 300 * 7 // 100 + 100 * 19 // 100


def test_nothing_is_collected_without_a_registration(client: stripe.StripeClient) -> None:
    made = calculate(client, SEATTLE, {"amount": 1000})

    assert (made.amount_total, rates(made)) == (1000, [("0.0", 0, "not_collecting")])


def test_a_province_takes_its_part_where_the_account_is_registered(registered: stripe.StripeClient) -> None:
    quebec = {"country": "CA", "postal_code": "H2Y 1C6"}
    options: Any = {"ca": {"type": "province_standard", "province_standard": {"province": "QC"}}}

    before = calculate(registered, quebec, {"amount": 10000})
    registered.v1.tax.registrations.create({"country": "CA", "country_options": options, "active_from": "now"})
    after = calculate(registered, quebec, {"amount": 10000})

    assert rates(before) == [("5.0", 500, "standard_rated")]
    assert rates(after) == [("5.0", 500, "standard_rated"), ("9.975", 998, "standard_rated")]


def test_a_business_elsewhere_in_europe_is_charged_no_tax(registered: stripe.StripeClient) -> None:
    line = {"amount": 1190, "tax_behavior": "inclusive"}
    german = {"tax_ids": [{"type": "eu_vat", "value": "DE123456789"}]}

    by_number = calculate(registered, {"country": "DE"}, line, details=german)
    of_another = calculate(registered, {"country": "FR"}, line, details=german)
    by_word = calculate(registered, {"country": "FR"}, line, details={"taxability_override": "reverse_charge"})
    exempt = calculate(registered, SEATTLE, {"amount": 100}, details={"taxability_override": "customer_exempt"})

    assert rates(by_number) == rates(by_word) == [("0.0", 0, "reverse_charge")]
    assert of_another.tax_amount_inclusive == 198
    assert rates(exempt) == [("0.0", 0, "customer_exempt")]


def test_an_address_that_is_not_enough_is_refused_by_its_code(registered: stripe.StripeClient) -> None:
    line = {"amount": 100}
    unknown = ("customer_tax_location_invalid", "customer_details[address]")

    assert refusal(registered, {"country": "US", "state": "WA"}, line) == unknown
    assert refusal(registered, {**SEATTLE, "state": "CA"}, line) == unknown
    assert refusal(registered, {"country": "CA"}, line) == unknown
    assert refusal(registered, {"country": "QQ"}, line)[0] == "country_code_invalid"


def test_a_line_has_a_price_a_code_and_a_reference_of_its_own(registered: stripe.StripeClient) -> None:
    assert refusal(registered, SEATTLE) == ("parameter_missing", "line_items")
    assert refusal(registered, SEATTLE, {"amount": -1})[1] == "line_items[0][amount]"
    assert refusal(registered, SEATTLE, {"amount": 1, "tax_code": "books"})[1] == "line_items[0][tax_code]"
    assert refusal(registered, SEATTLE, {"amount": 1, "product": "prod_x"})[1] == "line_items[0][product]"
    assert refusal(registered, SEATTLE, *2 * [{"amount": 1, "reference": "a"}])[1] == "line_items[1][reference]"
    assert refusal(registered, SEATTLE, *101 * [{"amount": 1}])[1] == "line_items"
    assert (
        refusal(registered, SEATTLE, {"amount": 1}, shipping_cost={"tax_code": "txcd_92010001"})[1]
        == "shipping_cost[amount]"
    )
    assert refusal(registered, SEATTLE, {"amount": 1}, tax_date=1)[1] == "tax_date"


def test_what_the_account_knows_need_not_be_said_again(registered: stripe.StripeClient) -> None:
    v1 = registered.v1
    book = v1.products.create({"name": "Book", "tax_code": "txcd_35010000"})
    post = {"display_name": "Post", "fixed_amount": {"amount": 535, "currency": "eur"}, "tax_behavior": "inclusive"}
    rate = v1.shipping_rates.create(post)  # type: ignore[arg-type]
    customer = v1.customers.create({"name": "Ada", "address": {"country": "DE"}})
    asked: Any = {
        "currency": "eur",
        "customer": customer.id,
        "line_items": [{"amount": 1000, "product": book.id}],
        "shipping_cost": {"shipping_rate": rate.id},
    }

    made = v1.tax.calculations.create(asked)

    assert made.customer_details.address.country == "DE"  # type: ignore[union-attr]
    assert (made.tax_amount_exclusive, made.tax_amount_inclusive, made.amount_total) == (70, 35, 1605)


def test_a_calculation_is_kept_for_ninety_days(registered: stripe.StripeClient, clock: ManualClock) -> None:
    made = calculate(registered, SEATTLE, {"amount": 1}, {"amount": 2}, {"amount": 3})
    of_calculation = registered.v1.tax.calculations.line_items

    first = of_calculation.list(made.id or "", {"limit": 2})
    rest = of_calculation.list(made.id or "", {"starting_after": first.data[1].id, "expand": ["data.tax_breakdown"]})
    clock.advance(90 * 24 * 3600)

    assert ([line.amount for line in first.data], first.has_more) == ([1, 2], True)
    assert rest.data[0].tax_breakdown[0].taxability_reason == "standard_rated"  # type: ignore[index]
    with pytest.raises(stripe.InvalidRequestError, match="No such tax calculation"):
        registered.v1.tax.calculations.retrieve(made.id or "")


def test_a_registration_begins_and_ends(client: stripe.StripeClient, clock: ManualClock) -> None:
    registrations = client.v1.tax.registrations
    options: Any = {"gb": {"type": "standard"}}
    begun = registrations.create({"country": "GB", "country_options": options, "active_from": int(clock.seconds) + 60})

    def collected() -> int:
        return calculate(client, {"country": "GB"}, {"amount": 100}).tax_amount_exclusive

    amounts = [collected()]
    clock.advance(61)
    amounts.append(collected())
    ended = registrations.update(begun.id, {"expires_at": "now"})
    amounts.append(collected())

    assert (begun.status, ended.status, amounts) == ("scheduled", "expired", [0, 20, 0])
    assert registrations.list({"status": "active"}).data == []
    assert [each.id for each in registrations.list({"status": "expired"}).data] == [begun.id]


def test_a_place_is_registered_once(registered: stripe.StripeClient) -> None:
    in_union: Any = {"country": "FR", "country_options": {"fr": {"type": "oss_union"}}, "active_from": "now"}
    no_state: Any = {"country": "US", "country_options": {"us": {"type": "state_sales_tax"}}, "active_from": "now"}

    with pytest.raises(stripe.InvalidRequestError, match="already an active registration"):
        registered.v1.tax.registrations.create(in_union)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        registered.v1.tax.registrations.create(no_state)
    assert refused.value.param == "country_options[us][state]"


def test_settings_say_what_a_thing_is_where_nothing_does(registered: stripe.StripeClient, http: FlaskClient) -> None:
    settings = registered.v1.tax.settings

    before = settings.retrieve()
    settings.update({"defaults": {"tax_code": "txcd_35010000", "tax_behavior": "inclusive"}})
    office: Any = {"address": {"country": "DE"}}
    settings.update({"head_office": office})
    made = calculate(registered, {"country": "DE"}, {"amount": 100})
    at_home = {"tax_ids": [{"type": "eu_vat", "value": "DE123456789"}]}

    assert (before.status, before.defaults.tax_code) == ("active", "txcd_99999999")
    assert made.tax_amount_exclusive == 7
    assert rates(calculate(registered, {"country": "DE"}, {"amount": 100}, details=at_home))[0][2] == "reduced_rated"
    events = http.get("/v1/events?type=tax.settings.updated").json
    assert events is not None
    assert len(events["data"]) == 2


def test_tax_codes_are_listed_and_looked_up(client: stripe.StripeClient) -> None:
    first = client.v1.tax_codes.list({"limit": 2})
    found = [code.id for code in client.v1.tax_codes.list({"limit": 2}).auto_paging_iter()]

    assert first.has_more
    assert len(set(found)) == len(found) > 5
    assert client.v1.tax_codes.retrieve("txcd_35010000").name == "Books"
    with pytest.raises(stripe.InvalidRequestError, match="No such tax code"):
        client.v1.tax_codes.retrieve("txcd_1")
