"""Misbehaviour on request: which calls and deliveries go wrong next, and how. Kept in the state until it is used up."""

import random
import threading
from dataclasses import dataclass
from typing import Any, Literal

from till_sandbox.json_text import compact, parse
from till_sandbox.state import State, Transaction

Target = Literal["api", "webhook"]

#: What can go wrong with a call, and with a delivery.
KINDS: dict[str, tuple[str, ...]] = {
    "api": ("error", "rate_limit", "reset", "timeout"),
    "webhook": ("bad_signature", "delay", "double", "drop", "reorder"),
}
#: Without a number of times a fault goes on until it is taken back.
FOREVER = -1
#: Seconds that a reordered delivery waits for others to overtake it.
OVERTAKEN_WITHIN = 2.0


@dataclass(frozen=True)
class Fault:
    """One kind of misbehaviour.

    `remaining`: how many more times, or FOREVER. `when` (calls): before or after the work is done. `match`: only calls
    whose "METHOD /path" begins so, or deliveries whose "event.type evt_id" begins so. `seconds`: how long a time-out or
    a delay is. `probability` and `seed`: only some of the times, always the same ones for the same seed. `seen` and
    `struck`: how often it could have struck so far, and how often it did.
    """

    id: int
    target: str
    kind: str
    remaining: int
    when: str = "before"
    match: str = ""
    seconds: float = 30.0
    probability: float = 1.0
    seed: int = 0
    seen: int = 0
    struck: int = 0

    @property
    def strikes(self) -> bool:
        """Whether it strikes at the time it is seen now."""
        return random.Random(f"{self.seed} {self.seen}").random() < self.probability  # noqa: S311  # a die, not a secret


class Faults:
    """The misbehaviour asked for and not used up yet."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._changes = 0
        self._expected = True  # whether there may be any: most of the time there are none, and nobody needs to look

    def expect(self) -> None:
        """From now on look for faults again. To be called once one that was added is in the database."""
        with self._lock:
            self._changes += 1
            self._expected = True

    def add(self, target: str, kind: str, times: int, detail: dict[str, Any]) -> None:
        """Have the next `times` matching calls or deliveries go wrong. `detail`: further fields of a Fault."""
        with self._state.write("") as tx:
            add(tx, target, kind, times, detail)
        self.expect()

    def all(self) -> list[Fault]:
        with self._state.read("") as tx:
            return _read(tx)

    def clear(self, fault_id: int | None = None) -> None:
        """Take one fault back, or all of them."""
        with self._state.write("") as tx:
            tx.execute("DELETE FROM faults WHERE id = coalesce(?, id)", fault_id)

    def next(self, target: Target, subject: str) -> Fault | None:
        """The fault that strikes this call ("METHOD /path") or delivery ("event.type evt_id"), one time less from then.

        Seen and used up in one transaction: of two calls that come at once, the last time strikes only one.
        """
        if not self._expected:
            return None
        changes, waiting = self._changes, self.all()
        if not waiting:
            self._expect_none(changes)
        if not any(_concerns(fault, target, subject) for fault in waiting):
            return None
        with self._state.write("") as tx:
            for fault in _read(tx):
                if _concerns(fault, target, subject):
                    _use(tx, fault)
                    if fault.strikes:
                        return fault
        return None

    def _expect_none(self, changes: int) -> None:
        """There were none, unless one was added since."""
        with self._lock:
            if self._changes == changes:
                self._expected = False


def add(tx: Transaction, target: str, kind: str, times: int, detail: dict[str, Any]) -> None:
    """What `Faults.add` does, inside a transaction; `Faults.expect` must follow it."""
    tx.execute(
        "INSERT INTO faults (target, fault, detail, remaining) VALUES (?, ?, ?, ?)",
        target,
        kind,
        compact(detail),
        times,
    )


def _concerns(fault: Fault, target: Target, subject: str) -> bool:
    return fault.target == target and subject.startswith(fault.match)


def _read(tx: Transaction) -> list[Fault]:
    rows = tx.execute("SELECT * FROM faults ORDER BY id").fetchall()
    return [Fault(row["id"], row["target"], row["fault"], row["remaining"], **parse(row["detail"])) for row in rows]


def _use(tx: Transaction, fault: Fault) -> None:
    strikes = fault.strikes
    tx.execute(
        "UPDATE faults SET detail = json_set(detail, '$.seen', ?, '$.struck', ?), remaining = ? WHERE id = ?",
        fault.seen + 1,
        fault.struck + strikes,
        fault.remaining - (strikes and fault.remaining != FOREVER),
        fault.id,
    )
    tx.execute("DELETE FROM faults WHERE remaining = 0")
