"""What holds for every request: keys, versions, unknown addresses, idempotency, locks."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
import stripe
from flask import Flask
from flask.testing import FlaskClient

from till_sandbox.api.keys import DEFAULT_KEY, account_of
from till_sandbox.sandbox import Sandbox
from till_sandbox.testing import ManualClock, connect

PAYMENT = {"amount": "500", "currency": "usd"}


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer sk_live_abcdefghijklmnop", "Bearer pk_live_abcdefghijklmnop", "Bearer nonsense", "Basic %%%"],
)
def test_only_test_keys_are_let_in(application: Flask, authorization: str) -> None:
    answer = application.test_client().get("/v1/charges", headers={"Authorization": authorization})

    assert answer.status_code == 401
    assert answer.json is not None
    assert answer.json["error"]["type"] == "invalid_request_error"
    assert "abcdefghijkl" not in answer.text


def test_a_key_may_come_as_basic_authorization_or_as_a_parameter(application: Flask) -> None:
    client = application.test_client()

    assert client.get("/v1/charges", auth=("sk_test_a", "")).status_code == 200
    assert client.get("/v1/charges?key=sk_test_a").status_code == 200


def test_accounts_do_not_see_each_other(application: Flask) -> None:
    mine, other = connect(application, "sk_test_mine"), connect(application, "sk_test_other")
    intent = mine.v1.payment_intents.create({"amount": 500, "currency": "usd"})

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        other.v1.payment_intents.retrieve(intent.id)

    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    assert other.v1.events.list().data == []


@pytest.mark.parametrize("header", ["Stripe-Account", "Stripe-Context"])
def test_a_key_acts_for_its_own_account_only(http: FlaskClient, client: stripe.StripeClient, header: str) -> None:
    own = client.v1.accounts.retrieve_current().id

    assert http.post("/v1/customers", headers={header: own}).status_code == 200
    refusal = http.post("/v1/customers", headers={header: "acct_other"})
    assert refusal.status_code == 403
    assert refusal.json is not None
    assert refusal.json["error"]["code"] == "account_invalid"
    assert "acct_other" in refusal.json["error"]["message"]
    assert len(client.v1.customers.list().data) == 1


def test_a_made_up_version_is_refused(http: FlaskClient) -> None:
    answer = http.get("/v1/charges", headers={"Stripe-Version": "not-a-real-version"})

    assert (answer.status_code, answer.json) == (
        400,
        {"error": {"message": "Invalid Stripe API version: not-a-real-version", "type": "invalid_request_error"}},
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nope"),
        ("DELETE", "/v1/charges/ch_1"),
        ("PUT", "/v1/charges"),
        ("TRACE", "/v1/charges"),
        ("GET", "/v1/charges/"),
        ("GET", "/v1//charges"),
        ("GET", "/v1/charges//"),
        ("POST", "/v2/core/events"),
    ],
)
def test_what_stripe_does_not_have_is_an_unknown_url(http: FlaskClient, method: str, path: str) -> None:
    answer = http.open(path, method=method)

    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["error"]["message"].startswith(f"Unrecognized request URL ({method}: {path}).")


@pytest.mark.parametrize(
    "body",
    [
        "a[b",
        "[x]=1",
        "amount[]=1&amount[x]=2",
        "amount=1&amount[x]=2",
        "metadata[a][b]=c",
        "expand=x",
        "%ff=%fe",
        "&&=&",
    ],
)
def test_malformed_bodies_are_refused_never_a_fault(http: FlaskClient, body: str) -> None:
    answer = http.post("/v1/payment_intents", data=body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 400


def test_json_bodies_are_refused_as_stripe_does(http: FlaskClient) -> None:
    answer = http.post("/v1/payment_intents", json=PAYMENT)

    assert answer.status_code == 400
    assert "application/x-www-form-urlencoded" in answer.text


def test_the_same_key_gives_the_same_answer(http: FlaskClient) -> None:
    first = http.post("/v1/payment_intents", data=PAYMENT, headers={"Idempotency-Key": "k"})
    again = http.post("/v1/payment_intents", data=PAYMENT, headers={"Idempotency-Key": "k"})

    assert (again.status_code, again.json) == (200, first.json)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Original-Request"] == first.headers["Request-Id"]


def test_the_same_key_with_other_parameters_is_refused(http: FlaskClient) -> None:
    http.post("/v1/payment_intents", data=PAYMENT, headers={"Idempotency-Key": "k"})

    answer = http.post("/v1/payment_intents", data={**PAYMENT, "amount": 501}, headers={"Idempotency-Key": "k"})

    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["error"]["type"] == "idempotency_error"


def test_the_same_key_for_another_endpoint_is_refused(http: FlaskClient) -> None:
    http.post("/v1/customers", headers={"Idempotency-Key": "k"})

    answer = http.post("/v1/payment_intents", data=PAYMENT, headers={"Idempotency-Key": "k"})

    assert answer.status_code == 400
    assert "for the same endpoint they were first used for ('/v1/payment_intents' vs '/v1/customers')" in answer.text


def test_an_empty_key_is_no_key(http: FlaskClient) -> None:
    first = http.post("/v1/payment_intents", data=PAYMENT, headers={"Idempotency-Key": ""})
    other = http.post("/v1/customers", headers={"Idempotency-Key": ""})

    assert (first.status_code, other.status_code) == (200, 200)
    assert "Idempotency-Key" not in first.headers


def test_nothing_is_kept_under_an_empty_key_when_stripe_breaks_down(http: FlaskClient, sandbox: Sandbox) -> None:
    sandbox.faults.add("api", "error", 1, {})

    broken = http.post("/v1/payment_intents", data=PAYMENT, headers={"Idempotency-Key": ""})

    assert broken.status_code == 500
    assert "Stripe-Should-Retry" not in broken.headers


def test_an_answer_names_the_version_it_was_asked_in(http: FlaskClient) -> None:
    asked = http.get("/v1/charges", headers={"Stripe-Version": "2026-08-26.dahlia"})
    unasked = http.get("/v1/charges")

    assert asked.headers["Stripe-Version"] == "2026-08-26.dahlia"
    assert unasked.headers["Stripe-Version"] == "2026-10-28.endive"


def test_a_decline_is_replayed_and_charges_once(http: FlaskClient) -> None:
    form = {**PAYMENT, "confirm": "true", "payment_method": "pm_card_chargeDeclined"}

    first = http.post("/v1/payment_intents", data=form, headers={"Idempotency-Key": "k"})
    again = http.post("/v1/payment_intents", data=form, headers={"Idempotency-Key": "k"})

    assert (first.status_code, again.status_code, again.json) == (402, 402, first.json)
    assert len(http.get("/v1/charges").json["data"]) == 1  # type: ignore[index]  # a list is never null


def test_a_request_that_was_wrong_may_be_mended_under_its_key(http: FlaskClient) -> None:
    wrong = http.post("/v1/payment_intents", data={**PAYMENT, "amount": "1"}, headers={"Idempotency-Key": "k"})

    mended = http.post("/v1/payment_intents", data=PAYMENT, headers={"Idempotency-Key": "k"})

    assert (wrong.status_code, mended.status_code) == (400, 200)


def test_a_key_is_forgotten_after_a_day(http: FlaskClient, clock: ManualClock) -> None:
    first = http.post("/v1/payment_intents", data=PAYMENT, headers={"Idempotency-Key": "k"})

    clock.advance(25 * 3600)
    again = http.post("/v1/payment_intents", data=PAYMENT, headers={"Idempotency-Key": "k"})

    assert again.status_code == 200
    assert again.json["id"] != first.json["id"]  # type: ignore[index]  # both are payment intents


def test_of_many_at_once_with_one_key_one_is_done(application: Flask) -> None:
    start = Barrier(8)

    def ask(_: int) -> tuple[int, str]:
        client = application.test_client()
        start.wait()
        answer = client.post(
            "/v1/payment_intents",
            data=PAYMENT,
            headers={"Authorization": "Bearer sk_test_contract", "Idempotency-Key": "k"},
        )
        return answer.status_code, answer.json["id"] if answer.status_code == 200 else ""  # type: ignore[index]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))

    assert {status for status, _ in answers} <= {200, 409}
    assert len({found for _, found in answers if found}) == 1


def test_of_many_at_once_paying_one_intent_one_wins(application: Flask, client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    start = Barrier(8)

    def pay(_: int) -> tuple[int, str]:
        browser = application.test_client()
        start.wait()
        answer = browser.post(
            f"/v1/payment_intents/{intent.id}/confirm",
            data={"payment_method": "pm_card_visa"},
            headers={"Authorization": "Bearer sk_test_contract"},
        )
        return answer.status_code, "" if answer.status_code == 200 else answer.json["error"]["code"]  # type: ignore[index]

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(pay, range(8)))

    assert answers[0] == (200, "")
    assert set(answers[1:]) <= {(400, "payment_intent_unexpected_state"), (429, "lock_timeout")}
    assert len(client.v1.charges.list({"payment_intent": intent.id}).data) == 1


def test_who_waits_too_long_for_an_object_is_told_to_come_again(
    application: Flask, client: stripe.StripeClient, sandbox: Sandbox
) -> None:
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd"})

    def describe(_: int) -> tuple[int, str | None]:
        answer = application.test_client().post(
            f"/v1/payment_intents/{intent.id}",
            data={"description": "x"},
            headers={"Authorization": "Bearer sk_test_contract"},
        )
        if answer.status_code != 200:
            waited_in_vain.set()
        return answer.status_code, answer.headers.get("Stripe-Should-Retry")

    waited_in_vain = Event()
    with ThreadPoolExecutor(2) as pool:
        with sandbox.state.write("acct_busy"):
            asked = [pool.submit(describe, number) for number in range(2)]
            assert waited_in_vain.wait(10)
        answers = sorted((future.result() for future in asked), key=str)

    assert answers == [(200, None), (429, "true")]


def test_browsers_see_and_do_only_what_they_may(browser: FlaskClient, client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd", "metadata": {"secret": "note"}})

    assert browser.get("/v1/payment_intents").status_code == 403
    assert browser.get(f"/v1/payment_intents/{intent.id}").status_code == 400
    assert browser.get(f"/v1/payment_intents/{intent.id}?client_secret=wrong").status_code == 400
    seen = browser.get(f"/v1/payment_intents/{intent.id}?client_secret={intent.client_secret}")
    assert seen.status_code == 200
    assert seen.json is not None
    assert not {"metadata", "customer", "latest_charge", "amount_received"} & set(seen.json)


def test_an_answer_is_indented_by_two_spaces(http: FlaskClient) -> None:
    answer = http.post("/v1/payment_intents", data={**PAYMENT, "description": "Café ☕", "metadata[a]": "1"})

    assert answer.text == json.dumps(answer.json, indent=2, ensure_ascii=False) + "\n"


def test_booleans_may_be_written_as_old_python_libraries_do(http: FlaskClient) -> None:
    form = {**PAYMENT, "confirm": "True", "payment_method": "pm_card_visa", "off_session": "False"}

    assert (http.post("/v1/payment_intents", data=form).json or {})["status"] == "succeeded"


def test_the_default_key_is_as_long_as_real_ones_and_older_ones_stay() -> None:
    assert re.fullmatch("sk_test_[A-Za-z0-9]{24,}", DEFAULT_KEY)
    assert account_of(DEFAULT_KEY) == account_of("sk_test_sandbox") != account_of("sk_test_other")
