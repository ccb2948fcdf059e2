"""Programs of the project as processes of their own: a store and a sandbox on free ports, with files of their own.

They are started by the same commands as `make run` uses, so what the browser tests see is what a shopper gets.
"""

import shlex
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import stripe
from honcho.environ import parse_procfile
from sqlalchemy import make_url

from app import create_app
from config import Settings
from tests.support.databases import ROOT, SETTINGS
from tools.programs import Program, ProgramFailed


class SandboxProcess(Program):
    """A sandbox that forwards its webhooks to `forward_to`. A restart forgets nothing, as its database file stays."""

    def __init__(self, folder: Path, port: int, forward_to: str) -> None:
        key, secret = SETTINGS["STRIPE_SECRET_KEY"], SETTINGS["STRIPE_WEBHOOK_SECRET"]
        command = [
            sys.executable,
            "-m",
            "till_sandbox",
            "--port",
            str(port),
            "--database",
            str(folder / "sandbox.sqlite3"),
        ]
        command += ["--key", key, "--forward-to", forward_to, "--webhook-secret", secret]
        super().__init__(command, SETTINGS, folder / "sandbox.log", port=port, ready="/endive/stripe.js")
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
        }
        web = parse_procfile((ROOT / "Procfile").read_text()).processes["web"]
        super().__init__(
            ["sh", "-c", f"exec {web}"], SETTINGS | self._settings, folder / "store.log", port=port, ready="/readyz"
        )

    def beside(self, port: int, **settings: str) -> Program:
        """Another process of the same store, not started yet, with other settings on the same database."""
        changed = {"STORE_PORT": str(port), **settings}
        return Program(self._command, self._environment | changed, self.log, port=port, ready="/readyz")

    def flask(self, *arguments: str) -> str:
        """Run a command of the store, such as `worker`, and return what it printed. It runs in this process: to start
        another costs more than most commands do.
        """
        settings = {name.lower(): value for name, value in (SETTINGS | self._settings).items()}
        app = create_app(Settings.load(_env_file=None, **settings))
        try:
            done = app.test_cli_runner().invoke(args=arguments)
        finally:
            app.extensions["services"].database.engine.dispose()
        if done.exit_code:
            raise ProgramFailed(f"flask {shlex.join(arguments)} failed:\n{done.output}")
        return done.stdout

    def change(self, statement: str, *values: object) -> None:
        """Change rows of the store's database directly."""
        with closing(sqlite3.connect(self._file, timeout=10)) as connection, connection:
            connection.execute(statement, values)

    def read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the store's database."""
        with closing(sqlite3.connect(self._file, timeout=10)) as connection:
            return connection.execute(statement, values).fetchall()
