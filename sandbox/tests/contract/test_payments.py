"""PaymentIntents: created, confirmed, declined, captured, cancelled, as the official SDK sees them."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe
from flask.testing import FlaskClient

from till_sandbox.sandbox import Sandbox
from till_sandbox.testing import ManualClock


def open_payment(client: stripe.StripeClient, **more: object) -> stripe.PaymentIntent:
    params = {"amount": 4900, "currency": "usd", "allowed_payment_method_types": ["card"], **more}
    return client.v1.payment_intents.create(params)  # type: ignore[arg-type]  # built from parts


def event_types(client: stripe.StripeClient) -> list[str]:
    return [event.type for event in reversed(client.v1.events.list({"limit": 100}).data)]


def test_a_payment_succeeds(client: stripe.StripeClient) -> None:
    intent = open_payment(client, metadata={"order": "T-1"})

    paid = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa", "expand": ["latest_charge"]})

    assert (paid.status, paid.amount_received) == ("succeeded", 4900)
    charge = paid.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.status, charge.paid, charge.captured) == ("succeeded", True, True)
    assert charge.metadata["order"] == "T-1"
    assert event_types(client) == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


def test_a_declined_payment_can_be_paid_with_another_card(client: stripe.StripeClient) -> None:
    intent = open_payment(client)

    with pytest.raises(stripe.CardError) as refusal:
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"})

    error = refusal.value.error
    assert error is not None
    assert (error.code, error.decline_code) == ("card_declined", "insufficient_funds")
    assert error.payment_intent is not None
    assert error.payment_intent.status == "requires_payment_method"
    declined = client.v1.payment_intents.retrieve(intent.id)
    assert declined.last_payment_error is not None
    assert declined.last_payment_error.decline_code == "insufficient_funds"
    assert declined.payment_method is None
    paid = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert paid.status == "succeeded"
    assert paid.last_payment_error is None
    assert len(client.v1.charges.list({"payment_intent": intent.id}).data) == 2


def test_paying_twice_is_refused_and_shows_the_paid_intent(client: stripe.StripeClient) -> None:
    intent = open_payment(client, confirm=True, payment_method="pm_card_visa")

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})

    assert refusal.value.code == "payment_intent_unexpected_state"
    assert refusal.value.error is not None
    assert refusal.value.error.payment_intent is not None
    assert refusal.value.error.payment_intent.status == "succeeded"


def test_a_hold_is_captured_in_part(client: stripe.StripeClient) -> None:
    intent = open_payment(client, confirm=True, payment_method="pm_card_visa", capture_method="manual")
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 4900)

    captured = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 4000, "expand": ["latest_charge"]})

    assert (captured.status, captured.amount_received, captured.amount_capturable) == ("succeeded", 4000, 0)
    assert isinstance(captured.latest_charge, stripe.Charge)
    assert captured.latest_charge.balance_transaction is not None
    assert event_types(client)[1:] == [
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "charge.captured",
        "payment_intent.succeeded",
    ]


def test_a_cancelled_hold_is_given_back(client: stripe.StripeClient) -> None:
    intent = open_payment(client, confirm=True, payment_method="pm_card_visa", capture_method="manual")

    cancelled = client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "abandoned")
    assert event_types(client)[-2:] == ["charge.refunded", "payment_intent.canceled"]


def test_a_forgotten_hold_lapses_after_a_week(
    client: stripe.StripeClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    intent = open_payment(client, confirm=True, payment_method="pm_card_visa", capture_method="manual")

    clock.advance(7 * 24 * 3600)
    sandbox.deliver_due()

    lapsed = client.v1.payment_intents.retrieve(intent.id)
    assert (lapsed.status, lapsed.cancellation_reason) == ("canceled", "automatic")
    assert event_types(client)[-2:] == ["charge.expired", "payment_intent.canceled"]


def test_the_fees_of_a_charge_are_known_a_moment_later(
    client: stripe.StripeClient, later: Callable[[float], None]
) -> None:
    intent = open_payment(client, confirm=True, payment_method="pm_card_visa")
    charge_id = str(intent.latest_charge)
    assert client.v1.charges.retrieve(charge_id).balance_transaction is None

    later(2)

    charge = client.v1.charges.retrieve(charge_id, {"expand": ["balance_transaction"]})
    row = charge.balance_transaction
    assert isinstance(row, stripe.BalanceTransaction)
    assert (row.amount, row.fee, row.net, row.source) == (4900, 172, 4728, charge_id)
    updated = client.v1.events.list({"type": "charge.updated"}).data[0]
    assert updated.data.previous_attributes is not None
    assert updated.data.previous_attributes.to_dict() == {"balance_transaction": None}
    assert updated.request is not None
    assert updated.request.id is None


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"currency": "usd"}, "parameter_missing", "amount"),
        ({"amount": "x", "currency": "usd"}, "parameter_invalid_integer", "amount"),
        ({"amount": 0, "currency": "usd"}, "parameter_invalid_integer", "amount"),
        ({"amount": 49, "currency": "usd"}, "amount_too_small", "amount"),
        ({"amount": 29, "currency": "gbp"}, "amount_too_small", "amount"),
        ({"amount": 100_000_000, "currency": "usd"}, "amount_too_large", "amount"),
        ({"amount": 1001, "currency": "kwd"}, None, "amount"),
        ({"amount": 1001, "currency": "isk"}, None, "amount"),
        ({"amount": 500, "currency": "xyz"}, None, "currency"),
        ({"amount": 500, "currency": "usd", "wat": 1}, "parameter_unknown", "wat"),
        ({"amount": 500, "currency": "usd", "shipping[nope]": 1}, "parameter_unknown", "shipping[nope]"),
        ({"amount": 500, "currency": "usd", "confirm": "x"}, None, "confirm"),
        ({"amount": 500, "currency": "usd", "capture_method": "x"}, None, "capture_method"),
        ({"amount": 500, "currency": "usd", "receipt_email": "x"}, "email_invalid", "receipt_email"),
        ({"amount": 500, "currency": "usd", "customer": "cus_x"}, "resource_missing", "customer"),
        ({"amount": 500, "currency": "usd", "description": ""}, "parameter_invalid_empty", "description"),
        ({"amount": 500, "currency": "usd", f"metadata[{'k' * 41}]": "v"}, None, "metadata"),
        ({"amount": 500, "currency": "usd", "metadata[k]": "v" * 501}, None, "metadata[k]"),
        (
            {"amount": 500, "currency": "usd", "payment_method_types[]": "card"},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
    ],
)
def test_wrong_parameters_are_named(http: FlaskClient, params: dict[str, object], code: str | None, param: str) -> None:
    answer = http.post("/v1/payment_intents", data=params)

    assert answer.status_code == 400
    assert answer.json is not None
    error = answer.json["error"]
    assert (error["type"], error.get("code"), error["param"]) == ("invalid_request_error", code, param)
    assert error["request_log_url"].endswith(answer.headers["Request-Id"])


def test_more_than_fifty_metadata_keys_are_refused(http: FlaskClient) -> None:
    metadata = {f"metadata[k{number}]": "v" for number in range(51)}

    answer = http.post("/v1/payment_intents", data={"amount": 500, "currency": "usd", **metadata})

    assert answer.status_code == 400


def test_metadata_merges_and_an_empty_value_removes_a_key(client: stripe.StripeClient) -> None:
    intent = open_payment(client, metadata={"kept": "1", "gone": "2"})

    updated = client.v1.payment_intents.update(intent.id, {"metadata": {"gone": "", "new": "3"}})

    assert updated.metadata.to_dict() == {"kept": "1", "new": "3"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("statement_descriptor", "SHOP"),
        ("statement_descriptor_suffix", "12345"),
        ("statement_descriptor_suffix", "A<B"),
    ],
)
def test_what_a_card_statement_cannot_say_is_refused(client: stripe.StripeClient, field: str, value: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        open_payment(client, **{field: value})

    assert refusal.value.param == field


def test_what_is_asked_of_cards_alone_goes_before_what_is_asked_of_all(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ada"}).id
    of_cards: Any = {"card": {"capture_method": "manual", "setup_future_usage": "none"}}

    held = open_payment(
        client,
        customer=customer,
        setup_future_usage="off_session",
        payment_method_options=of_cards,
        payment_method="pm_card_visa",
        confirm=True,
    )

    assert held.status == "requires_capture"
    assert client.v1.payment_methods.list({"customer": customer}).data == []
