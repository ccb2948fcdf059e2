"""Calls that run at the same time, on real threads."""

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from store.services.batches import AT_ONCE, Batches
from store.services.database import Database

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


def in_processes(times: int, call: Callable[[int], object]) -> list[int]:
    """Run `call` in so many processes that are copies of this one, all started together; returns how each ended: 0, 1
    when it raised, or less than 0 when it was killed, by the signal's number. A copy opens connections of its own.
    """
    forking = multiprocessing.get_context("fork")
    start = forking.Barrier(times)

    def run(number: int) -> None:
        start.wait(timeout=30)
        call(number)

    processes = [forking.Process(target=run, args=[number]) for number in range(times)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=60)
    return [1 if process.exitcode is None else process.exitcode for process in processes]


def in_one_batch(batches: Batches[Any, Any], *calls: Callable[[], T]) -> list[T]:
    """Run calls that each ask `batches` for something, so that all of it is done together: what each returned."""
    others = [Event() for _ in range(AT_ONCE)]  # batches that are at work until all the calls wait
    over = Event()

    def hold(items: Sequence[Event]) -> list[None]:
        items[0].set()
        over.wait(timeout=30)
        return [None]

    with ThreadPoolExecutor(AT_ONCE + len(calls)) as pool:
        for other in others:
            pool.submit(batches.do, other, hold)
            assert other.wait(timeout=30)
        started = [pool.submit(call) for call in calls]
        deadline = time.monotonic() + 10
        while batches.waiting < len(calls):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        over.set()
        return [each.result() for each in started]


@contextmanager
def slow_transaction(database: Database, write: Callable[[Session], object]) -> Iterator[None]:
    """A block in which another transaction has written and not ended yet. SQLite has one writer at a time: there it
    ends before the block.
    """
    written, go_on = Event(), Event()

    def run() -> None:
        with database.transaction() as session:
            write(session)
            session.flush()
            written.set()
            assert go_on.wait(timeout=30)

    other = threading.Thread(target=run)
    other.start()
    try:
        assert written.wait(timeout=30)
        if database.engine.dialect.name == "sqlite":
            go_on.set()
            other.join(timeout=30)
        yield
    finally:
        go_on.set()
        other.join(timeout=30)


def wait_until_blocked(session: Session, *others: threading.Thread) -> None:
    """Return once all of these wait for a lock. SQLite lets no other transaction begin meanwhile."""
    if session.get_bind().dialect.name != "postgresql":
        return
    deadline = time.monotonic() + 10
    while session.scalars(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).one() < len(others):
        assert all(other.is_alive() for other in others)
        assert time.monotonic() < deadline
        time.sleep(0.01)
