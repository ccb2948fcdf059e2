"""Every test card does over the API what Stripe's list says."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe
from flask.testing import FlaskClient

from till_sandbox.data import load
from till_sandbox.model import authentications
from till_sandbox.model.methods import card_table as cards
from till_sandbox.sandbox import Sandbox

Later = Callable[[float], None]

ROWS: list[dict[str, Any]] = load("test-cards")["cards"]
WITH_CHALLENGE = {
    "4000002500003155",
    "4000002760003184",
    "4000003800000446",
    "4000008260003178",
    "4000000000003220",
    "4000008400000027",
    "4000008400001629",
}
#: Cards that are declined without an error code in Stripe's list, by what the bank or Radar says.
DECLINED_LATER = {
    "4100000000000019": "fraudulent",
    "4000000000004954": "fraudulent",
    "4000008260003178": "insufficient_funds",
    "4000008400001629": "generic_decline",
    "4000008400001280": "generic_decline",
}


def named(row: dict[str, Any]) -> str:
    return f"{row['number']} {row['group']} {row['description'][:30]}"


def expected_decline(row: dict[str, Any]) -> tuple[str, str | None] | None:
    """Code and decline code by Stripe's list. Where it gives no decline code, Stripe repeats the code."""
    if "error_code" in row:
        code = row["error_code"]
        repeated = "generic_decline" if code == "card_declined" else None if code == "incorrect_number" else code
        return code, row["decline_code"] or repeated
    if row["number"] in DECLINED_LATER:
        return "card_declined", DECLINED_LATER[row["number"]]
    return None


def type_in(browser: FlaskClient, intent: stripe.PaymentIntent, row: dict[str, Any]) -> dict[str, Any]:
    answer = browser.post(
        f"/v1/payment_intents/{intent.id}/confirm",
        data={
            "client_secret": intent.client_secret,
            "use_stripe_sdk": "true",
            "payment_method_data[type]": "card",
            "payment_method_data[card][number]": row["number"],
            "payment_method_data[card][exp_month]": "12",
            "payment_method_data[card][exp_year]": "34",
            "payment_method_data[card][cvc]": "1" * row.get("cvc_digits", 3),
        },
    )
    assert answer.json is not None
    assert answer.status_code == (402 if "error" in answer.json else 200)
    return dict(answer.json)


def complete(sandbox: Sandbox, body: dict[str, Any]) -> None:
    said = body["next_action"]["use_stripe_sdk"]
    authentications.decide(sandbox.state, said["source"], said["stripe_js"].partition("client_secret=")[2], "complete")


def test_the_list_is_whole() -> None:
    assert len(ROWS) == 151
    assert {row["number"] for row in ROWS} == {row["number"] for row in ROWS if "name" in row}


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_a_typed_card_does_what_the_list_says(
    row: dict[str, Any], browser: FlaskClient, client: stripe.StripeClient, sandbox: Sandbox
) -> None:
    intent = client.v1.payment_intents.create({"amount": 4900, "currency": "usd"})

    body = type_in(browser, intent, row)
    if row["number"] in WITH_CHALLENGE:
        assert body["status"] == "requires_action"
        complete(sandbox, body)

    paid = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    decline = expected_decline(row)
    if decline is None:
        assert paid.status == "succeeded"
        assert isinstance(paid.latest_charge, stripe.Charge)
        assert paid.latest_charge.payment_method_details is not None
        assert paid.latest_charge.payment_method_details.card is not None
        assert paid.latest_charge.payment_method_details.card.last4 == row["number"][-4:]
        assert row.get("country") in (None, paid.latest_charge.payment_method_details.card.country)
    else:
        error = body["error"] if "error" in body else paid.to_dict()["last_payment_error"]
        assert (error["code"], error.get("decline_code")) == decline
        assert paid.status == "requires_payment_method"
    assert cards.passes_luhn(row["number"]) is row["luhn_valid"]


NAMED = [(name, row) for row in ROWS for name in (row["payment_method"] or "").split(" | ") if name]


@pytest.mark.parametrize(("name", "row"), NAMED, ids=lambda value: value if isinstance(value, str) else "")
def test_a_card_named_by_a_server_does_the_same(
    name: str, row: dict[str, Any], http: FlaskClient, client: stripe.StripeClient, sandbox: Sandbox
) -> None:
    alias = name if name.startswith("pm_card_") else f"pm_card_{name}"
    intent = client.v1.payment_intents.create({"amount": 4900, "currency": "usd"})

    answer = http.post(f"/v1/payment_intents/{intent.id}/confirm", data={"payment_method": alias})

    assert answer.json is not None
    if row["number"] in WITH_CHALLENGE:
        complete(sandbox, answer.json)
    decline = expected_decline(row)
    paid = client.v1.payment_intents.retrieve(intent.id)
    assert paid.status == ("requires_payment_method" if decline else "succeeded")
    if decline:
        assert paid.last_payment_error is not None
        assert (paid.last_payment_error.code, paid.last_payment_error.decline_code) == decline


@pytest.mark.parametrize(
    ("card", "off_session_succeeds"),
    [
        ("pm_card_authenticationRequired", False),
        ("pm_card_authenticationRequiredOnSetup", False),
        ("pm_card_authenticationRequiredSetupForOffSession", True),
        ("pm_card_threeDSecureOptional", True),
    ],
)
def test_off_session_there_is_nobody_to_challenge(
    card: str, off_session_succeeds: bool, client: stripe.StripeClient
) -> None:
    customer = client.v1.customers.create({"name": "Ada"})
    params: Any = {
        "amount": 4900,
        "currency": "usd",
        "customer": customer.id,
        "payment_method": card,
        "off_session": True,
        "confirm": True,
    }

    if off_session_succeeds:
        assert client.v1.payment_intents.create(params).status == "succeeded"
        return
    with pytest.raises(stripe.CardError) as refusal:
        client.v1.payment_intents.create(params)
    assert refusal.value.code == "authentication_required"
    assert client.v1.charges.list().data == []


@pytest.mark.parametrize(
    ("card", "request_three_d_secure", "status"),
    [
        ("pm_card_threeDSecureOptional", "any", "requires_action"),
        ("pm_card_threeDSecureOptional", "automatic", "succeeded"),
        ("pm_card_visa", "any", "succeeded"),
        ("pm_card_amex_threeDSecureNotSupported", "any", "succeeded"),
        ("pm_card_threeDSecureOptionalProcessingError", "automatic", "succeeded"),
        ("pm_card_threeDSecureOptionalProcessingError", "any", "processing_error"),
    ],
)
def test_a_challenge_can_be_asked_for(card: str, request_three_d_secure: str, status: str, http: FlaskClient) -> None:
    form = {
        "amount": "4900",
        "currency": "usd",
        "confirm": "true",
        "payment_method": card,
        "payment_method_options[card][request_three_d_secure]": request_three_d_secure,
    }

    answer = http.post("/v1/payment_intents", data=form).json

    assert answer is not None
    assert (answer["error"]["code"] if "error" in answer else answer["status"]) == status


def test_a_blocked_payment_never_reaches_the_bank(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError):
        client.v1.payment_intents.create(
            {"amount": 4900, "currency": "usd", "confirm": True, "payment_method": "pm_card_radarBlock"}
        )

    (charge,) = client.v1.charges.list().data
    assert charge.outcome is not None
    assert (charge.outcome.type, charge.outcome.network_status) == ("blocked", "not_sent_to_network")


def test_funds_that_skip_the_pending_balance(client: stripe.StripeClient, later: Later) -> None:
    client.v1.payment_intents.create(
        {"amount": 4900, "currency": "usd", "confirm": True, "payment_method": "pm_card_bypassPending"}
    )
    later(2)

    assert client.v1.balance_transactions.list().data[0].status == "available"


DISPUTED = {row["number"]: row for row in ROWS if row["group"] == "dispute" and "warning" not in row["description"]}


@pytest.mark.parametrize("number", DISPUTED)
def test_a_dispute_card_is_disputed(
    number: str, browser: FlaskClient, client: stripe.StripeClient, later: Later
) -> None:
    intent = client.v1.payment_intents.create({"amount": 4900, "currency": "usd"})
    type_in(browser, intent, DISPUTED[number])

    later(4)

    found = client.v1.disputes.list({"payment_intent": intent.id}).data
    description = DISPUTED[number]["description"]
    assert len(found) == (2 if "multiple" in description else 1)
    assert found[0].status == ("warning_needs_response" if "inquiry" in description else "needs_response")
    assert (found[0].reason == "product_not_received") is ("product not received" in description)
    assert ("compliance" in description) is (found[0].reason == "noncompliant")


@pytest.mark.parametrize(
    ("card", "risk", "failing"),
    [
        ("pm_card_riskLevelElevated", "elevated", None),
        ("pm_card_cvcCheckFail", "normal", "cvc_check"),
        ("pm_card_cvcCheckFailElevatedRisk", "elevated", "cvc_check"),
        ("pm_card_avsZipFail", "normal", "address_postal_code_check"),
        ("pm_card_avsZipFailElevatedRisk", "elevated", "address_postal_code_check"),
        ("pm_card_avsLine1Fail", "normal", "address_line1_check"),
        ("pm_card_visa", "normal", None),
    ],
)
def test_risk_and_checks_are_on_the_charge(
    card: str, risk: str, failing: str | None, client: stripe.StripeClient
) -> None:
    customer = client.v1.customers.create({"name": "Ada"})
    saved = client.v1.payment_methods.attach(card, {"customer": customer.id})
    address: Any = {"line1": "1 Main St", "postal_code": "62701"}
    client.v1.payment_methods.update(saved.id, {"billing_details": {"address": address}})

    client.v1.payment_intents.create(
        {"amount": 4900, "currency": "usd", "customer": customer.id, "payment_method": saved.id, "confirm": True}
    )

    (charge,) = client.v1.charges.list().data
    assert charge.outcome is not None
    assert charge.outcome.risk_level == risk
    checks = charge.to_dict()["payment_method_details"]["card"]["checks"]
    assert {name for name, result in checks.items() if result == "fail"} == ({failing} if failing else set())
