"""The request deadline: how long one web request may wait for the payment service, however many calls it makes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar

SECONDS = 6.0


class RequestDeadline:
    """The time that is left for the web request of this thread. `clock` counts seconds and never goes back.

    A thread without a web request, such as the worker's or a command's, has no deadline.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, seconds: float = SECONDS) -> None:
        self._clock, self._seconds = clock, seconds
        self._ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)

    def begin(self) -> None:
        self._ends_at.set(self._clock() + self._seconds)

    def end(self, _failure: BaseException | None = None) -> None:
        self._ends_at.set(None)

    @property
    def running(self) -> bool:
        """Whether this thread serves a web request."""
        return self._ends_at.get() is not None

    def allows(self, seconds: float) -> bool:
        """Whether that much time is left."""
        ends_at = self._ends_at.get()
        return ends_at is None or self._clock() + seconds <= ends_at
