"""How long a page may wait for the payment service: one span of time for the whole page, however much it asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar

SECONDS = 6.0


class RequestDeadline:
    """What is left of the page that this thread is making. `clock` counts seconds and never goes back.

    A thread that makes no page, such as upkeep's, has all the time it wants.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, seconds: float = SECONDS) -> None:
        self._clock, self._seconds = clock, seconds
        self._over_at: ContextVar[float | None] = ContextVar("over_at", default=None)

    def begin(self) -> None:
        self._over_at.set(self._clock() + self._seconds)

    def end(self, _failure: BaseException | None = None) -> None:
        self._over_at.set(None)

    def allows(self, seconds: float) -> bool:
        """Whether the page can still wait so long."""
        over_at = self._over_at.get()
        return over_at is None or self._clock() + seconds <= over_at
