"""What the payment page makes of Stripe.js's answers: the pure half of its script, run by Node."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.node import run_node

SCRIPT = Path(__file__).parents[3] / "static" / "js" / "payment_outcome.js"


def outcome_of(answer: dict[str, Any]) -> dict[str, Any]:
    program = f"import {{ outcomeOf }} from {json.dumps(SCRIPT.as_uri())};"
    program += f"console.log(JSON.stringify(outcomeOf({json.dumps(answer)})));"
    done = run_node("--input-type=module", "--eval", program)
    assert done.returncode == 0, done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param({"paymentIntent": {"status": "succeeded"}}, "paid", id="paid"),
        pytest.param({"paymentIntent": {"status": "processing"}}, "deciding", id="bank-decides"),
        pytest.param({"paymentIntent": {"status": "canceled"}}, "closed", id="given-up"),
        pytest.param({"paymentIntent": {"status": "requires_action"}}, "unfinished", id="challenge-left-open"),
        pytest.param({"paymentIntent": {"status": "requires_payment_method"}}, "open", id="never-tried"),
        pytest.param({"paymentIntent": {"status": "requires_source"}}, "unknown", id="new-status"),
        pytest.param(
            {"error": {"type": "invalid_request_error", "code": "payment_intent_unexpected_state",
                       "payment_intent": {"status": "succeeded"}}},
            "paid", id="paid-in-another-tab",
        ),
        pytest.param(
            {"error": {"type": "invalid_request_error", "code": "payment_intent_unexpected_state",
                       "payment_intent": {"status": "processing"}}},
            "deciding", id="bank-decides-about-another-tab",
        ),
        pytest.param(
            {"error": {"type": "invalid_request_error", "code": "payment_intent_unexpected_state"}},
            "unknown", id="unexpected-state-without-details",
        ),
        pytest.param({"error": {"type": "api_connection_error"}}, "unknown", id="connection-lost"),
        pytest.param({"error": {"type": "api_error"}}, "unknown", id="server-error"),
        pytest.param({"error": {"type": "rate_limit_error"}}, "unknown", id="too-busy"),
        pytest.param({"error": {"type": "idempotency_error"}}, "unknown", id="asked-twice"),
        pytest.param({"error": {"type": "authentication_error"}}, "unavailable", id="wrong-key"),
        pytest.param({"error": {"type": "invalid_request_error", "code": "missing"}}, "unavailable", id="bug"),
    ],
)  # fmt: skip
def test_every_answer_says_where_the_money_is(answer: dict[str, Any], kind: str) -> None:
    assert outcome_of(answer)["kind"] == kind


@pytest.mark.parametrize(
    ("error", "codes"),
    [
        ({"type": "card_error", "code": "card_declined", "decline_code": "lost_card"}, ["lost_card", "card_declined"]),
        ({"type": "card_error", "code": "expired_card"}, ["expired_card"]),
        ({"type": "card_error"}, []),
        (
            {"type": "invalid_request_error", "code": "payment_intent_authentication_failure",
             "payment_intent": {"status": "requires_payment_method"}},
            ["payment_intent_authentication_failure"],
        ),
    ],
)  # fmt: skip
def test_a_decline_lists_its_codes_the_most_specific_first(error: dict[str, Any], codes: list[str]) -> None:
    assert outcome_of({"error": error}) == {"kind": "declined", "codes": codes}


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        ({"code": "email_invalid", "param": "billing_details[email]"}, "email"),
        ({"code": "email_invalid"}, "email"),
        ({"code": "invalid_characters", "param": "payment_method_data[billing_details][name]"}, "full_name"),
        ({"code": "x", "param": "payment_method_data[billing_details][address][postal_code]"}, "postal_code"),
    ],
)
def test_a_refused_detail_is_named(error: dict[str, Any], detail: str) -> None:
    assert outcome_of({"error": {"type": "invalid_request_error", **error}}) == {"kind": "details", "detail": detail}


def test_a_typing_mistake_is_shown_with_the_card_fields_message() -> None:
    error = {"type": "validation_error", "code": "incomplete_number", "message": "Your card number is incomplete."}

    assert outcome_of({"error": error}) == {"kind": "invalid", "text": "Your card number is incomplete."}
