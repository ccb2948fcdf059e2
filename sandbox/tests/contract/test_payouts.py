"""Payouts: money that leaves the balance, arrives, or comes back; the balance stays the sum of its rows."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe
from flask.testing import FlaskClient

Later = Callable[[float], None]
KEY = "sk_test_contract"


def earn(client: stripe.StripeClient, amount: int = 4900, currency: str = "usd") -> None:
    """Money that can be paid out at once: 4728 of 49.00."""
    params: Any = {"amount": amount, "currency": currency, "confirm": True, "capture_method": "automatic"}
    params["payment_method"] = "pm_card_bypassPending"
    client.v1.payment_intents.create(params)


def available(client: stripe.StripeClient, currency: str = "usd") -> int:
    return next(part.amount for part in client.v1.balance.retrieve().available if part.currency == currency)


def events(client: stripe.StripeClient) -> list[str]:
    found = reversed(client.v1.events.list({"limit": 100}).data)
    return [event.type for event in found if event.type.startswith("payout.")]


def pay_out_all(http: FlaskClient) -> list[str]:
    answer = http.post("/sandbox/payouts", json={"key": KEY}).json
    assert answer is not None
    return [payout["id"] for payout in answer["payouts"]]


def test_a_payout_leaves_the_balance_and_arrives(client: stripe.StripeClient, http: FlaskClient, later: Later) -> None:
    earn(client)

    payout = client.v1.payouts.create(
        {"amount": 1000, "currency": "usd", "method": "instant", "expand": ["balance_transaction"]}
    )
    later(1)

    row = payout.balance_transaction
    assert isinstance(row, stripe.BalanceTransaction)
    assert (payout.status, payout.automatic, payout.type, payout.method) == (
        "pending",
        False,
        "bank_account",
        "instant",
    )
    assert (payout.arrival_date, payout.reconciliation_status) == (payout.created, "not_applicable")
    assert (row.amount, row.fee, row.net, row.type, row.reporting_category, row.source) == (
        -1000,
        0,
        -1000,
        "payout",
        "payout",
        payout.id,
    )
    assert available(client) == 4728 - 1000
    assert client.v1.payouts.retrieve(payout.id).status == "paid"
    assert events(client) == ["payout.created", "payout.paid"]
    (listed,) = client.v1.payouts.list({"status": "paid"}).data
    assert (listed.id, client.v1.payouts.list({"status": "pending"}).data) == (payout.id, [])
    before = client.v1.payouts.list({"arrival_date": {"lt": payout.arrival_date}})
    assert (before.data, len(client.v1.payouts.list({"arrival_date": payout.arrival_date}).data)) == ([], 1)
    assert http.get(f"/v1/payouts/{payout.id}?expand[]=balance_transaction.source").status_code == 200


def test_more_than_is_available_is_refused(client: stripe.StripeClient) -> None:
    earn(client)

    with pytest.raises(stripe.InvalidRequestError, match="You have insufficient funds") as refusal:
        client.v1.payouts.create({"amount": 4729, "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError, match="No such external account"):
        client.v1.payouts.create({"amount": 1, "currency": "usd", "destination": "ba_x"})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payouts.create({"amount": 0, "currency": "usd"})

    assert refusal.value.code == "balance_insufficient"
    assert client.v1.payouts.create({"amount": 4728, "currency": "usd"}).amount == 4728
    assert available(client) == 0


def test_a_payout_that_is_canceled_or_sent_back_is_in_the_balance_again(
    client: stripe.StripeClient, http: FlaskClient
) -> None:
    earn(client)
    canceled = client.v1.payouts.create({"amount": 1000, "currency": "usd"})
    failed = client.v1.payouts.create({"amount": 500, "currency": "usd"})

    canceled = client.v1.payouts.cancel(canceled.id)
    http.post(f"/sandbox/payouts/{failed.id}/fail", json={"code": "no_account"})
    failed = client.v1.payouts.retrieve(failed.id, {"expand": ["failure_balance_transaction"]})

    row = failed.failure_balance_transaction
    assert isinstance(row, stripe.BalanceTransaction)
    assert (canceled.status, failed.status, failed.failure_code) == ("canceled", "failed", "no_account")
    assert failed.failure_message == "The bank account could not be located."
    assert (row.amount, row.type, row.reporting_category) == (500, "payout_failure", "payout_reversal")
    assert available(client) == 4728
    assert events(client) == ["payout.created", "payout.created", "payout.canceled", "payout.failed"]
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payouts.cancel(failed.id)
    assert http.post(f"/sandbox/payouts/{failed.id}/fail", json={}).status_code == 400
    assert http.post(f"/sandbox/payouts/{failed.id}/fail", json={"code": "bad luck"}).status_code == 400


def test_an_automatic_payout_takes_all_and_says_what_it_is_made_of(
    client: stripe.StripeClient, http: FlaskClient
) -> None:
    earn(client)
    earn(client, 2000, "eur")
    manual = client.v1.payouts.create({"amount": 100, "currency": "usd"})

    euros, dollars = pay_out_all(http)
    earn(client, 1000)

    payout = client.v1.payouts.retrieve(dollars)
    rows = client.v1.balance_transactions.list({"payout": dollars}).data
    assert (payout.amount, payout.currency, payout.automatic) == (4628, "usd", True)
    assert (payout.description, payout.reconciliation_status) == ("STRIPE PAYOUT", "completed")
    assert client.v1.payouts.retrieve(euros).amount == 2000 - 88
    assert [(row.type, row.net) for row in rows] == [("payout", -4628), ("payout", -100), ("charge", 4728)]
    assert (available(client), available(client, "eur")) == (1000 - 59, 0)
    assert "payout.reconciliation_completed" in events(client)
    with pytest.raises(stripe.InvalidRequestError, match="only be filtered on automatic transfers"):
        client.v1.balance_transactions.list({"payout": manual.id})
    assert http.post("/sandbox/payouts", json={"key": "pk_x"}).status_code == 400


def test_what_a_payout_says_of_itself_can_be_changed(client: stripe.StripeClient) -> None:
    earn(client)
    payout = client.v1.payouts.create({"amount": 100, "currency": "usd", "metadata": {"a": "b"}})

    changed = client.v1.payouts.update(payout.id, {"metadata": {"a": "", "c": "d"}})

    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"c": "d"}
    assert events(client) == ["payout.created", "payout.updated"]
