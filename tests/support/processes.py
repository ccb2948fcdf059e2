"""Programs of the project as processes of their own: a store and a sandbox on free ports, with files of their own.

They are started by the same commands as `make run` uses, so what the browser tests see is what a shopper gets.
"""

import os
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import stripe
from honcho.environ import parse_procfile
from sqlalchemy import make_url

from tests.support.databases import ROOT, SETTINGS

STARTS_WITHIN = 60.0  # seconds; two on an idle laptop
STOPS_WITHIN = 10.0


class ProgramFailed(Exception):
    """A program ended, or does not answer; the message holds the end of what it printed."""


class Program:
    """A program that answers GET `ready` on a port of this machine once it is ready."""

    def __init__(self, command: list[str], environment: dict[str, str], port: int, ready: str, log: Path) -> None:
        self._command, self._environment, self._ready = command, environment, ready
        self.url, self.log = f"http://127.0.0.1:{port}", log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers. Raises ProgramFailed."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=os.environ | SETTINGS | self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + STARTS_WITHIN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ProgramFailed(f"{shlex.join(self._command)} did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask it to end, then make it; returns when it is gone."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}{self._ready}", timeout=5):
                return True
        except OSError:
            return False


class SandboxProcess(Program):
    """A sandbox that forwards its webhooks to `forward_to`. A restart forgets nothing, as its database file stays."""

    def __init__(self, folder: Path, port: int, forward_to: str) -> None:
        key, secret = SETTINGS["STRIPE_SECRET_KEY"], SETTINGS["STRIPE_WEBHOOK_SECRET"]
        command = [sys.executable, "-m", "sandbox", "--port", str(port), "--database", str(folder / "sandbox.sqlite3")]
        command += ["--key", key, "--forward-to", forward_to, "--webhook-secret", secret]
        super().__init__(command, {}, port, "/endive/stripe.js", folder / "sandbox.log")
        self._api = stripe.StripeClient(key, base_addresses={"api": self.url})

    def payments_of(self, reference: str) -> list[stripe.PaymentIntent]:
        """The PaymentIntents that were made for an order, newest first."""
        every = self._api.v1.payment_intents.list({"limit": 100}).auto_paging_iter()
        return [intent for intent in every if intent.metadata["order_reference"] == reference]

    def charges_of(self, reference: str) -> list[stripe.Charge]:
        """Every attempt to charge a card for an order, newest first."""
        (intent,) = self.payments_of(reference)
        return list(self._api.v1.charges.list({"payment_intent": intent.id, "limit": 100}).auto_paging_iter())


class StoreProcess(Program):
    """A store with its own SQLite database, which must be migrated already."""

    def __init__(self, folder: Path, port: int, sandbox_port: int, database_url: str) -> None:
        self._file = str(make_url(database_url).database)
        self._settings = {
            "STORE_PORT": str(port),
            "SANDBOX_PORT": str(sandbox_port),
            "DATABASE_URL": database_url,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        }
        web = parse_procfile((ROOT / "Procfile").read_text()).processes["web"]
        super().__init__(["sh", "-c", f"exec {web}"], self._settings, port, "/readyz", folder / "store.log")

    def flask(self, *words: str) -> str:
        """Run a command of the store, such as `upkeep`, and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", *words],
            cwd=ROOT,
            env=os.environ | SETTINGS | self._settings,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ProgramFailed(f"flask {shlex.join(words)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def change(self, statement: str, *values: object) -> None:
        """Change rows of the store's database behind its back."""
        with closing(sqlite3.connect(self._file, timeout=10)) as connection, connection:
            connection.execute(statement, values)

    def read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the store's database."""
        with closing(sqlite3.connect(self._file, timeout=10)) as connection:
            return connection.execute(statement, values).fetchall()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
