"""The log of API requests: what was asked, what was answered and why, and what happened then."""

from typing import Any

import pytest
import stripe
from flask import Flask
from flask.testing import FlaskClient

from till_sandbox.api.keys import account_of
from till_sandbox.sandbox import Sandbox

Entry = dict[str, Any]
PAYMENT = {"amount": "500", "currency": "usd"}
CARD = {"payment_method_data[type]": "card", "payment_method_data[card][number]": "4000000000000002"}
CARD |= {"payment_method_data[card][exp_month]": "12", "payment_method_data[card][exp_year]": "2034"}
CARD |= {"payment_method_data[card][cvc]": "987"}


@pytest.fixture
def control(application: Flask) -> FlaskClient:
    return application.test_client()


def logged(control: FlaskClient, query: str = "") -> list[Entry]:
    entries: list[Entry] = (control.get(f"/sandbox/requests?{query}").json or {})["requests"]
    return entries


def test_a_request_is_shown_with_its_answer_and_what_followed(http: FlaskClient, control: FlaskClient) -> None:
    form = {**PAYMENT, "metadata[order]": "T-1"}
    made = http.post("/v1/payment_intents", data=form, headers={"Idempotency-Key": "order-1"})
    http.post("/v1/payment_intents", data=form, headers={"Idempotency-Key": "order-1"})

    repeated, first = logged(control)

    assert (first["id"], first["account"]) == (made.headers["Request-Id"], account_of("sk_test_contract"))
    assert (first["method"], first["path"], first["key"]) == ("POST", "/v1/payment_intents", "secret")
    assert first["parameters"] == {"amount": "500", "currency": "usd", "metadata": {"order": "T-1"}}
    assert (first["status"], first["answer"]["status"]) == (200, "requires_payment_method")
    assert (first["error"], first["fault"]) == (None, None)
    assert [event["type"] for event in first["events"]] == ["payment_intent.created"]
    assert (first["idempotency_key"], first["replayed"]) == ("order-1", False)
    assert (repeated["replayed"], repeated["events"]) == (True, [])


def test_a_refusal_says_why(http: FlaskClient, browser: FlaskClient, control: FlaskClient) -> None:
    intent = http.post("/v1/payment_intents", data=PAYMENT).json or {}
    pay = f"/v1/payment_intents/{intent['id']}/confirm"
    browser.post(pay, data={"client_secret": intent["client_secret"], **CARD})
    http.post("/v1/payment_intents", data={"amount": "5", "wat": "1"})
    http.get("/v1/nowhere")
    control.get("/v1/charges", headers={"Authorization": "Bearer sk_live_abcdefghijk"})

    unauthorized, unknown, wrong, declined, _made = logged(control)

    assert (declined["status"], declined["key"]) == (402, "publishable")
    assert (declined["error"]["code"], declined["error"]["type"]) == ("card_declined", "card_error")
    assert [event["type"] for event in declined["events"]] == ["charge.failed", "payment_intent.payment_failed"]
    assert (wrong["status"], wrong["error"]["param"], wrong["events"]) == (400, "wat", [])
    assert (unknown["status"], unknown["account"]) == (404, account_of("sk_test_contract"))
    assert (unauthorized["status"], unauthorized["account"], unauthorized["key"]) == (401, None, None)


def test_the_log_shows_no_card_number_and_no_secret(
    http: FlaskClient, browser: FlaskClient, control: FlaskClient
) -> None:
    intent = http.post("/v1/payment_intents", data=PAYMENT).json or {}
    browser.post(
        f"/v1/payment_intents/{intent['id']}/confirm",
        data={"key": "pk_test_contract", "client_secret": intent["client_secret"], **CARD},
    )
    challenged = {**PAYMENT, "confirm": "true", "payment_method": "pm_card_threeDSecure2Required"}
    http.post("/v1/payment_intents", data=challenged)
    endpoint = {"url": "https://shop.example/hooks", "enabled_events[]": "*"}
    secret = (http.post("/v1/webhook_endpoints", data=endpoint).json or {})["secret"]

    shown = control.get("/sandbox/requests").get_data(as_text=True)
    _endpoint, _challenged, typed, _made = logged(control)

    card = typed["parameters"]["payment_method_data"]["card"]
    assert (card["number"], card["cvc"], card["exp_month"]) == ("…", "…", "12")
    assert secret not in shown
    assert "https://shop.example/hooks" in shown
    assert [word for word in ("4000000000000002", "_secret_", "test_contract") if word in shown] == []


def test_the_log_can_be_asked_for_one_account_or_one_object(
    http: FlaskClient, client: stripe.StripeClient, control: FlaskClient
) -> None:
    control.post("/v1/payment_intents", data=PAYMENT, headers={"Authorization": "Bearer sk_test_b"})
    made = [client.v1.payment_intents.create({"amount": 500, "currency": "usd"}).id for _ in range(2)]
    http.get(f"/v1/payment_intents/{made[0]}")

    assert [entry["method"] for entry in logged(control, f"about={made[0]}")] == ["GET", "POST"]
    assert len(logged(control, "account=sk_test_b")) == 1
    assert len(logged(control, "limit=2")) == 2


@pytest.mark.parametrize(("when", "status"), [("before", None), ("after", 200)])
def test_a_call_that_was_broken_on_request_says_so(
    http: FlaskClient, control: FlaskClient, sandbox: Sandbox, when: str, status: int | None
) -> None:
    sandbox.faults.add("api", "reset", 1, {"when": when})

    with pytest.raises(ConnectionResetError):
        http.post("/v1/payment_intents", data=PAYMENT)

    assert [(entry["status"], entry["fault"]) for entry in logged(control)] == [(status, "reset")]


def test_the_log_forgets_the_oldest_and_everything_with_a_reset(http: FlaskClient, control: FlaskClient) -> None:
    for _ in range(501):
        http.get("/v1/account")

    assert len(logged(control, "limit=200")) == 200
    control.post("/sandbox/reset", json={})
    assert logged(control) == []
