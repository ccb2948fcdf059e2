"""Money held on a card and not captured: released when the payment is canceled, or expired when nobody captured it."""

from till_sandbox.model import events, followers
from till_sandbox.state import Resource, Transaction


def release(tx: Transaction, charge: Resource) -> None:
    """Give a hold back. Stripe shows this as a full refund. Emits charge.refunded."""
    charge |= {"amount_refunded": charge["amount"], "refunded": True}
    tx.save(charge)
    events.emit(tx, "charge.refunded", charge)


def expire(tx: Transaction, charge: Resource) -> None:
    """The hold's time is over: the payment is canceled. Emits charge.expired and payment_intent.canceled."""
    intent = tx.get("payment_intent", charge["payment_intent"])
    if intent["status"] != "requires_capture" or intent["latest_charge"] != charge.id:
        return
    charge |= {"amount_refunded": charge["amount"], "refunded": True}
    tx.save(charge)
    events.emit(tx, "charge.expired", charge)
    intent |= {
        "amount_capturable": 0,
        "canceled_at": tx.now,
        "cancellation_reason": "automatic",
        "status": "canceled",
    }
    followers.end(tx, intent, "canceled")
