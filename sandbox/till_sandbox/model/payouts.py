"""Payouts: money of the account's available balance on its way to its bank account.

Those that a program makes are manual. An automatic one, as Stripe makes each day, takes all that is available and knows
which rows of the balance it is made of; the sandbox makes one when it is told to.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError, missing_object
from till_sandbox.model import balance, events, objects
from till_sandbox.model.metadata import merged
from till_sandbox.model.money import check_currency
from till_sandbox.state import Resource, Transaction

KIND = "payout"
#: In a row of the balance: the automatic payout that it went out with.
PAID_OUT = "payout"
DESCRIPTION = "STRIPE PAYOUT"
DAYS_TO_ARRIVE = 2

#: What banks say of payouts that they send back (docs.stripe.com/api/payouts/failures).
FAILURES = {
    "account_closed": "The bank account has been closed.",
    "account_frozen": "The bank account has been frozen.",
    "debit_not_authorized": "Debit transactions are not approved on your bank account.",
    "invalid_account_number": "The routing number seems correct, but the account number is invalid.",
    "no_account": "The bank account could not be located.",
}


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """A manual payout of a part of what is available. Emits payout.created, and payout.paid when it arrives."""
    destination = bank_account(tx)
    if params.get("destination", destination) != destination:
        raise missing_object("external account", params["destination"], "destination", status=400)
    amount, currency = params["amount"], check_currency(params["currency"])
    if amount < 1:
        raise ApiError("Invalid positive integer", param="amount")
    if amount > balance.available(tx).get(currency, 0):
        raise ApiError(
            "You have insufficient funds in your Stripe account for this transfer. Your card balance is too low.  You "
            "can use the /v1/balance endpoint to view your Stripe balance (for more details, see "
            "stripe.com/docs/api#balance).",
            code="balance_insufficient",
        )
    given = {
        "description": params.get("description"),
        "metadata": merged({}, params.get("metadata") or {}),
        "method": params.get("method", "standard"),
        "reconciliation_status": "not_applicable",
        "statement_descriptor": params.get("statement_descriptor"),
    }
    return _send(tx, amount, currency, automatic=False, **given)


def pay_out_all(tx: Transaction) -> list[Resource]:
    """What Stripe does each day: an automatic payout in each currency of which anything is available. Emits
    payout.created and payout.reconciliation_completed for each, and payout.paid when it arrives.
    """
    made = []
    for currency, amount in sorted(balance.available(tx).items()):
        if amount <= 0:
            continue
        rows = balance.available_rows(tx, currency)
        payout = _send(tx, amount, currency, automatic=True, description=DESCRIPTION, reconciliation_status="completed")
        for row in (*rows, tx.get("balance_transaction", payout["balance_transaction"])):
            row.private[PAID_OUT] = payout.id
            tx.save(row)
        events.emit(tx, "payout.reconciliation_completed", payout)
        made.append(payout)
    return made


def update(tx: Transaction, payout: Resource, params: dict[str, Any]) -> Resource:
    """Emits payout.updated."""
    before = payout.snapshot()
    if "metadata" in params:
        payout["metadata"] = merged(payout["metadata"], params["metadata"])
    tx.save(payout)
    events.emit(tx, "payout.updated", payout, before)
    return payout


def cancel(tx: Transaction, payout: Resource) -> Resource:
    """Take one back that is not on its way yet. Emits payout.canceled."""
    if payout["status"] != "pending" or payout["automatic"]:
        raise ApiError(f"Payouts can only be canceled while they are pending and manual: {payout.id} is not.")
    row = balance.of_returned_payout(tx, payout, "payout_cancel")
    payout |= {"failure_balance_transaction": row.id, "status": "canceled"}
    tx.save(payout)
    events.emit(tx, "payout.canceled", payout)
    return payout


def arrive(tx: Transaction, payout: Resource) -> Resource:
    """It is in the bank account. Emits payout.paid."""
    if payout["status"] == "pending":
        payout["status"] = "paid"
        tx.save(payout)
        events.emit(tx, "payout.paid", payout)
    return payout


def fail(tx: Transaction, payout: Resource, code: str) -> Resource:
    """The bank sends it back, before it arrived or after. Emits payout.failed."""
    if payout["status"] not in ("pending", "paid"):
        raise ApiError(f"{payout.id} is {payout['status']}: the bank does not have it")
    row = balance.of_returned_payout(tx, payout, "payout_failure")
    said = {"failure_code": code, "failure_message": FAILURES[code]}
    payout |= {"failure_balance_transaction": row.id, "status": "failed", **said}
    tx.save(payout)
    events.emit(tx, "payout.failed", payout)
    return payout


def bank_account(tx: Transaction) -> str:
    """The account's one bank account. Nothing else is known of it."""
    return ids.derived("ba_1", f"bank account of {tx.account}", 23)


def _send(tx: Transaction, amount: int, currency: str, *, automatic: bool, **given: Any) -> Resource:
    midnight = datetime.fromtimestamp(tx.now, UTC).replace(hour=0, minute=0, second=0)
    instant = given.get("method") == "instant"
    arrives = tx.now if instant else int((midnight + timedelta(days=DAYS_TO_ARRIVE)).timestamp())
    fixed = {
        "id": ids.new("po"),
        "amount": amount,
        "arrival_date": arrives,
        "automatic": automatic,
        "currency": currency,
        "destination": bank_account(tx),
        "method": "standard",
        "source_type": "card",
        "status": "pending",
        "type": "bank_account",
    }
    payout = objects.new(tx, KIND, {**fixed, **given})
    payout["balance_transaction"] = balance.of_payout(tx, payout).id
    tx.insert(payout)
    tx.schedule_at(float(arrives), "arrive_payout", payout.id)
    events.emit(tx, "payout.created", payout)
    return payout
