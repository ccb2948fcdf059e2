"""The sandbox itself: its state, its clock, and what it does by itself."""

import logging
import sqlite3
import threading
from pathlib import Path

from till_sandbox.api.keys import account_of
from till_sandbox.api.pipeline import Pipeline
from till_sandbox.clock import Clock
from till_sandbox.faults import Faults
from till_sandbox.followers import FOLLOWERS
from till_sandbox.model import schedule, webhook_endpoints
from till_sandbox.request_log import RequestLog
from till_sandbox.state import State
from till_sandbox.webhooks import Deliverer, Send

#: Seconds between looks for something to do.
PULSE = 0.05
#: Seconds to wait when the state could not be used.
RECOVERY = 5.0

_log = logging.getLogger(__name__)


class Sandbox:
    """Everything one running sandbox consists of; `create_app` makes it, as an extension of the Flask application.

    What Stripe does later (settling, webhooks) happens when `deliver_due` is called, or by itself after `start`.
    """

    def __init__(self, database: str | Path, *, clock: Clock, public_url: str, send: Send) -> None:
        self.clock = clock
        self.public_url = public_url
        self.state = State(database, clock, public_url, FOLLOWERS)
        self.requests = RequestLog()
        self.pipeline = Pipeline(self.state, self.requests)
        self.faults = Faults(self.state)
        self.deliverer = Deliverer(self.state, send, self.faults)
        self._forwards: dict[tuple[str, str], list[str]] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def deliver_due(self) -> int:
        """Do everything that is due now: scheduled actions, then webhooks. Returns the number of deliveries tried."""
        schedule.run_due(self.state)
        return self.deliverer.deliver_due()

    def forward(self, key: str, url: str, secrets: list[str]) -> None:
        """Send every event of the key's account to an address, signed with each of the secrets; after a reset too."""
        self._forwards[key, url] = secrets
        with self.state.write(account_of(key)) as tx:
            webhook_endpoints.forward(tx, url, secrets)

    def reset(self, *, forwarding: bool = False) -> None:
        """Forget everything but where to forward events; with `forwarding` that too."""
        if forwarding:
            self._forwards.clear()
        self.state.reset()
        self.requests.clear()
        for (key, url), secrets in list(self._forwards.items()):
            self.forward(key, url, secrets)

    def start(self) -> None:
        """Do what is due on a thread of its own until the process ends or `stop` is called."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._work, name="sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the state. It can be used and started again."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.deliverer.stop()
        self.state.close()

    def _work(self) -> None:
        while not self._stopping.wait(PULSE):
            try:
                schedule.run_due(self.state)
                self.deliverer.start_due()
                self.state.copy_log()
            except sqlite3.Error:  # a full disk, say: it may pass, and then everything due is still there
                _log.exception("the state cannot be used")
                self._stopping.wait(RECOVERY)
