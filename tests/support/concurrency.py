"""Calls that run at the same time, on real threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

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
