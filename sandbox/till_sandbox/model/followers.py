"""Telling an intent's owner how it ended.

An intent may belong to something that goes on once it is paid: a Checkout Session, an invoice. Its owner's kind has a
follower in `till_sandbox.followers`, the one table of them. It is told in the transaction that ends the intent, after
the intent's own event, so that both happen or neither does.
"""

from typing import Literal, Protocol

from till_sandbox.model import events
from till_sandbox.model.tax import associations
from till_sandbox.state import Resource, Transaction

Outcome = Literal["succeeded", "held", "failed", "canceled"]

#: The event of each way to end.
_EVENTS: dict[tuple[str, Outcome], str] = {
    ("payment_intent", "succeeded"): "payment_intent.succeeded",
    ("payment_intent", "held"): "payment_intent.amount_capturable_updated",
    ("payment_intent", "failed"): "payment_intent.payment_failed",
    ("payment_intent", "canceled"): "payment_intent.canceled",
    ("setup_intent", "succeeded"): "setup_intent.succeeded",
    ("setup_intent", "failed"): "setup_intent.setup_failed",
    ("setup_intent", "canceled"): "setup_intent.canceled",
}


class Follower(Protocol):
    """What owns intents of a kind. `owner` and `intent` are as they are now; what is changed about them is saved.

    A module with these functions is one. A failed intent waits for another payment method and may still succeed; one
    that is held has the bank's word, and succeeds when the account takes the money.
    """

    def succeeded(self, tx: Transaction, owner: Resource, intent: Resource, /) -> None: ...

    def held(self, tx: Transaction, owner: Resource, intent: Resource, /) -> None: ...

    def failed(self, tx: Transaction, owner: Resource, intent: Resource, /) -> None: ...

    def canceled(self, tx: Transaction, owner: Resource, intent: Resource, /) -> None: ...


def belong_to(intent: Resource, owner: Resource) -> None:
    """From now on the owner is told how the intent ends. The intent is still to be saved."""
    intent.private["owner"] = [owner.kind, owner.id]


def owner_of(tx: Transaction, intent: Resource) -> Resource | None:
    """Whom the intent belongs to, if to anything that is still there."""
    owner = intent.private.get("owner")
    return None if owner is None else tx.find(owner[0], owner[1])


def end(tx: Transaction, intent: Resource, outcome: Outcome) -> None:
    """Save an intent that has just ended in this way, emit its event, and tell its owner."""
    tx.save(intent)
    events.emit(tx, _EVENTS[intent.kind, outcome], intent)
    if outcome == "succeeded" and intent.kind == "payment_intent":
        associations.succeeded(tx, intent)
    owner = owner_of(tx, intent)
    if owner is None:
        return
    follower: Follower = tx.followers[owner.kind]
    tell = {
        "succeeded": follower.succeeded,
        "held": follower.held,
        "failed": follower.failed,
        "canceled": follower.canceled,
    }[outcome]
    tell(tx, owner, intent)
