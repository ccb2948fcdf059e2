"""Test clocks: some customers live by a time of their own."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe
from flask.testing import FlaskClient

from till_sandbox.api.keys import account_of
from till_sandbox.model import customer_time, schedule
from till_sandbox.sandbox import Sandbox
from till_sandbox.state import Resource, Transaction
from till_sandbox.testing import START, ManualClock

Later = Callable[[float], None]
CLOCKS = "/v1/test_helpers/test_clocks"
DAY = 24 * 3600
NEW_YEAR = 1893456000  # 2030


@pytest.fixture
def test_clock(client: stripe.StripeClient) -> str:
    return client.v1.test_helpers.test_clocks.create({"frozen_time": NEW_YEAR, "name": "New year"}).id


def advance(client: stripe.StripeClient, clock: str, frozen_time: int) -> Any:
    return client.v1.test_helpers.test_clocks.advance(clock, {"frozen_time": frozen_time})


def test_a_clock_stands_still_until_it_is_advanced(client: stripe.StripeClient, later: Later, test_clock: str) -> None:
    later(60)
    still = client.v1.test_helpers.test_clocks.retrieve(test_clock)
    moving = advance(client, test_clock, NEW_YEAR + DAY)
    later(2)
    arrived = client.v1.test_helpers.test_clocks.retrieve(test_clock)

    assert (still.status, still.frozen_time, still.name) == ("ready", NEW_YEAR, "New year")
    assert (moving.status, moving.frozen_time) == ("advancing", NEW_YEAR)
    assert moving.status_details.advancing.target_frozen_time == NEW_YEAR + DAY
    assert (arrived.status, arrived.frozen_time) == ("ready", NEW_YEAR + DAY)
    types = [event.type.rpartition(".")[2] for event in client.v1.events.list({"type": "test_helpers.*"})]
    assert types == ["ready", "advancing", "created"]


def test_a_customer_of_a_clock_is_dated_by_it_and_its_payments_are_not(
    client: stripe.StripeClient, test_clock: str
) -> None:
    customer = client.v1.customers.create({"test_clock": test_clock, "payment_method": "pm_card_visa"})
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd", "customer": customer.id})

    assert (customer.created, customer.test_clock) == (NEW_YEAR, test_clock)
    assert intent.created == int(START)
    expanded = client.v1.customers.retrieve(customer.id, {"expand": ["test_clock"]})
    assert getattr(expanded.test_clock, "frozen_time", None) == NEW_YEAR


def test_lists_leave_out_who_lives_by_a_clock(client: stripe.StripeClient, test_clock: str) -> None:
    usual = client.v1.customers.create({})
    clocked = client.v1.customers.create({"test_clock": test_clock})

    assert [it.id for it in client.v1.customers.list()] == [usual.id]
    assert [it.id for it in client.v1.customers.list({"test_clock": test_clock})] == [clocked.id]
    assert [it.id for it in client.v1.test_helpers.test_clocks.list()] == [test_clock]


def test_an_existing_customer_joins_a_clock_for_good(http: FlaskClient, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({}).id

    clock = http.post(CLOCKS, data={"frozen_time": NEW_YEAR, "customer": customer}).json or {}
    again = http.post(CLOCKS, data={"frozen_time": NEW_YEAR, "customer": customer})
    changed = http.post(f"/v1/customers/{customer}", data={"test_clock": clock["id"]})

    assert client.v1.customers.retrieve(customer).test_clock == clock["id"]
    assert (again.status_code, (again.json or {})["error"]["param"]) == (400, "customer")
    assert (changed.json or {})["error"]["message"] == "Received unknown parameter: test_clock"


def test_nothing_of_a_clock_changes_while_it_advances(
    http: FlaskClient, client: stripe.StripeClient, later: Later, test_clock: str
) -> None:
    customer = client.v1.customers.create({"test_clock": test_clock}).id
    advance(client, test_clock, NEW_YEAR + DAY)

    refused = [
        http.post(f"/v1/customers/{customer}", data={"name": "Ada"}),
        http.delete(f"/v1/customers/{customer}"),
        http.post("/v1/customers", data={"test_clock": test_clock}),
        http.post(f"{CLOCKS}/{test_clock}/advance", data={"frozen_time": NEW_YEAR + 2 * DAY}),
        http.delete(f"{CLOCKS}/{test_clock}"),
    ]
    read = http.get(f"/v1/customers/{customer}")
    later(2)

    assert [answer.status_code for answer in refused] == [429] * 5
    message = "Test clock advancement underway - cannot perform modifications"
    assert {(answer.json or {})["error"]["message"] for answer in refused} == {message}
    assert read.status_code == 200
    assert http.post(f"/v1/customers/{customer}", data={"name": "Ada"}).status_code == 200


@pytest.mark.parametrize("frozen_time", [NEW_YEAR, NEW_YEAR - DAY, NEW_YEAR + 3 * 365 * DAY])
def test_a_clock_goes_forward_and_not_too_far(http: FlaskClient, test_clock: str, frozen_time: int) -> None:
    answer = http.post(f"{CLOCKS}/{test_clock}/advance", data={"frozen_time": frozen_time})

    assert (answer.status_code, (answer.json or {})["error"]["param"]) == (400, "frozen_time")


def test_a_clock_has_three_customers_at_most(http: FlaskClient, test_clock: str) -> None:
    answers = [http.post("/v1/customers", data={"test_clock": test_clock}).status_code for _ in range(4)]

    assert answers == [200, 200, 200, 400]
    assert http.post("/v1/customers", data={"test_clock": "clock_nope"}).status_code == 400


def test_a_deleted_clock_takes_its_customers_along(
    http: FlaskClient, client: stripe.StripeClient, later: Later
) -> None:
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": NEW_YEAR}).id
    customer = client.v1.customers.create({"test_clock": clock}).id

    deleted = http.delete(f"{CLOCKS}/{clock}").json

    assert deleted == {"id": clock, "object": "test_helpers.test_clock", "deleted": True}
    assert (http.get(f"/v1/customers/{customer}").json or {})["deleted"] is True
    assert http.get(f"{CLOCKS}/{clock}").status_code == 404


def test_a_clock_is_deleted_by_itself_after_a_month(
    http: FlaskClient, client: stripe.StripeClient, sandbox: Sandbox, test_clock: str
) -> None:
    assert client.v1.test_helpers.test_clocks.retrieve(test_clock).deletes_after == int(START) + 30 * DAY

    sandbox.state.advance_clock(30 * DAY)
    sandbox.deliver_due()

    assert http.get(f"{CLOCKS}/{test_clock}").status_code == 404


def test_what_is_due_by_a_clock_happens_at_its_own_time_and_in_order(
    client: stripe.StripeClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    begin = int(START) - 30 * DAY  # a past in which all of it would be due by the sandbox's time
    test_clock = client.v1.test_helpers.test_clocks.create({"frozen_time": begin}).id
    customer_id = client.v1.customers.create({"test_clock": test_clock}).id
    happened: list[tuple[str, int]] = []

    def note(tx: Transaction, customer: Resource, word: str) -> None:
        happened.append((word, customer_time.now_of(tx, customer)))
        if word == "second":
            customer_time.schedule(tx, customer, begin + 3 * DAY, "note", customer.id, word="third")

    def pass_time(seconds: float) -> None:
        clock.advance(seconds)
        schedule.run_due(sandbox.state, {"note": ("customer", note)})

    with sandbox.state.write(account_of("sk_test_contract")) as tx:
        customer = tx.get("customer", customer_id)
        for days, word in ((2, "second"), (1, "first"), (9, "never")):
            customer_time.schedule(tx, customer, begin + days * DAY, "note", customer.id, word=word)

    pass_time(60)
    before = list(happened)
    advance(client, test_clock, begin + 4 * DAY)
    pass_time(2)

    assert before == []
    assert happened == [(word, begin + days * DAY) for days, word in ((1, "first"), (2, "second"), (3, "third"))]
