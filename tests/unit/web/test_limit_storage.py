"""Counters in memory: they end in time, and are cleared by one timer and not by many."""

import time

import pytest
from limits.storage import storage_from_string

from store.web.limit_storage import IN_MEMORY, ClearedSeldom


def test_a_counter_that_has_ended_begins_anew_before_it_is_cleared() -> None:
    storage = ClearedSeldom()

    counted = [storage.incr("orders", expiry) for expiry in (60, 60, 60)]
    ended = [storage.incr("declines", expiry) for expiry in (0, 0)]

    assert (counted, ended) == ([1, 2, 3], [1, 1])


def test_counters_are_cleared_by_the_same_timer_until_its_time_has_come() -> None:
    storage = storage_from_string(IN_MEMORY)
    assert isinstance(storage, ClearedSeldom)

    storage.incr("browser", 3600)
    storage.timer.join(timeout=10)  # the first one, which had nothing to clear
    storage.incr("browser", 3600)
    timer = storage.timer
    for number in range(5):
        storage.incr(f"browser {number}", 3600)

    assert storage.timer is timer
    assert (timer.interval, timer.daemon) == (60, True)


def test_what_does_not_count_any_more_is_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClearedSeldom, "SECONDS", 0.01)
    storage, deadline = ClearedSeldom(), time.monotonic() + 10
    storage.incr("ended", 0)
    storage.incr("counts", 3600)

    while "ended" in storage.storage:
        assert time.monotonic() < deadline
        storage.incr("counts", 3600)
        time.sleep(0.001)
    assert storage.storage["counts"] > 1
