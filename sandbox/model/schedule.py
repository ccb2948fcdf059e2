"""What Stripe does by itself, a while after it was asked. One table from an action's name to what it does."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.model import charges, holds
from sandbox.state import State, Transaction


def _settle_charge(tx: Transaction, charge: str, _: dict[str, Any]) -> None:
    charges.settle(tx, tx.get("charge", charge))


def _expire_hold(tx: Transaction, charge: str, _: dict[str, Any]) -> None:
    holds.expire(tx, tx.get("charge", charge))


ACTIONS: dict[str, Callable[[Transaction, str, dict[str, Any]], None]] = {
    "expire_hold": _expire_hold,
    "settle_charge": _settle_charge,
}


def run_due(state: State) -> int:
    """Do everything that is due by now, each thing in a transaction of its own; how many things that was."""
    done = 0
    while _run_next(state):
        done += 1
    return done


def next_due(state: State) -> float | None:
    """When the next thing is due, in the sandbox's time; None if nothing is."""
    with state.read("") as tx:
        row = tx.execute("SELECT min(due_at) AS due_at FROM scheduled").fetchone()
        return None if row["due_at"] is None else float(row["due_at"])


def _run_next(state: State) -> bool:
    with state.read("") as tx:
        row = tx.execute(
            "SELECT * FROM scheduled WHERE due_at <= ? ORDER BY due_at, id LIMIT 1", state.now()
        ).fetchone()
    if row is None:
        return False
    with state.write(row["account"]) as tx:
        if tx.execute("DELETE FROM scheduled WHERE id = ?", row["id"]).rowcount:
            ACTIONS[row["action"]](tx, row["subject"], json.loads(row["detail"]))
    return True
