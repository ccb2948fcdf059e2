"""Transactions of Stripe Tax: recorded from a calculation, reversed, and made by a payment that names one."""

from typing import Any

import pytest
import stripe

from till_sandbox.testing import ManualClock


@pytest.fixture
def tax(client: stripe.StripeClient) -> Any:
    """Stripe Tax of an account that collects 10 % in Australia."""
    options: Any = {"au": {"type": "standard"}}
    client.v1.tax.registrations.create({"country": "AU", "country_options": options, "active_from": "now"})
    return client.v1.tax


def calculate(tax: Any, **more: Any) -> Any:
    """Two lines of 10 and 20 dollars, taxed on top, and what is asked for besides."""
    lines = [{"amount": 1000, "reference": "L1"}, {"amount": 2000, "reference": "L2", "quantity": 2}]
    details = {"address": {"country": "AU"}, "address_source": "shipping"}
    return tax.calculations.create({"currency": "usd", "line_items": lines, "customer_details": details, **more})


def record(tax: Any, reference: str = "order", **more: Any) -> Any:
    asked = {"calculation": calculate(tax, **more).id, "reference": reference, "expand": ["line_items"]}
    return tax.transactions.create_from_calculation(asked)


def reverse(tax: Any, original: Any, reference: str, **more: Any) -> Any:
    asked = {"mode": "partial", **more, "original_transaction": original.id, "reference": reference}
    return tax.transactions.create_reversal({**asked, "expand": ["line_items"]})


def amounts(transaction: Any) -> list[tuple[int, int]]:
    return [(line.amount, line.amount_tax) for line in transaction.line_items.data]


def refusal(call: Any, *arguments: Any, **more: Any) -> Any:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        call(*arguments, **more)
    return refused.value


def test_a_transaction_records_what_was_calculated(tax: Any) -> None:
    made = record(tax, shipping_cost={"amount": 500})

    assert amounts(made) == [(1000, 100), (2000, 200)]
    assert (made.type, made.reference, made.shipping_cost.amount_tax) == ("transaction", "order", 50)
    assert tax.transactions.retrieve(made.id).posted_at == made.created
    assert [line.quantity for line in tax.transactions.line_items.list(made.id).data] == [1, 2]


def test_a_calculation_and_a_reference_are_used_once(tax: Any, clock: ManualClock) -> None:
    made, other, late = calculate(tax), calculate(tax), calculate(tax)
    create = tax.transactions.create_from_calculation
    first = create({"calculation": made.id, "reference": "order"}, {"idempotency_key": "k"})

    again = create({"calculation": made.id, "reference": "order"}, {"idempotency_key": "k"})
    twice = refusal(create, {"calculation": made.id, "reference": "another"})
    same = refusal(create, {"calculation": other.id, "reference": "order"})
    clock.advance(90 * 24 * 3600)
    over = refusal(create, {"calculation": late.id, "reference": "late"})

    assert again.id == first.id
    assert (twice.param, same.param) == ("calculation", "reference")
    assert (over.code, over.param) == ("resource_missing", "calculation")


def test_a_whole_reversal_takes_back_everything_once(tax: Any) -> None:
    made = record(tax, shipping_cost={"amount": 500})

    back = reverse(tax, made, "back", mode="full")

    assert amounts(back) == [(-1000, -100), (-2000, -200)]
    assert (back.shipping_cost.amount, back.shipping_cost.amount_tax) == (-500, -50)
    assert (back.type, back.reversal.original_transaction) == ("reversal", made.id)
    assert back.line_items.data[0].reversal.original_line_item == made.line_items.data[0].id
    assert refusal(reverse, tax, made, "twice", mode="full").param == "original_transaction"
    assert refusal(reverse, tax, record(tax, "o2"), "back", mode="full").param == "reference"


def test_a_flat_amount_is_split_over_what_is_left(tax: Any) -> None:
    halved, by_line = record(tax), record(tax, "order 2")
    line = by_line.line_items.data[0]
    named = {"original_line_item": line.id, "reference": "r1", "amount": -1000, "amount_tax": -100}

    half = reverse(tax, halved, "half", flat_amount=-1650)
    first = reverse(tax, by_line, "first", line_items=[named])
    rest = reverse(tax, by_line, "rest", flat_amount=-1650)

    assert amounts(half) == [(-500, -50), (-1000, -100)]  # the examples of docs.stripe.com/tax/custom
    assert amounts(first) == [(-1000, -100)]
    assert amounts(rest) == [(0, 0), (-1500, -150)]
    assert refusal(reverse, tax, by_line, "more", flat_amount=-551).param == "flat_amount"


def test_a_reversal_can_be_taken_back(tax: Any) -> None:
    made = record(tax)
    part = reverse(tax, made, "part", flat_amount=-3300)

    undone = reverse(tax, part, "undone", mode="full")
    whole = reverse(tax, made, "whole", flat_amount=-3300)

    assert amounts(undone) == [(1000, 100), (2000, 200)]
    assert amounts(whole) == amounts(part)


def test_a_reversal_says_what_it_takes_back(tax: Any) -> None:
    made = record(tax)
    line = {"original_line_item": made.line_items.data[0].id, "reference": "r", "amount": -1001, "amount_tax": 0}

    assert refusal(reverse, tax, made, "a").code == "parameter_missing"
    assert refusal(reverse, tax, made, "a", mode="full", flat_amount=-1).param == "flat_amount"
    assert refusal(reverse, tax, made, "a", flat_amount=5).param == "flat_amount"
    assert refusal(reverse, tax, made, "a", line_items=[line]).param == "line_items[0][amount]"
    foreign = {**line, "original_line_item": "tax_li_x"}
    assert refusal(reverse, tax, made, "a", line_items=[foreign]).code == "resource_missing"
    shipping = {"amount": -1, "amount_tax": 0}
    assert refusal(reverse, tax, made, "a", shipping_cost=shipping).param == "shipping_cost"


def test_a_payment_records_the_tax_that_it_names(tax: Any, client: stripe.StripeClient) -> None:
    made = calculate(tax)
    asked: Any = {
        "amount": made.amount_total,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "hooks": {"inputs": {"tax": {"calculation": made.id}}},
        "confirm": True,
    }

    paid = client.v1.payment_intents.create(asked)
    second = client.v1.payment_intents.create(asked)
    refund = client.v1.refunds.create({"payment_intent": paid.id, "amount": 1650})

    sale, back = tax.associations.find({"payment_intent": paid.id}).tax_transaction_attempts
    assert (sale.source, back.source) == (paid.id, refund.id)
    assert tax.transactions.retrieve(sale.committed.transaction).reference == paid.id
    assert amounts(tax.transactions.retrieve(back.committed.transaction, {"expand": ["line_items"]}))[0] == (-500, -50)
    (late,) = tax.associations.find({"payment_intent": second.id}).tax_transaction_attempts
    assert late.errored.reason == "another_payment_associated_with_calculation"


def test_a_payment_names_a_calculation_that_there_is(tax: Any, client: stripe.StripeClient) -> None:
    intents = client.v1.payment_intents
    unknown: Any = {"inputs": {"tax": {"calculation": "taxcalc_x"}}}
    known: Any = {"inputs": {"tax": {"calculation": calculate(tax).id}}}
    none: Any = {"inputs": {"tax": {"calculation": ""}}}
    plain = intents.create({"amount": 500, "currency": "usd"})

    refused = refusal(intents.create, {"amount": 500, "currency": "usd", "hooks": unknown})
    named = intents.update(plain.id, {"hooks": known})
    no_more = intents.update(plain.id, {"hooks": none})

    assert (refused.code, refused.param) == ("resource_missing", "hooks[inputs][tax][calculation]")
    assert named.hooks is not None
    assert no_more.hooks is None


def test_a_refund_that_fails_is_taxed_again(tax: Any, client: stripe.StripeClient, later: Any) -> None:
    made = calculate(tax)
    hooks: Any = {"inputs": {"tax": {"calculation": made.id}}}
    asked: Any = {"amount": 3300, "currency": "usd", "payment_method": "pm_card_refundFail", "hooks": hooks}
    paid = client.v1.payment_intents.create(asked | {"confirm": True})

    client.v1.refunds.create({"payment_intent": paid.id})
    later(6)

    original = tax.associations.find({"payment_intent": paid.id}).tax_transaction_attempts[0].committed.transaction
    sale = tax.transactions.retrieve(original)
    assert amounts(reverse(tax, sale, "again", flat_amount=-3300)) == [(-1000, -100), (-2000, -200)]
