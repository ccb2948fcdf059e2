"""Work that several threads of a process want done at the same moment, done by one of them for all.

A batch costs the database little more than what it does for one. Nobody waits for others to come: who finds nobody at
work does his own at once, and what comes meanwhile is the next batch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")

MOST = 16  # in one batch: nobody waits for more than these, and those before them


class _Request(Generic[T, R]):
    """What one thread wants done. `turn` is locked until it is done, or until its thread is to do the next batch."""

    __slots__ = ("done", "failure", "item", "result", "turn")

    def __init__(self, item: T) -> None:
        self.item, self.result, self.done = item, cast(R, None), False
        self.failure: BaseException | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


class Batches(Generic[T, R]):
    """Batches of one kind of work, one after the other. Usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Request[T, R]] = []
        self._at_work = False

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
            waits, self._at_work = self._at_work, True
        if waits:
            mine.turn.acquire()
        if not mine.done:
            self._do_batch(work)
        if mine.failure is not None:
            raise mine.failure
        return mine.result

    def _do_batch(self, work: Callable[[Sequence[T]], Sequence[R]]) -> None:
        """Of those who wait the first ones, this thread's among them; then the first of the others goes on."""
        with self._lock:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            for request, result in zip(batch, work([request.item for request in batch]), strict=True):
                request.result = result
        except BaseException as failure:  # noqa: BLE001  # each raises it
            for request in batch:
                request.failure = failure
        finally:
            for request in batch:
                request.done = True
                request.turn.release()
            with self._lock:
                self._at_work = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].turn.release()
