"""What time it is, as an argument."""

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since 1970, UTC."""


class SystemClock:
    def now(self) -> float:
        return time.time()
