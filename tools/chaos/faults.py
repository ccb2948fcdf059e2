"""What befalls the premises while shoppers shop: programs killed with -9, the database restarted."""

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
    """Strikes one after the other as shoppers get done; a thread of its own. `struck` counts them by kind."""

    def __init__(self, stack: Stack, strikes: Sequence[Strike]) -> None:
        self.struck: Counter[str] = Counter()
        self._premises, self._strikes = stack, strikes
        self._done = 0
        self._over = False
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="disasters", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def shopper_done(self) -> None:
        """Raises what went wrong with a disaster, such as a program that did not come back."""
        if self._failure is not None:
            raise self._failure
        with self._changed:
            self._done += 1
            self._changed.notify_all()

    def end(self) -> None:
        """Everybody is done: what has not struck yet strikes now, and all is up again when this returns. Raises as
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
                DEEDS[strike.disaster](self, strike)
                self.struck[strike.disaster] += 1
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
        self._kill_worker(self._premises.store, strike.which)

    def kill_web(self, strike: Strike) -> None:
        self._kill(self._premises.store, strike.seconds)

    def kill_upkeep(self, strike: Strike) -> None:
        upkeeps = self._premises.upkeeps
        self._kill(upkeeps[strike.which % len(upkeeps)], strike.seconds)

    def kill_sandbox_worker(self, strike: Strike) -> None:
        self._kill_worker(self._premises.sandbox, strike.which)

    def kill_sandbox(self, strike: Strike) -> None:
        self._kill(self._premises.sandbox, strike.seconds)

    def crash_database(self, _strike: Strike) -> None:
        self._premises.restart_database(crash=True)

    def restart_database(self, _strike: Strike) -> None:
        self._premises.restart_database(crash=False)


DEEDS: Mapping[Fault, Callable[[FaultInjector, Strike], None]] = {
    Fault.WEB_WORKER_KILLED: FaultInjector.kill_web_worker,
    Fault.WEB_KILLED: FaultInjector.kill_web,
    Fault.UPKEEP_KILLED: FaultInjector.kill_upkeep,
    Fault.SANDBOX_WORKER_KILLED: FaultInjector.kill_sandbox_worker,
    Fault.SANDBOX_KILLED: FaultInjector.kill_sandbox,
    Fault.DATABASE_CRASHED: FaultInjector.crash_database,
    Fault.DATABASE_RESTARTED: FaultInjector.restart_database,
}
