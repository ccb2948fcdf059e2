"""What happens by itself: in its order, and what fails alone is undone and tried again."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from till_sandbox.model import schedule
from till_sandbox.state import Resource, State, Transaction
from till_sandbox.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def state(tmp_path: Path, clock: ManualClock) -> Iterator[State]:
    with closing(State(tmp_path / "sandbox.sqlite3", clock)) as state:
        yield state


def test_one_that_fails_is_undone_alone_and_tried_again(state: State, clock: ManualClock) -> None:
    fails = [True]

    def copy(tx: Transaction, note: Resource, word: str) -> None:
        tx.insert(Resource({"id": f"{note.id}_{word}", "object": "copy"}))
        note["copies"].append(word)
        tx.save(note)
        tx.flush()
        if word == "b" and fails:
            raise KeyError(word)

    def copies() -> tuple[list[str], list[str]]:
        with state.read("acct_1") as tx:
            return tx.get("note", "n_1")["copies"], [it.id for it in reversed(tx.all("copy"))]

    with state.write("acct_1") as tx:
        tx.insert(Resource({"id": "n_1", "object": "note", "copies": []}))
        for number, word in enumerate("abc"):
            tx.schedule("copy", "n_1", after=number, word=word)
    clock.advance(10)
    schedule.run_due(state, {"copy": ("note", copy)})
    first = copies()
    fails.clear()
    clock.advance(schedule.PUT_OFF)
    schedule.run_due(state, {"copy": ("note", copy)})

    assert first == (["a", "c"], ["n_1_a", "n_1_c"])
    assert copies() == (["a", "c", "b"], ["n_1_a", "n_1_c", "n_1_b"])


def test_every_account_has_its_turn(state: State, clock: ManualClock) -> None:
    done: list[tuple[str, str]] = []

    def note_it(tx: Transaction, note: Resource) -> None:
        done.append((tx.account, note.id))

    for number, account in enumerate(("acct_1", "acct_2", "acct_1")):
        with state.write(account) as tx:
            tx.insert(Resource({"id": f"n_{number}", "object": "note"}))
            tx.schedule("note", f"n_{number}", after=number)
    clock.advance(10)

    assert schedule.run_due(state, {"note": ("note", note_it)}) == 3
    assert done == [("acct_1", "n_0"), ("acct_2", "n_1"), ("acct_1", "n_2")]
