"""Batches: what threads want at the same moment is done by one of them for all."""

from collections.abc import Sequence
from functools import partial

import pytest

from store.services.batches import MOST, Batches
from tests.support.concurrency import in_one_batch


class Doubling:
    """Work that notes the batches it did."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(sorted(items))
        if 13 in items:
            raise LookupError
        return [2 * item for item in items]


def test_who_comes_alone_is_served_at_once() -> None:
    batches, work = Batches[int, int](), Doubling()

    results = [batches.do(item, work) for item in (1, 2)]

    assert (results, work.batches) == ([2, 4], [[1], [2]])


def test_each_of_a_batch_gets_the_result_of_its_own() -> None:
    batches, work = Batches[int, int](), Doubling()

    results = in_one_batch(batches, *[partial(batches.do, item, work) for item in range(5)])

    assert (results, work.batches) == ([0, 2, 4, 6, 8], [[0, 1, 2, 3, 4]])


def test_more_than_a_batch_holds_waits_for_the_next() -> None:
    batches, work = Batches[int, int](), Doubling()
    items = range(20, 20 + MOST + 2)

    results = in_one_batch(batches, *[partial(batches.do, item, work) for item in items])

    assert results == [2 * item for item in items]
    assert sorted(len(batch) for batch in work.batches) == [2, MOST]


def test_a_failure_is_raised_for_all_of_the_batch_and_nobody_after_it() -> None:
    batches, work = Batches[int, int](), Doubling()

    def ask(item: int) -> str:
        with pytest.raises(LookupError):
            batches.do(item, work)
        return "failed"

    outcomes = in_one_batch(batches, lambda: ask(13), lambda: ask(14))

    assert outcomes == ["failed", "failed"]
    assert batches.do(15, work) == 30
