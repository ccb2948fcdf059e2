"""Misbehaving on request, looking inside, and doing what the dashboard does."""

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import stripe
from flask import Flask
from flask.testing import FlaskClient

from till_sandbox.app import create_app
from till_sandbox.faults import Fault
from till_sandbox.sandbox import Sandbox
from till_sandbox.state import State
from till_sandbox.testing import Endpoint, ManualClock

URL, SECRET = "http://shop.example/webhooks", "whsec_control"
PAYMENT = {"amount": "500", "currency": "usd"}


@pytest.fixture
def control(application: Flask) -> FlaskClient:
    return application.test_client()


@pytest.fixture
def listening(sandbox: Sandbox) -> None:
    sandbox.forward("sk_test_contract", URL, [SECRET])


def ask_for(control: FlaskClient, **fault: Any) -> None:
    answer = control.post("/sandbox/faults", json=fault)
    assert answer.status_code == 201, answer.json


def pay(client: stripe.StripeClient) -> str:
    params: Any = {"amount": 500, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
    return str(client.v1.payment_intents.create(params).latest_charge)


def test_the_next_calls_fail_and_no_more(control: FlaskClient, http: FlaskClient) -> None:
    ask_for(control, target="api", kind="error", times=2)

    statuses = [http.post("/v1/payment_intents", data=PAYMENT).status_code for _ in range(3)]

    assert statuses == [500, 500, 200]
    assert control.get("/sandbox/faults").json == {"faults": []}


def test_a_fault_strikes_after_calls_that_found_none(control: FlaskClient, http: FlaskClient) -> None:
    quiet = [http.post("/v1/payment_intents", data=PAYMENT).status_code for _ in range(2)]

    ask_for(control, target="api", kind="error")

    assert quiet == [200, 200]
    assert http.post("/v1/payment_intents", data=PAYMENT).status_code == 500


def test_of_calls_that_come_at_once_one_fails_when_one_was_asked_for(sandbox: Sandbox) -> None:
    sandbox.faults.add("api", "error", 1, {})
    start = Barrier(8)

    def call() -> Fault | None:
        start.wait(timeout=30)
        return sandbox.faults.next("api", "GET /v1/charges")

    with ThreadPoolExecutor(8) as pool:
        struck = [answer.result() for answer in [pool.submit(call) for _ in range(8)]]

    assert [fault.kind for fault in struck if isinstance(fault, Fault)] == ["error"]
    assert struck.count(None) == 7


def test_a_fault_says_how_often_it_struck(sandbox: Sandbox) -> None:
    sandbox.faults.add("api", "error", -1, {"probability": 0.5, "seed": 3})

    struck = [sandbox.faults.next("api", "GET /v1/charges") is not None for _ in range(40)]

    (fault,) = sandbox.faults.all()
    assert (fault.seen, fault.struck) == (40, sum(struck))
    assert 10 < fault.struck < 30


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_breakdown_is_kept_under_its_key_whether_work_was_done_or_not(
    control: FlaskClient, http: FlaskClient, when: str, made: int
) -> None:
    ask_for(control, target="api", kind="error", when=when, match="POST /v1/payment_intents")

    failed = http.post("/v1/payment_intents", data=PAYMENT, headers={"Idempotency-Key": "k"})
    again = http.post("/v1/payment_intents", data=PAYMENT, headers={"Idempotency-Key": "k"})

    assert (failed.status_code, again.status_code) == (500, 500)
    assert failed.headers["Stripe-Should-Retry"] == "false"
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(http.get("/v1/payment_intents").get_json()["data"]) == made


@pytest.mark.parametrize(("when", "made"), [("before", 1), ("after", 2)])
def test_a_breakdown_without_a_key_is_forgotten(control: FlaskClient, http: FlaskClient, when: str, made: int) -> None:
    ask_for(control, target="api", kind="error", when=when, match="POST /v1/payment_intents")

    answers = [http.post("/v1/payment_intents", data=PAYMENT).status_code for _ in range(2)]

    assert answers == [500, 200]
    assert len(http.get("/v1/payment_intents").get_json()["data"]) == made


def test_a_call_whose_connection_broke_afterwards_has_done_its_work(control: FlaskClient, http: FlaskClient) -> None:
    ask_for(control, target="api", kind="reset", when="after", match="POST /v1/payment_intents")

    with pytest.raises(ConnectionResetError):
        http.post("/v1/payment_intents", data=PAYMENT, headers={"Idempotency-Key": "k"})
    again = http.post("/v1/payment_intents", data=PAYMENT, headers={"Idempotency-Key": "k"})

    assert again.status_code == 200
    assert again.headers["Idempotent-Replayed"] == "true"


def test_only_matching_calls_fail(control: FlaskClient, http: FlaskClient) -> None:
    ask_for(control, target="api", kind="rate_limit", match="POST /v1/refunds")

    assert http.get("/v1/charges").status_code == 200
    limited = http.post("/v1/refunds")
    assert (limited.status_code, limited.headers["Stripe-Rate-Limited-Reason"]) == (429, "global-rate")


@pytest.mark.parametrize(("kind", "raised"), [("reset", ConnectionResetError), ("timeout", TimeoutError)])
def test_a_line_that_breaks(control: FlaskClient, http: FlaskClient, kind: str, raised: type[Exception]) -> None:
    ask_for(control, target="api", kind=kind, when="after")

    with pytest.raises(raised):
        http.post("/v1/payment_intents", data=PAYMENT)

    assert len(http.get("/v1/payment_intents").json["data"]) == 1  # type: ignore[index]  # a list


def test_some_of_many_calls_fail_the_same_ones_for_the_same_seed(control: FlaskClient, http: FlaskClient) -> None:
    def play() -> list[int]:
        control.delete("/sandbox/faults")
        ask_for(control, target="api", kind="error", times=-1, probability=0.3, seed=7)
        return [http.get("/v1/charges").status_code for _ in range(40)]

    first, second = play(), play()

    assert first == second
    assert 3 < first.count(500) < 25


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize(
    ("kind", "received"),
    [
        ("drop", ["payment_intent.canceled"]),
        ("double", ["payment_intent.created", "payment_intent.created", "payment_intent.canceled"]),
        ("reorder", ["payment_intent.canceled", "payment_intent.created"]),
        ("delay", ["payment_intent.canceled", "payment_intent.created"]),
    ],
)
def test_a_delivery_goes_wrong(
    control: FlaskClient,
    client: stripe.StripeClient,
    endpoint: Endpoint,
    later: Callable[[float], None],
    kind: str,
    received: list[str],
) -> None:
    ask_for(control, target="webhook", kind=kind, match="payment_intent.created", seconds=3)

    intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    client.v1.payment_intents.cancel(intent.id)
    later(6)

    assert endpoint.types == received


@pytest.mark.usefixtures("listening")
def test_a_delivery_signed_wrongly_is_signed_rightly_the_next_time(
    control: FlaskClient, client: stripe.StripeClient, endpoint: Endpoint, later: Callable[[float], None]
) -> None:
    ask_for(control, target="webhook", kind="bad_signature")
    endpoint.answers = [400]

    client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    later(3)

    wrong, right = endpoint.received
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(wrong.body, wrong.headers["Stripe-Signature"], SECRET)
    assert stripe.WebhookSignature.verify_header(right.body, right.headers["Stripe-Signature"], SECRET)


@pytest.mark.usefixtures("listening")
def test_deliveries_can_be_looked_at_and_sent_twice(
    control: FlaskClient, client: stripe.StripeClient, endpoint: Endpoint, sandbox: Sandbox
) -> None:
    endpoint.answers = [503]
    client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    sandbox.deliver_due()
    seen = control.get("/sandbox/deliveries").json
    assert seen is not None
    (delivery,) = seen["deliveries"]
    assert (delivery["type"], delivery["url"], delivery["status"]) == ("payment_intent.created", URL, "pending")
    assert [attempt["status"] for attempt in delivery["attempts"]] == [503]

    control.post(f"/sandbox/deliveries/{delivery['id']}/send", json={"times": 2})
    sandbox.deliver_due()

    assert len(endpoint.received) == 3


def test_time_can_be_moved(control: FlaskClient, client: stripe.StripeClient, clock: ManualClock) -> None:
    control.post("/sandbox/clock", json={"advance": 86400})

    assert client.v1.payment_intents.create({"amount": 500, "currency": "usd"}).created == clock.now() + 86400


def test_the_dashboard_refunds(control: FlaskClient, client: stripe.StripeClient) -> None:
    charge = pay(client)

    refund = control.post("/sandbox/refunds", json={"charge": charge, "amount": 200}).json

    assert refund is not None
    assert refund["refund"]["amount"] == 200
    told = client.v1.events.list({"type": "refund.created"}).data[0]
    assert told.request is not None
    assert told.request.id is None


def test_a_cardholder_disputes(control: FlaskClient, client: stripe.StripeClient) -> None:
    charge = pay(client)

    dispute = control.post("/sandbox/disputes", json={"charge": charge, "kind": "product_not_received"}).json

    assert dispute is not None
    assert dispute["dispute"]["reason"] == "product_not_received"
    assert client.v1.charges.retrieve(charge).disputed


@pytest.mark.parametrize(("outcome", "status"), [("complete", "succeeded"), ("fail", "requires_payment_method")])
def test_a_challenge_is_decided_from_outside(
    control: FlaskClient, client: stripe.StripeClient, outcome: str, status: str
) -> None:
    params: Any = {
        "amount": 500,
        "currency": "usd",
        "confirm": True,
        "payment_method": "pm_card_authenticationRequired",
    }
    intent = client.v1.payment_intents.create(params)
    found = control.get("/sandbox/challenges").json
    assert found is not None
    (challenge,) = found["challenges"]

    control.post(f"/sandbox/challenges/{challenge['id']}", json={"outcome": outcome})

    assert client.v1.payment_intents.retrieve(intent.id).status == status


def test_everything_can_be_forgotten(control: FlaskClient, client: stripe.StripeClient) -> None:
    pay(client)

    control.post("/sandbox/reset", json={})

    assert client.v1.events.list().data == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/sandbox/clock", {"advance": "x"}, 400),
        ("POST", "/sandbox/clock", {"advance": -1}, 400),
        ("POST", "/sandbox/clock", [], 400),
        ("POST", "/sandbox/clock", {"wat": 1}, 400),
        ("POST", "/sandbox/faults", {"target": "api"}, 400),
        ("POST", "/sandbox/faults", {"target": "api", "kind": "drop"}, 400),
        ("POST", "/sandbox/faults", {"target": "api", "kind": "error", "when": "never"}, 400),
        ("POST", "/sandbox/faults", {"target": "api", "kind": "error", "times": 0}, 400),
        ("POST", "/sandbox/refunds", {"charge": "ch_nope"}, 404),
        ("POST", "/sandbox/refunds", {}, 404),
        ("POST", "/sandbox/disputes", {"charge": "ch_nope"}, 404),
        ("POST", "/sandbox/disputes", {"charge": "ch_nope", "kind": "wat"}, 400),
        ("POST", "/sandbox/challenges/src_nope", {"outcome": "complete"}, 404),
        ("POST", "/sandbox/challenges/src_nope", {"outcome": "wat"}, 400),
        ("POST", "/sandbox/deliveries/7/send", {}, 404),
        ("POST", "/sandbox/endpoints", {"key": "sk_live_1", "url": URL, "secrets": []}, 400),
        ("POST", "/sandbox/refunds", {"charge": "\ud800"}, 400),
        ("GET", "/sandbox/deliveries?limit=x", None, 400),
    ],
)
def test_wrong_requests_are_told_what_is_wrong(
    control: FlaskClient, method: str, path: str, body: object, status: int
) -> None:
    answer = control.open(path, method=method, json=body)

    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["error"]


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"])
def test_what_is_no_json_to_speak_of_is_refused(control: FlaskClient, body: bytes) -> None:
    answer = control.post("/sandbox/reset", data=body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]


def test_other_origins_cannot_send_commands(control: FlaskClient) -> None:
    assert control.post("/sandbox/reset", data="{}", content_type="text/plain").status_code == 415


@pytest.mark.parametrize("host", ["127.0.0.1:4242", "localhost", "[::1]:4242", "192.168.1.5", "sandbox.internal:8080"])
def test_the_control_api_answers_on_this_machines_names(tmp_path: Path, host: str) -> None:
    application = create_app(tmp_path / "other.sqlite3", allowed_hosts=["sandbox.internal"])

    answer = application.test_client().get("/sandbox/faults", headers={"Host": host, "Origin": f"http://{host}"})

    assert answer.status_code == 200
    application.extensions["sandbox"].stop()


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:8000"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/sandbox/events", "/sandbox/faults"])
def test_the_control_api_answers_no_other_site(control: FlaskClient, headers: dict[str, str], path: str) -> None:
    answer = control.get(path, headers=headers)

    assert answer.status_code == 403
    assert list(answer.json or {}) == ["error"]


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    database = tmp_path / "sandbox.sqlite3"
    with closing(State(database)) as state, state.write("") as tx:
        tx.execute("INSERT INTO settings (name, value) VALUES ('a', 'b')")
        files = sorted(tmp_path.iterdir())
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}

    assert database in files
