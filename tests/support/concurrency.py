"""Calls that run at the same time, on real threads."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

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


def wait_until_blocked(session: Session, other: threading.Thread) -> None:
    """Return once `other` waits for a lock of this transaction. SQLite lets no other transaction begin meanwhile."""
    if session.get_bind().dialect.name != "postgresql":
        return
    deadline = time.monotonic() + 10
    while not session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
        assert other.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.01)
