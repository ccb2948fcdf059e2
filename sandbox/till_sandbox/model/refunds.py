"""Refunds: whole or partial; they succeed at once, or with some test cards later, or fail after they succeeded."""

import secrets
from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import balance, early_fraud_warnings, events, objects
from till_sandbox.model.charges import book
from till_sandbox.model.metadata import merged
from till_sandbox.model.methods import of_charge
from till_sandbox.model.money import text
from till_sandbox.model.tax import associations
from till_sandbox.state import Resource, Transaction

#: Seconds until the bank's reference is known, and until a refund with an asynchronous test card is decided.
REFERENCED_AFTER, DECIDED_AFTER = 2.0, 5.0


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """Give back a captured charge or a part of it. Emits refund.created and charge.refunded."""
    charge = _charge(tx, params)
    remaining = _check_refundable(tx, charge)
    amount = params.get("amount", remaining)
    if amount <= 0:
        raise ApiError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > remaining:
        raise ApiError(
            f"Refund amount ({text(amount, charge['currency'])}) is greater than unrefunded amount on charge "
            f"({text(remaining, charge['currency'])})",
            param="amount",
        )
    book(tx, charge)  # nothing is given back that is not booked yet
    behaviour = of_charge(charge).consequences(charge).refunds
    refund = _blank(tx, charge, amount, params)
    refund["balance_transaction"] = balance.of_refund(tx, refund, charge).id
    if behaviour == "pending_then_succeeded":
        refund |= {"pending_reason": "processing", "status": "pending"}
        tx.schedule("succeed_refund", refund.id, after=DECIDED_AFTER)
    elif behaviour == "succeeded_then_failed":
        tx.schedule("fail_refund", refund.id, after=DECIDED_AFTER)
    else:
        tx.schedule("reference_refund", refund.id, after=REFERENCED_AFTER)
    tx.insert(refund)
    _count(tx, charge, amount)
    if params.get("reason") == "fraudulent":
        charge["fraud_details"] = {"user_report": "fraudulent"}
        tx.save(charge)
    events.emit(tx, "refund.created", refund)
    events.emit(tx, "charge.refunded", charge)
    if charge["refunded"]:
        early_fraud_warnings.overtaken(tx, charge)
    if refund["payment_intent"] is not None:
        associations.refunded(tx, refund)
    return refund


def update(tx: Transaction, refund: Resource, params: dict[str, Any]) -> Resource:
    before = refund.snapshot()
    if "metadata" in params:
        refund["metadata"] = merged(refund["metadata"], params["metadata"])
    return _changed(tx, refund, before)


def cancel(_tx: Transaction, refund: Resource) -> Resource:
    """Only refunds that wait for the customer's bank details can be canceled; a card's never do."""
    if refund["status"] != "requires_action":
        raise ApiError("Canceling this refund is unsupported.")
    return refund


def reference(tx: Transaction, refund: Resource) -> Resource:
    """The bank's reference has arrived. Emits refund.updated."""
    before = refund.snapshot()
    refund["destination_details"]["card"] |= {
        "reference": "".join(secrets.choice("0123456789") for _ in range(16)),
        "reference_status": "available",
    }
    return _changed(tx, refund, before)


def succeed(tx: Transaction, refund: Resource) -> Resource:
    """A pending refund has arrived. Emits refund.updated."""
    before = refund.snapshot()
    refund |= {"pending_reason": None, "status": "succeeded"}
    return _changed(tx, refund, before)


def fail(tx: Transaction, refund: Resource) -> Resource:
    """The bank could not book it: the money returns to the account. Emits refund.updated and refund.failed."""
    before = refund.snapshot()
    charge = tx.get("charge", refund["charge"])
    row = balance.of_failed_refund(tx, refund, charge)
    refund |= {
        "failure_balance_transaction": row.id,
        "failure_reason": "expired_or_canceled_card",
        "pending_reason": None,
        "status": "failed",
    }
    _changed(tx, refund, before)
    charge_before = charge.snapshot()
    _count(tx, charge, -refund["amount"])
    events.emit(tx, "charge.updated", charge, charge_before)
    events.emit(tx, "refund.failed", refund)
    if refund["payment_intent"] is not None:
        associations.refund_failed(tx, refund)
    return refund


def _changed(tx: Transaction, refund: Resource, before: dict[str, Any]) -> Resource:
    tx.save(refund)
    events.emit(tx, "refund.updated", refund, before)
    events.emit(tx, "charge.refund.updated", refund, before)
    return refund


def _count(tx: Transaction, charge: Resource, amount: int) -> None:
    refunded = charge["amount_refunded"] + amount
    charge |= {"amount_refunded": refunded, "refunded": refunded >= charge["amount_captured"]}
    tx.save(charge)


def _charge(tx: Transaction, params: dict[str, Any]) -> Resource:
    if "charge" in params:
        return tx.get("charge", params["charge"])
    if "payment_intent" not in params:
        raise ApiError("One of the following params should be provided for this request: payment_intent or charge.")
    intent = tx.get("payment_intent", params["payment_intent"], param="payment_intent", status=400)
    charge = tx.find("charge", intent["latest_charge"] or "")
    if charge is None or charge["status"] != "succeeded":
        raise ApiError(f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.")
    return charge


def _check_refundable(tx: Transaction, charge: Resource) -> int:
    """How much of the charge is left to give back; an error if none can be."""
    if charge["status"] != "succeeded":
        raise ApiError(f"This PaymentIntent ({charge['payment_intent']}) does not have a successful charge to refund.")
    if charge["refunded"]:
        raise ApiError(f"Charge {charge.id} has already been refunded.", code="charge_already_refunded")
    if not charge["captured"]:
        raise ApiError(
            f"This uncaptured Charge was created by a PaymentIntent ({charge['payment_intent']}). You must cancel the "
            "PaymentIntent to reverse the authorization instead of refunding the Charge directly. For more "
            "information, see https://stripe.com/docs/payments/place-a-hold-on-a-payment-method"
        )
    if any(not dispute["is_charge_refundable"] for dispute in tx.all("dispute", charge=charge.id)):
        raise ApiError(f"Charge {charge.id} has been charged back; cannot issue a refund.", code="charge_disputed")
    return int(charge["amount_captured"] - charge["amount_refunded"])


def _blank(tx: Transaction, charge: Resource, amount: int, params: dict[str, Any]) -> Resource:
    """A refund that is there at once. (It has no `livemode`.)"""
    name, details = charge["payment_method_details"]["type"], of_charge(charge).refund_details()
    given = {
        "id": ids.related("re", charge.id),
        "amount": amount,
        "charge": charge.id,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "destination_details": None if details is None else {name: details, "type": name},
        "instructions_email": params.get("instructions_email"),
        "metadata": merged({}, params.get("metadata") or {}),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": params.get("reason"),
        "status": "succeeded",
    }
    return objects.new(tx, "refund", given)
