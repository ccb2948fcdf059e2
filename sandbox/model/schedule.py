"""What Stripe does by itself, a while after it was asked. One table from an action's name to what it does."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.model import charges, disputes, early_fraud_warnings, holds, refunds
from sandbox.state import Resource, State, Transaction


def _open_dispute(tx: Transaction, charge: Resource, kind: str) -> None:
    if kind == "early_fraud_warning":
        early_fraud_warnings.open_for(tx, charge)
    else:
        disputes.open_for(tx, charge, kind)


#: The kind of object each action is about, and what is done to it.
ACTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "decide_dispute": ("dispute", disputes.decide),
    "expire_hold": ("charge", holds.expire),
    "fail_refund": ("refund", refunds.fail),
    "fill_evidence": ("dispute", disputes.fill_evidence),
    "open_dispute": ("charge", _open_dispute),
    "reference_refund": ("refund", refunds.reference),
    "settle_charge": ("charge", charges.settle),
    "succeed_refund": ("refund", refunds.succeed),
}


def run_due(state: State) -> int:
    """Do everything that is due by now, each thing in a transaction of its own; how many things that was."""
    done = 0
    while _run_next(state):
        done += 1
    return done


def _run_next(state: State) -> bool:
    with state.read("") as tx:
        row = tx.execute(
            "SELECT * FROM scheduled WHERE due_at <= ? ORDER BY due_at, id LIMIT 1", state.now()
        ).fetchone()
    if row is None:
        return False
    with state.write(row["account"]) as tx:
        if tx.execute("DELETE FROM scheduled WHERE id = ?", row["id"]).rowcount:
            kind, action = ACTIONS[row["action"]]
            action(tx, tx.get(kind, row["subject"]), **json.loads(row["detail"]))
    return True
