"""The shop that is put to the test: its database, the store, two workers, the sandbox, and a mail server.

Everything listens on free ports of this machine, keeps its files in one folder, and runs as `make run` runs it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Engine, Insert, Update, create_engine, insert, update
from sqlalchemy.exc import DBAPIError, OperationalError

from models import CouponRow, Order, Product
from store.domain.coupons import PERCENT, CouponKind
from tools.chaos.smtp_sink import SmtpSink
from tools.postgres import PostgresServer
from tools.programs import ROOT, Program, free_port

SECRET_KEY, PUBLISHABLE_KEY = "sk_test_chaos", "pk_test_chaos"
WEBHOOK_SECRET = "whsec_only_for_the_time_of_this_trial"  # noqa: S105  # signs webhooks on this machine only
COUPON = "CHAOS"
WORKERS, THREADS = 3, 6
BACKGROUND_WORKERS = 2
DATABASE_ANSWERS_WITHIN = 60.0  # seconds


class Stack:
    """Everything that runs. `settings` are the store's environment."""

    def __init__(self, folder: Path, smtp_sink: SmtpSink, postgres: PostgresServer | None, capture: str) -> None:
        self.folder, self.smtp_sink, self._postgres = folder, smtp_sink, postgres
        database_url = f"sqlite:///{folder / 'store.sqlite3'}" if postgres is None else postgres.url()
        store_port, sandbox_port = free_port(), free_port()
        self.settings = {
            "DATABASE_URL": database_url,
            "SECRET_KEY": "only-for-the-time-of-this-trial",
            "STRIPE_SECRET_KEY": SECRET_KEY,
            "STRIPE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "STRIPE_API_BASE": f"http://127.0.0.1:{sandbox_port}",
            "STORE_PORT": str(store_port),
            "SANDBOX_PORT": str(sandbox_port),
            "ORDERS_PER_HOUR": "100000",
            "CAPTURE": capture,
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(smtp_sink.port),
            "MAIL_USE_TLS": "false",
        }
        self.engine = _engine(database_url)
        self.sandbox_file = folder / "sandbox.sqlite3"
        self.sandbox = _program(
            f"till_sandbox --port {sandbox_port} --database {self.sandbox_file} --key {SECRET_KEY} "
            f"--forward-to http://127.0.0.1:{store_port}/webhooks/stripe --webhook-secret {WEBHOOK_SECRET}",
            {},
            folder / "sandbox.log",
            port=sandbox_port,
            ready="/sandbox/health",
        )
        self.store = _program(
            f"gunicorn --bind 127.0.0.1:{store_port} --workers {WORKERS} --threads {THREADS} "
            "--worker-class store.web.read_timeout_worker.ReadTimeoutWorker --no-control-socket --log-level warning "
            "--config python:store.server app:create_app()",
            self.settings,
            folder / "store.log",
            port=store_port,
            ready="/readyz",
        )
        self.background_workers = [
            _program("flask worker --every 1 --reconcile-every 1", self.settings, folder / f"worker-{number}.log")
            for number in range(BACKGROUND_WORKERS)
        ]

    @property
    def programs(self) -> list[Program]:
        return [self.sandbox, self.store, *self.background_workers]

    def fill(self, stock: Mapping[str, int]) -> None:
        """Set the stock of each product, and add a coupon for a fifth of it."""
        for slug, pieces in stock.items():
            self.change(update(Product).where(Product.slug == slug).values(stock=pieces))
        fifth = {"kind": CouponKind.PERCENT, "thousandths": 20 * PERCENT, "currency": "usd"}
        self.change(insert(CouponRow).values(code=COUPON, **fifth))

    def expire_reservation(self, reference: str) -> None:
        """Let the reservation of an order expire, as if the shopper had waited too long."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        self.change(update(Order).where(Order.reference == reference).values(expires_at=past))

    def change(self, statement: Update | Insert) -> None:
        """Change rows of the store's database directly, once it answers."""
        deadline = time.monotonic() + DATABASE_ANSWERS_WITHIN
        while True:
            try:
                with self.engine.begin() as connection:
                    connection.execute(statement)
            except DBAPIError as failure:
                # A server that dies in the middle of an answer is a plain DatabaseError to the driver.
                away = isinstance(failure, OperationalError) or failure.connection_invalidated
                if not away or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def restart_database(self, *, crash: bool) -> None:
        if self._postgres is not None:
            self._postgres.restart(crash=crash)

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Tell the sandbox something, or ask it, over its control API. Raises requests.RequestException."""
        answer = requests.request(method, f"{self.sandbox.url}/sandbox{path}", json=body, timeout=30)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def flask(self, *arguments: str) -> None:
        """Run a command of the store to its end."""
        with (self.folder / "flask.log").open("ab") as log:
            subprocess.run(
                [sys.executable, "-m", "flask", *arguments],
                cwd=ROOT,
                env=os.environ | self.settings,
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


@contextmanager
def opened(folder: Path, seed: int, *, postgres: bool, capture: str) -> Iterator[Stack]:
    """A stack whose programs run until the block ends."""
    with ExitStack() as closing:
        server = closing.enter_context(PostgresServer(durable=True)) if postgres else None
        smtp_sink = SmtpSink(seed)
        smtp_sink.open()
        closing.callback(smtp_sink.close)
        stack = Stack(folder, smtp_sink, server, capture)
        closing.callback(stack.engine.dispose)
        stack.flask("db", "upgrade")
        stack.flask("seed")
        for program in stack.programs:
            closing.callback(program.kill)
            program.start()
        yield stack


def _program(module: str, environment: Mapping[str, str], log: Path, *, port: int = 0, ready: str = "") -> Program:
    """`python -m` with a module's name and its arguments."""
    return Program([sys.executable, "-m", *module.split(" ")], environment, log, port=port, ready=ready)


def _engine(url: str) -> Engine:
    if url.startswith("sqlite"):
        return create_engine(url, connect_args={"timeout": 30})
    return create_engine(url.replace("postgresql", "postgresql+psycopg2", 1), pool_pre_ping=True)
