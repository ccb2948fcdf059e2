"""Things that happen at the same moment, on real threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

T = TypeVar("T")


def at_once(times: int, deed: Callable[[int], T]) -> list[T | Exception]:
    """Do `deed` on so many threads, all let go together: what each returned or raised, in order of number."""
    start = Barrier(times)

    def run(number: int) -> T | Exception:
        start.wait(timeout=30)
        try:
            return deed(number)
        except Exception as failure:  # noqa: BLE001  # what it was is the test's to judge
            return failure

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))
