"""Balance transactions: what a charge, refund, dispute or payout did to the account's balance."""

from datetime import UTC, datetime, timedelta
from typing import Any

from till_sandbox import ids
from till_sandbox.model import objects
from till_sandbox.state import Resource, Transaction

#: What Stripe keeps of a card payment: 2.9 % and 30 minor units.
FEE_PER_MILLE, FEE_FIXED = 29, 30
DAYS_UNTIL_AVAILABLE = 2


def of_charge(tx: Transaction, charge: Resource, *, available: bool) -> Resource:
    """The row of a captured charge, less Stripe's fee. `available`: the money skips the pending balance."""
    amount = charge["amount_captured"]
    fee = min(amount, (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED)
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": charge["currency"],
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]
    return _insert(
        tx, charge, charge.id, "charge", "charge", amount, charge["description"], fee, details, available=available
    )


def of_refund(tx: Transaction, refund: Resource, charge: Resource) -> Resource:
    described = f" ({charge['description']})" if charge["description"] else ""
    return _insert(tx, refund, charge.id, "refund", "refund", -refund["amount"], f"REFUND FOR CHARGE{described}")


def of_failed_refund(tx: Transaction, refund: Resource, charge: Resource) -> Resource:
    return _insert(tx, refund, charge.id, "refund_failure", "refund_failure", refund["amount"], "REFUND FAILURE")


def of_dispute(tx: Transaction, dispute: Resource, *, amount: int, fee: int, returned: bool = False) -> Resource:
    """Money withdrawn by the bank (negative amount, with the dispute fee) or given back (positive)."""
    charge = dispute["charge"]
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": dispute["currency"],
            "description": "Dispute fee",
            "type": "stripe_fee",
        }
    ]
    category = "dispute_reversal" if returned else "dispute"
    described = f"Chargeback reversal for {charge}" if returned else f"Chargeback withdrawal for {charge}"
    return _insert(
        tx, dispute, charge, "adjustment", category, amount, described, fee, details if fee else [], available=False
    )


def of_payout(tx: Transaction, payout: Resource) -> Resource:
    return _insert(tx, payout, None, "payout", "payout", -payout["amount"], payout["description"], available=True)


def of_returned_payout(tx: Transaction, payout: Resource, kind: str) -> Resource:
    """The row of a payout whose money is back: `kind` says why, payout_failure or payout_cancel."""
    described = f"REFUND FOR PAYOUT ({payout['description'] or 'STRIPE PAYOUT'})"
    return _insert(tx, payout, None, kind, "payout_reversal", payout["amount"], described, available=True)


def available(tx: Transaction) -> dict[str, int]:
    """What can be paid out, by currency."""
    return {currency: amount for (status, currency), amount in _sums(tx).items() if status == "available"}


def available_rows(tx: Transaction, currency: str) -> list[Resource]:
    """The rows that it is made of, the newest first, but for those that went out with an automatic payout."""
    rows = tx.all("balance_transaction", currency=currency, status="available")
    return [row for row in rows if "payout" not in row.private]


def release(tx: Transaction, row: Resource) -> None:
    """The money of the row can be used from now on."""
    row["status"] = "available"
    tx.save(row)


def of_account(tx: Transaction) -> dict[str, Any]:
    """The account's balance: what all rows come to, in each currency there are any in, and in dollars."""
    sums = _sums(tx)
    currencies = sorted({currency for _, currency in sums} | {"usd"})

    def amounts(status: str) -> list[dict[str, Any]]:
        return [_amount(sums.get((status, currency), 0), currency) for currency in currencies]

    return {
        "object": "balance",
        "available": amounts("available"),
        "livemode": False,
        "pending": amounts("pending"),
        "refund_and_dispute_prefunding": {"available": [_amount(0, "usd")], "pending": [_amount(0, "usd")]},
    }


def _sums(tx: Transaction) -> dict[tuple[str, str], int]:
    """What all rows come to, by status and currency."""
    rows = tx.execute(
        "SELECT json_extract(body, '$.status') AS status, json_extract(body, '$.currency') AS currency, "
        "sum(json_extract(body, '$.net')) AS amount FROM objects WHERE account = ? AND kind = 'balance_transaction' "
        "GROUP BY status, currency",
        tx.account,
    )
    return {(row["status"], row["currency"]): row["amount"] for row in rows}


def _amount(amount: int, currency: str) -> dict[str, Any]:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}


def _insert(
    tx: Transaction,
    source: Resource,
    payment_id: str | None,
    kind: str,
    category: str,
    amount: int,
    description: str | None,
    fee: int = 0,
    fee_details: list[dict[str, Any]] | None = None,
    *,
    available: bool = False,
) -> Resource:
    midnight = datetime.fromtimestamp(tx.now, UTC).replace(hour=0, minute=0, second=0)
    ready = midnight + timedelta(days=DAYS_UNTIL_AVAILABLE)
    row = tx.insert(
        objects.new(
            tx,
            "balance_transaction",
            {
                "id": ids.new("txn") if payment_id is None else ids.related("txn", payment_id),
                "amount": amount,
                "available_on": tx.now if available else int(ready.timestamp()),
                "balance_type": "payments",
                "currency": source["currency"],
                "description": description,
                "fee": fee,
                "fee_details": fee_details or [],
                "net": amount - fee,
                "reporting_category": category,
                "source": source.id,
                "status": "available" if available else "pending",
                "type": kind,
            },
        )
    )
    if not available:
        tx.schedule("release_funds", row.id, after=ready.timestamp() - tx.exact_now)
    return row
