"""What becomes of a Checkout Session when its payment ends: the follower that `till_sandbox.followers` names."""

from typing import Any

from till_sandbox.model import events
from till_sandbox.model.checkout import discounts
from till_sandbox.state import Resource, Transaction

#: In the private part of a session: what the customer said, until it is paid.
DETAILS = "details"
#: And whether its payment is decided later than on the page.
DELAYED = "delayed"


def succeeded(tx: Transaction, owner: Resource, intent: Resource) -> None:
    """The session is paid, at once or a while after it was completed."""
    if owner["status"] == "open":
        complete(tx, owner, "paid" if intent.kind == "payment_intent" else "no_payment_required")
        return
    owner["payment_status"] = "paid"
    tx.save(owner)
    if owner.private.pop(DELAYED, False):
        events.emit(tx, "checkout.session.async_payment_succeeded", owner)


def held(tx: Transaction, owner: Resource, _intent: Resource) -> None:
    """The customer has done everything; the account still has to take the money."""
    complete(tx, owner, "unpaid")


def failed(tx: Transaction, owner: Resource, _intent: Resource) -> None:
    """On the page another card can be tried; a payment that was decided later cannot be tried again."""
    if owner.private.pop(DELAYED, False):
        tx.save(owner)
        events.emit(tx, "checkout.session.async_payment_failed", owner)


def canceled(_tx: Transaction, _owner: Resource, _intent: Resource) -> None:
    """It expired first, or the hold of a completed one was let go: neither changes it."""


def complete(tx: Transaction, session: Resource, payment_status: str) -> None:
    """The customer is done. Emits checkout.session.completed."""
    details: dict[str, Any] = session.private.pop(DETAILS, {})
    discounts.redeem(tx, session)
    session |= {**details, "payment_status": payment_status, "status": "complete", "url": None}
    if session["automatic_tax"]["enabled"]:
        session["automatic_tax"] = {**session["automatic_tax"], "status": "complete"}
    tx.save(session)
    events.emit(tx, "checkout.session.completed", session)
