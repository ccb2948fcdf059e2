"""What Stripe does by itself, a while after it was asked. One table from an action's name to what it does."""

import logging
import sqlite3
from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Any

from till_sandbox.json_text import parse
from till_sandbox.model import (
    balance,
    charges,
    confirmation,
    disputes,
    early_fraud_warnings,
    holds,
    payouts,
    refunds,
    test_clocks,
)
from till_sandbox.model.catalog import coupons, promotion_codes
from till_sandbox.model.checkout import sessions
from till_sandbox.model.customer_time import CLOCK
from till_sandbox.state import Resource, State, Transaction

_log = logging.getLogger(__name__)

#: Seconds until something that failed is tried again.
PUT_OFF = 60.0
#: How many things at most are done in one transaction.
TOGETHER = 20


def _open_dispute(tx: Transaction, charge: Resource, kind: str) -> None:
    if kind == "early_fraud_warning":
        early_fraud_warnings.open_for(tx, charge)
    else:
        disputes.open_for(tx, charge, kind)


Actions = Mapping[str, tuple[str, Callable[..., Any]]]

#: The kind of object each action is about, and what is done to it.
ACTIONS: Actions = {
    "arrive_payout": (payouts.KIND, payouts.arrive),
    "book_charge": ("charge", charges.book),
    "decide_dispute": ("dispute", disputes.decide),
    "decide_payment": ("payment_intent", confirmation.decide),
    "delete_test_clock": (CLOCK, test_clocks.delete),
    "end_coupon": ("coupon", coupons.end),
    "end_promotion_code": ("promotion_code", promotion_codes.end),
    "expire_hold": ("charge", holds.expire),
    "expire_session": (sessions.KIND, sessions.run_out),
    "fail_refund": ("refund", refunds.fail),
    "fill_evidence": ("dispute", disputes.fill_evidence),
    "open_dispute": ("charge", _open_dispute),
    "reference_refund": ("refund", refunds.reference),
    "release_funds": ("balance_transaction", balance.release),
    "succeed_refund": ("refund", refunds.succeed),
}


def run_due(state: State, actions: Actions = ACTIONS) -> int:
    """Do everything that is due by now; how many things that was. One that fails is put off and undone alone."""
    done = 0
    while rows := _due(state):
        with state.write(rows[0]["account"]) as tx:
            for row in rows:
                _try(tx, row, actions)
        done += len(rows)
    return done


def _due(state: State) -> list[sqlite3.Row]:
    """What is due next, in its order: as much as one account can do in one transaction."""
    with state.read("") as tx:
        rows = tx.execute(
            "SELECT * FROM scheduled WHERE clock IS NULL AND due_at <= ? ORDER BY due_at, id LIMIT ?",
            state.now(),
            TOGETHER,
        ).fetchall()
    return list(takewhile(lambda row: row["account"] == rows[0]["account"], rows))


def _try(tx: Transaction, row: sqlite3.Row, actions: Actions) -> None:
    tx.begin_operation()
    try:
        _run(tx, row, actions)
        tx.end_operation()
    except Exception:  # noqa: BLE001  # one thing that goes wrong must not keep all later ones from happening
        _log.exception("%s is put off", row["action"])
        tx.undo_operation()
        tx.execute_beside("UPDATE scheduled SET due_at = ? WHERE id = ?", tx.exact_now + PUT_OFF, row["id"])


def _run(tx: Transaction, row: sqlite3.Row, actions: Actions) -> None:
    """Do one thing and remove it from the table, unless it is gone or its object is."""
    if not tx.execute_beside("DELETE FROM scheduled WHERE id = ?", row["id"]).rowcount:
        return
    if row["action"] == test_clocks.ARRIVE:
        clock = tx.find(CLOCK, row["subject"])
        if clock is not None:
            _arrive(tx, clock, actions)
        return
    kind, action = actions[row["action"]]
    subject = tx.find(kind, row["subject"])
    if subject is not None:
        action(tx, subject, **parse(row["detail"]))


def _arrive(tx: Transaction, clock: Resource, actions: Actions) -> None:
    """Everything that is due by the clock until then happens in its order, each thing at its own time."""
    until = test_clocks.target(clock)
    while True:
        row = tx.execute(
            "SELECT * FROM scheduled WHERE clock = ? AND due_at <= ? ORDER BY due_at, id LIMIT 1", clock.id, until
        ).fetchone()
        if row is None:
            break
        test_clocks.step(tx, clock, row["due_at"])
        _run(tx, row, actions)
    test_clocks.finish(tx, clock)
