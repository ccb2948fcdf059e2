"""Early fraud warnings: the bank believes a payment is fraudulent before anyone has disputed it."""

from till_sandbox import ids
from till_sandbox.model import events, objects
from till_sandbox.state import Resource, Transaction


def open_for(tx: Transaction, charge: Resource) -> Resource:
    """Emits radar.early_fraud_warning.created."""
    warning = objects.new(
        tx,
        "radar.early_fraud_warning",
        {
            "id": ids.new("issfr"),
            "actionable": True,
            "charge": charge.id,
            "fraud_type": "unauthorized_use_of_card",
            "payment_intent": charge["payment_intent"],
        },
    )
    tx.insert(warning)
    events.emit(tx, "radar.early_fraud_warning.created", warning)
    return warning


def overtaken(tx: Transaction, charge: Resource) -> None:
    """The charge was disputed, or all of it refunded: there is nothing left to prevent.

    Emits radar.early_fraud_warning.updated for a warning that was actionable.
    """
    for warning in tx.all("radar.early_fraud_warning", charge=charge.id):
        if warning["actionable"]:
            before = warning.snapshot()
            warning["actionable"] = False
            tx.save(warning)
            events.emit(tx, "radar.early_fraud_warning.updated", warning, before)
