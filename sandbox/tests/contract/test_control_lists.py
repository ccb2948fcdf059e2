"""Looking inside the sandbox: by account, by payment, by the clock; and what the console asks for beyond that."""

from typing import Any

import pytest
import stripe
from flask import Flask
from flask.testing import FlaskClient

from harness.checkout import opener
from till_sandbox.api.keys import account_of
from till_sandbox.sandbox import Sandbox
from till_sandbox.testing import Endpoint

URL, SECRET = "http://shop.example/webhooks", "whsec_control"


@pytest.fixture
def control(application: Flask) -> FlaskClient:
    return application.test_client()


def pay(client: stripe.StripeClient, card: str = "pm_card_visa") -> str:
    params: Any = {"amount": 500, "currency": "usd", "confirm": True, "payment_method": card}
    params["allowed_payment_method_types"] = ["card"]
    return client.v1.payment_intents.create(params).id


def test_every_account_is_listed_and_each_alone(control: FlaskClient, client: stripe.StripeClient) -> None:
    ours = pay(client)
    other = control.post(
        "/v1/payment_intents", data={"amount": "700", "currency": "usd"}, headers={"Authorization": "Bearer sk_test_b"}
    ).json
    assert other is not None

    accounts = control.get("/sandbox/accounts").json
    by_key = control.get("/sandbox/payments?account=pk_test_b").json
    by_id = control.get(f"/sandbox/payments?account={account_of('sk_test_contract')}").json

    assert accounts == {
        "accounts": [
            {"id": account_of("sk_test_b"), "payments": 1},
            {"id": account_of("sk_test_contract"), "payments": 1},
        ]
    }
    assert [payment["id"] for payment in (by_key or {})["payments"]] == [other["id"]]
    assert [payment["id"] for payment in (by_id or {})["payments"]] == [ours]
    assert control.get("/sandbox/accounts?account=pk_test_nobody").json == {"accounts": []}


def test_events_and_deliveries_of_one_payment(
    control: FlaskClient, client: stripe.StripeClient, sandbox: Sandbox
) -> None:
    sandbox.forward("sk_test_contract", URL, [SECRET])
    payment, _another = pay(client), pay(client)

    events = (control.get(f"/sandbox/events?about={payment}").json or {})["events"]
    deliveries = (control.get(f"/sandbox/deliveries?about={payment}&account=sk_test_contract").json or {})["deliveries"]

    kinds = ["payment_intent.succeeded", "charge.succeeded", "payment_intent.created"]
    assert [event["type"] for event in events] == [delivery["type"] for delivery in deliveries]
    assert sorted(event["type"] for event in events) == sorted(kinds)
    one = control.get(f"/sandbox/events/{events[0]['id']}").json
    assert one == {"event": events[0]}


def test_an_abandoned_challenge_leaves_the_payment_waiting(control: FlaskClient, client: stripe.StripeClient) -> None:
    intent = pay(client, "pm_card_authenticationRequired")
    (challenge,) = (control.get("/sandbox/challenges").json or {})["challenges"]

    for outcome in ("abandon", "complete"):
        answer = control.post(f"/sandbox/challenges/{challenge['id']}", json={"outcome": outcome}).json
        assert answer is not None
        assert answer["challenge"]["status"] == "abandoned"

    waiting = client.v1.payment_intents.retrieve(intent)
    assert waiting.status == "requires_action"
    again = client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})
    assert again.status == "succeeded"


def test_a_delivery_goes_wrong_by_itself_and_no_other_does(
    control: FlaskClient, client: stripe.StripeClient, sandbox: Sandbox, endpoint: Endpoint
) -> None:
    sandbox.forward("sk_test_contract", URL, [SECRET])
    client.v1.customers.create()
    sandbox.deliver_due()
    client.v1.customers.create()
    sent = len(endpoint.received)
    first = min(delivery["id"] for delivery in (control.get("/sandbox/deliveries").json or {})["deliveries"])

    answer = control.post(f"/sandbox/deliveries/{first}/send", json={"way": "drop"})
    sandbox.deliver_due()

    assert answer.json == {"sent": 1}
    assert len(endpoint.received) - sent == 1  # the second customer's; the first one's was lost
    assert control.get("/sandbox/faults").json == {"faults": []}


def test_checkout_sessions_are_listed_with_their_totals(control: FlaskClient, client: stripe.StripeClient) -> None:
    start = opener(client)
    paid_for, set_up = start(), start(mode="setup", currency="usd")

    found = (control.get("/sandbox/checkout_sessions").json or {})["checkout_sessions"]

    assert [(each["id"], each["text"]) for each in found] == [(set_up.id, None), (paid_for.id, "$18.00")]


def test_one_fault_is_taken_back(control: FlaskClient) -> None:
    for match in ("GET /v1/events", "GET /v1/charges"):
        control.post("/sandbox/faults", json={"target": "api", "kind": "error", "match": match})
    first, second = (control.get("/sandbox/faults").json or {})["faults"]

    left = control.delete(f"/sandbox/faults/{first['id']}").json

    assert left == {"faults": [second]}


def test_the_clock_says_how_far_ahead_it_is(control: FlaskClient, sandbox: Sandbox) -> None:
    control.post("/sandbox/clock", json={"advance": 3600})

    assert control.get("/sandbox/clock").json == {"now": int(sandbox.state.now()), "ahead": 3600}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/sandbox/payments?account=sk_live_x", None, 400),
        ("GET", "/sandbox/payments?limit=99999999999999999999999", None, 200),
        ("GET", "/sandbox/events/evt_nope", None, 404),
        ("GET", "/sandbox/events?about=%27%22", None, 200),
        ("POST", "/sandbox/clock", {"advance": 10**400}, 400),
        ("POST", "/sandbox/clock", {"advance": 10**12}, 400),
        ("POST", "/sandbox/faults", {"target": "api", "kind": "error", "times": 10**30}, 400),
        ("POST", "/sandbox/faults", {"target": "api", "kind": "timeout", "seconds": -1}, 400),
        ("POST", "/sandbox/faults", {"target": "api", "kind": "error", "probability": float("nan")}, 400),
        ("POST", "/sandbox/deliveries/99999999999999999999999/send", {}, 404),
        ("POST", "/sandbox/deliveries/1/send", {"way": "pigeon"}, 400),
        ("POST", "/sandbox/deliveries/1/send", {"times": 0}, 400),
        ("DELETE", "/sandbox/faults/99999999999999999999999", None, 200),
        ("POST", "/sandbox/endpoints", {"key": "sk_test_a", "url": URL, "secrets": [1]}, 400),
        ("POST", "/sandbox/endpoints", {"key": "sk_test_a", "url": URL, "secrets": ["whsec_a"], "wat": 1}, 400),
    ],
)
def test_bad_input_gets_a_clear_answer(control: FlaskClient, method: str, path: str, body: object, status: int) -> None:
    answer = control.open(path, method=method, json=body)

    assert answer.status_code == status
    assert (answer.json or {}).get("error", "") != "" or status == 200
