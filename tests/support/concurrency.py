"""Calls that run at the same time, on real threads."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from store.services.batches import Batches

T = TypeVar("T")


def at_once(times: int, call: Callable[[int], T]) -> list[T | Exception]:
    """Run `call` on so many threads, all started together: what each returned or raised, in order of number."""
    start = Barrier(times)

    def run(number: int) -> T | Exception:
        start.wait(timeout=30)
        try:
            return call(number)
        except Exception as failure:  # noqa: BLE001  # what it was is the test's to judge
            return failure

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def in_one_batch(batches: Batches[Any, Any], *calls: Callable[[], T]) -> list[T]:
    """Run calls that each ask `batches` for something, so that all of it is done together: what each returned."""
    started: list[Future[T]] = []

    def begin(_items: Sequence[object]) -> list[None]:
        """A batch of its own, which ends when all the others wait for the next one."""
        started.extend(pool.submit(call) for call in calls)
        deadline = time.monotonic() + 10
        while batches.waiting < len(calls):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return [None]

    with ThreadPoolExecutor(len(calls)) as pool:
        batches.do(None, begin)
        return [each.result() for each in started]


def wait_until_blocked(session: Session, other: threading.Thread) -> None:
    """Return once `other` waits for a lock of this transaction. SQLite lets no other transaction begin meanwhile."""
    if session.get_bind().dialect.name != "postgresql":
        return
    deadline = time.monotonic() + 10
    while not session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
        assert other.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.01)
