"""Work that several threads of a process want done at the same moment, done by one of them for all.

A batch costs the database little more than what it does for one. Nobody waits for others to come: who finds few at
work does his own at once, and what comes meanwhile is the next batch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")

MOST = 16  # in one batch: nobody waits for more than these, and those before them
AT_ONCE = 2  # batches: one does its work while the other one waits for the disk


class _Request(Generic[T, R]):
    """What one thread wants done. Its `turn` is locked until it is done, or until its thread is to do a `batch`."""

    __slots__ = ("batch", "failure", "item", "result", "turn")

    def __init__(self, item: T) -> None:
        self.item, self.result = item, cast(R, None)
        self.batch: list[_Request[T, R]] | None = None
        self.failure: BaseException | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


class Batches(Generic[T, R]):
    """Batches of one kind of work. Usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Request[T, R]] = []
        self._free = AT_ONCE

    @property
    def waiting(self) -> int:
        """How many wait for the next batch."""
        return len(self._waiting)

    def do(self, item: T, work: Callable[[Sequence[T]], Sequence[R]]) -> R:
        """The result of `work` for this item. It is called with the items of a batch, perhaps on another thread, and
        returns a result for each. What it raises is raised for each.
        """
        mine = _Request[T, R](item)
        with self._lock:
            self._waiting.append(mine)
            if self._free:
                self._free -= 1
                mine.batch = self._next()
        if mine.batch is None:
            mine.turn.acquire()
        if mine.batch is not None:
            self._do_batch(mine.batch, work)
        if mine.failure is not None:
            raise mine.failure
        return mine.result

    def _do_batch(self, batch: list[_Request[T, R]], work: Callable[[Sequence[T]], Sequence[R]]) -> None:
        """Do it, and let one of those who wait by then do the next one."""
        try:
            for request, result in zip(batch, work([request.item for request in batch]), strict=True):
                request.result = result
        except BaseException as failure:  # noqa: BLE001  # each raises it
            for request in batch:
                request.failure = failure
        finally:
            for request in batch:
                request.turn.release()
            with self._lock:
                if self._waiting:
                    goes_on = self._waiting[0]
                    goes_on.batch = self._next()
                    goes_on.turn.release()
                else:
                    self._free += 1

    def _next(self) -> list[_Request[T, R]]:
        batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        return batch
