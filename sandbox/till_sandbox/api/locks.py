"""Which objects and keys are in use right now. Kept in memory: when the process ends, nothing is in use."""

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager


class Locks:
    """One holder at a time for each name."""

    def __init__(self) -> None:
        self._held: set[Hashable] = set()
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, name: Hashable, *, wait: float, busy: Callable[[], Exception]) -> Iterator[None]:
        """Hold the name for the block; raise what `busy` makes if it is still held after `wait` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: name not in self._held, timeout=wait):
                raise busy()
            self._held.add(name)
        try:
            yield
        finally:
            with self._changed:
                self._held.discard(name)
                self._changed.notify_all()
