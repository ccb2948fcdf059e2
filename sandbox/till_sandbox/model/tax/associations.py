"""Payments that name a calculation: its transaction is made when they succeed, and reversed with their refunds."""

from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import objects
from till_sandbox.model.tax import calculations, reversals, transactions
from till_sandbox.state import Resource, Transaction

KIND = "tax.association"


def link(tx: Transaction, intent: Resource, params: dict[str, Any]) -> None:
    """Have the payment name the calculation of `hooks`, or none any more. The intent is still to be saved."""
    given = params.get("hooks", {}).get("inputs", {}).get("tax")
    if given is None:
        return
    calculation_id = given["calculation"]
    if not calculation_id:
        intent["hooks"] = None
        return
    if intent["status"] in ("succeeded", "canceled"):
        raise ApiError(
            f"You cannot link a tax calculation to this PaymentIntent because it has a status of {intent['status']}.",
            param="hooks[inputs][tax][calculation]",
        )
    param = "hooks[inputs][tax][calculation]"
    calculation = calculations.get(tx, calculation_id, param=param, status=400)
    intent["hooks"] = {"inputs": {"tax": {"calculation": calculation.id}}}
    found = _of(tx, intent.id)
    if found is None:
        given = {"id": ids.new("taxa"), "calculation": calculation.id, "payment_intent": intent.id}
        tx.insert(objects.new(tx, KIND, {**given, "tax_transaction_attempts": []}))
    else:
        found["calculation"] = calculation.id
        tx.save(found)


def find(tx: Transaction, payment_intent: str) -> Resource:
    """What became of the calculation that a payment names."""
    intent = tx.get("payment_intent", payment_intent, param="payment_intent", status=400)
    found = _of(tx, intent.id)
    if found is None:
        raise ApiError(
            f"No tax association found for PaymentIntent '{intent.id}'.",
            status=404,
            code="resource_missing",
            param="payment_intent",
        )
    return found


def succeeded(tx: Transaction, intent: Resource) -> None:
    """The payment has succeeded: the transaction is made, or the association says why not."""
    if not intent["hooks"]:
        return
    found, calculation = _of(tx, intent.id), tx.find(calculations.KIND, intent["hooks"]["inputs"]["tax"]["calculation"])
    if found is None or calculation is None:
        return
    reason = _obstacle(tx, intent, calculation)
    if reason is not None:
        _note(tx, found, intent.id, None, reason)
        return
    made = transactions.create(tx, {"calculation": calculation.id, "reference": intent.id})
    _note(tx, found, intent.id, made.id)


def refunded(tx: Transaction, refund: Resource) -> None:
    """A refund of the payment takes as much of its transaction back."""
    found = _of(tx, refund["payment_intent"])
    original = None if found is None else _committed(tx, found, refund["payment_intent"])
    if found is None or original is None:
        return
    params = {"original_transaction": original.id, "reference": refund["id"], "mode": "partial"}
    try:
        made = reversals.create(tx, {**params, "flat_amount": -refund["amount"]})
    except ApiError:  # more was paid than the calculation came to
        _note(tx, found, refund["id"], None, "original_transaction_voided")
        return
    _note(tx, found, refund["id"], made.id)


def refund_failed(tx: Transaction, refund: Resource) -> None:
    """What a refund took back of the transaction is recorded again."""
    found = _of(tx, refund["payment_intent"])
    made = None if found is None else _committed(tx, found, refund["id"])
    if made is not None:
        params = {"original_transaction": made.id, "reference": f"{refund['id']}-failed", "mode": "full"}
        reversals.create(tx, params)


def _of(tx: Transaction, payment_intent: str) -> Resource | None:
    return next(iter(tx.all(KIND, payment_intent=payment_intent)), None)


def _obstacle(tx: Transaction, intent: Resource, calculation: Resource) -> str | None:
    if calculations.is_over(tx, calculation):
        return "calculation_expired"
    if calculation["currency"] != intent["currency"]:
        return "currency_mismatch"
    if "transaction" in calculation.private:
        return "another_payment_associated_with_calculation"
    return "unique_reference_violation" if tx.all(transactions.KIND, reference=intent.id) else None


def _committed(tx: Transaction, found: Resource, source: str) -> Resource | None:
    made = (
        attempt["committed"]["transaction"]
        for attempt in found["tax_transaction_attempts"]
        if attempt["source"] == source and attempt["status"] == "committed"
    )
    transaction = next(made, None)
    return None if transaction is None else tx.get(transactions.KIND, transaction)


def _note(tx: Transaction, found: Resource, source: str, made: str | None, reason: str | None = None) -> None:
    attempt: dict[str, Any] = {"source": source, "status": "errored" if made is None else "committed"}
    attempt |= {"errored": {"reason": reason}} if made is None else {"committed": {"transaction": made}}
    found["tax_transaction_attempts"].append(attempt)
    tx.save(found)
