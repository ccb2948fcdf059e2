"""What the 3-D Secure page needs: what a challenge is about, and deciding it."""

from dataclasses import dataclass
from typing import Literal

from till_sandbox.model import challenges, confirmation, setup_intents
from till_sandbox.state import Resource, State, Transaction

Status = Literal["pending", "complete", "failed", "abandoned"]


class NotFound(LookupError):
    """There is no such challenge, or the client secret is not its own."""


@dataclass(frozen=True)
class Authentication:
    """A challenge as its page shows it. `amount` is in minor units; None, with its currency, for a set-up.

    `intent` and `intent_secret` belong in the query of `return_url`, where Stripe puts them.
    """

    id: str
    status: Status
    amount: int | None
    currency: str | None
    merchant: str
    last4: str
    return_url: str | None
    intent: str
    intent_secret: str


def find(state: State, authentication_id: str, client_secret: str) -> Authentication:
    """The challenge. Raises NotFound."""
    with state.read(_account(state, authentication_id)) as tx:
        challenge, intent = _load(tx, authentication_id, client_secret)
        return _described(challenge, intent)


def decide(
    state: State, authentication_id: str, client_secret: str, outcome: Literal["complete", "fail"]
) -> Authentication:
    """Decide the challenge and do what follows (charge the card, or ask for another). Raises NotFound.

    Deciding twice changes nothing and returns what was decided first.
    """
    with state.write(_account(state, authentication_id)) as tx:
        challenge, intent = _load(tx, authentication_id, client_secret)
        if challenge["status"] == "pending":
            apply_decision(tx, challenge, intent, outcome)
        return _described(challenge, intent)


def apply_decision(
    tx: Transaction, challenge: Resource, intent: Resource, outcome: Literal["complete", "fail"]
) -> None:
    """What `decide` does, inside a transaction and without the client secret."""
    challenge["status"] = "complete" if outcome == "complete" else "failed"
    tx.save(challenge)
    intent.private.pop("challenge", None)
    life = setup_intents if intent.kind == "setup_intent" else confirmation
    if outcome == "complete":
        life.complete_challenge(tx, intent)
    else:
        life.fail_challenge(tx, intent)


def _account(state: State, authentication_id: str) -> str:
    with state.read("") as tx:
        row = tx.execute(
            "SELECT account FROM objects WHERE id = ? AND kind = ?", authentication_id, challenges.KIND
        ).fetchone()
    if row is None:
        raise NotFound(authentication_id)
    return str(row["account"])


def _load(tx: Transaction, authentication_id: str, client_secret: str) -> tuple[Resource, Resource]:
    challenge = tx.get(challenges.KIND, authentication_id)
    if challenge.private["client_secret"] != client_secret:
        raise NotFound(authentication_id)
    kind = "setup_intent" if challenge["intent"].startswith("seti_") else "payment_intent"
    return challenge, tx.get(kind, challenge["intent"])


def _described(challenge: Resource, intent: Resource) -> Authentication:
    return Authentication(
        id=challenge.id,
        status=challenge["status"],
        amount=intent.get("amount"),
        currency=intent.get("currency"),
        merchant="Sandbox account",
        last4=challenge.private["last4"],
        return_url=challenge.private["return_url"],
        intent=intent.id,
        intent_secret=intent["client_secret"],
    )
