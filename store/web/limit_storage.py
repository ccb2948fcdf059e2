"""Counters in memory, as `limits` has them, cleared of those that do not count any more once a minute.

By itself `limits` does that every hundredth of a second while something is counted: it looks at every counter, in a new
thread each time. A sale has tens of thousands of them. A counter that has ended counts from zero whether it was cleared
or not.
"""

from __future__ import annotations

import threading
from typing import ClassVar

from limits.storage import MemoryStorage

IN_MEMORY = "cleared-seldom://"  # how Flask-Limiter is told to count there


class ClearedSeldom(MemoryStorage):
    """The library's storage, with another interval."""

    STORAGE_SCHEME = [IN_MEMORY.removesuffix("://")]  # noqa: RUF012  # as the library has it
    SECONDS: ClassVar[float] = 60.0

    @property
    def timer(self) -> threading.Timer:
        """What clears them next. It begins with a count."""
        return self._timer

    @timer.setter
    def timer(self, timer: threading.Timer) -> None:
        if self.storage:  # else there is nothing to clear, and it may end at once
            timer.interval = self.SECONDS
        timer.daemon = True  # a program that ends does not wait for it
        self._timer = timer
