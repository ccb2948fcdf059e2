"""New objects have every field that the official library declares."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from till_sandbox.model import objects
from till_sandbox.state import State, Transaction
from till_sandbox.testing import START, ManualClock

REFUND = {"id": "re_1", "currency": "usd", "amount": 5}


@pytest.fixture
def tx(tmp_path: Path) -> Iterator[Transaction]:
    with closing(State(tmp_path / "sandbox.sqlite3", ManualClock())) as state, state.read("acct_1") as tx:
        yield tx


def test_what_is_not_given_is_blank_and_in_stripes_order(tx: Transaction) -> None:
    refund = objects.new(tx, "refund", REFUND)

    assert list(refund) == ["id", "object", *sorted(refund.keys() - {"id", "object"})]
    assert (refund["object"], refund["amount"], refund["created"]) == ("refund", 5, int(START))
    assert (refund["charge"], refund["metadata"]) == (None, {})


def test_two_objects_share_nothing(tx: Transaction) -> None:
    first, second = (objects.new(tx, "refund", REFUND) for _ in range(2))

    first["metadata"]["a"] = "b"

    assert second["metadata"] == objects.new(tx, "refund", REFUND)["metadata"] == {}


def test_a_field_that_has_no_blank_value_must_be_given(tx: Transaction) -> None:
    with pytest.raises(ValueError, match="a refund needs id, currency"):
        objects.new(tx, "refund", {})
