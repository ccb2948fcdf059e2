"""Faults of the stack while shoppers shop: programs killed with -9, the database restarted."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from tools.chaos.plan import Fault, Strike
from tools.chaos.stack import Stack
from tools.programs import Program


class FaultInjector:
    """Injects one fault after the other as shoppers finish; a thread of its own. `struck` counts them by fault."""

    def __init__(self, stack: Stack, strikes: Sequence[Strike]) -> None:
        self.struck: Counter[str] = Counter()
        self._stack, self._strikes = stack, strikes
        self._done = 0
        self._over = False
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="faults", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def shopper_done(self) -> None:
        """Raises what went wrong with a fault, such as a program that did not restart."""
        if self._failure is not None:
            raise self._failure
        with self._changed:
            self._done += 1
            self._changed.notify_all()

    def end(self) -> None:
        """All shoppers are done: inject the remaining faults now; everything runs again when this returns. Raises as
        `shopper_done` does.
        """
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        try:
            for strike in self._strikes:
                self._wait_for(strike.after)
                ACTIONS[strike.fault](self, strike)
                self.struck[strike.fault] += 1
        except BaseException as failure:  # noqa: BLE001  # handed to the main thread, which raises it
            self._failure = failure

    def _wait_for(self, done: int) -> None:
        """Until so many shoppers are done, or all are."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._done >= done)

    def _kill_worker(self, program: Program, which: int) -> None:
        """The master stays and starts another worker."""
        workers = sorted(program.workers())
        if workers:
            with suppress(ProcessLookupError):
                os.kill(workers[which % len(workers)], signal.SIGKILL)

    def _kill(self, program: Program, seconds: float) -> None:
        program.kill()
        with self._changed:
            self._changed.wait_for(lambda: self._over, seconds)
        program.start()

    def kill_web_worker(self, strike: Strike) -> None:
        self._kill_worker(self._stack.store, strike.which)

    def kill_web_server(self, strike: Strike) -> None:
        self._kill(self._stack.store, strike.seconds)

    def kill_background_worker(self, strike: Strike) -> None:
        workers = self._stack.background_workers
        self._kill(workers[strike.which % len(workers)], strike.seconds)

    def kill_sandbox_worker(self, strike: Strike) -> None:
        self._kill_worker(self._stack.sandbox, strike.which)

    def kill_sandbox(self, strike: Strike) -> None:
        self._kill(self._stack.sandbox, strike.seconds)

    def crash_database(self, _strike: Strike) -> None:
        self._stack.restart_database(crash=True)

    def restart_database(self, _strike: Strike) -> None:
        self._stack.restart_database(crash=False)


ACTIONS: Mapping[Fault, Callable[[FaultInjector, Strike], None]] = {
    Fault.WEB_WORKER_KILLED: FaultInjector.kill_web_worker,
    Fault.WEB_KILLED: FaultInjector.kill_web_server,
    Fault.WORKER_KILLED: FaultInjector.kill_background_worker,
    Fault.SANDBOX_WORKER_KILLED: FaultInjector.kill_sandbox_worker,
    Fault.SANDBOX_KILLED: FaultInjector.kill_sandbox,
    Fault.DATABASE_CRASHED: FaultInjector.crash_database,
    Fault.DATABASE_RESTARTED: FaultInjector.restart_database,
}
