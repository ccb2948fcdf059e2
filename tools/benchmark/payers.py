"""Those who are measured while orders are paid: the store, the yardsticks beside it, and pgbench. Each round of theirs
is checked to be whole.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Engine

from tools.benchmark import clones, pgbench, wholeness
from tools.benchmark.databases import engine_of
from tools.benchmark.events import EventTemplate
from tools.benchmark.load import Load, drive
from tools.benchmark.numbering import FIRST_ORDER
from tools.benchmark.revision import WEBHOOK_SECRET, Revision, Server
from tools.benchmark.run import Run
from tools.programs import ROOT, ProgramFailed

WARM_UP = 0.5  # seconds
FIRST_GUESS = 1500.0  # orders a second, before the warm-up has shown how fast it is
SPARE = 1.5  # so that a round that is faster than the last one does not run out of orders


class Payer(Protocol):
    """Somebody who takes paying webhooks, or does what they ask for."""

    name: str

    def round(self, seconds: float, connections: int) -> Load:
        """Pay orders for so long. Raises NotWhole and PgbenchFailed."""


class _Orders:
    """How many orders there are and how many of them are paid."""

    def __init__(self) -> None:
        self._next, self._made, self._rate = FIRST_ORDER, FIRST_ORDER, FIRST_GUESS

    def take(self, seconds: float, connections: int) -> tuple[range, range]:
        """The orders for a round, and those of them that are still to be made."""
        wanted = range(self._next, self._next + int(self._rate * seconds * SPARE) + 2 * connections)
        missing = range(self._made, wanted.stop)
        self._made = max(self._made, wanted.stop)
        return wanted, missing

    def paid(self, load: Load) -> None:
        self._next += load.sent
        self._rate = load.rate


class StorePayer:
    """The store of a revision on a database of its own."""

    def __init__(
        self,
        run: Run,
        revision: Revision,
        name: str,
        *,
        sqlite: bool = False,
        synchronous_commit: bool = True,
        prepare: Callable[[Engine], object] | None = None,
    ) -> None:
        self.name = name
        model = run.model(revision, sqlite=sqlite)
        self._original, self._event = model.original, model.paid
        database = f"{revision.name}_{name}".replace(" ", "_")
        self.url = (
            run.files.create(database, template=model.database)
            if sqlite
            else run.databases.create(database, template=model.database, synchronous_commit=synchronous_commit)
        )
        self.engine, self._orders = engine_of(self.url), _Orders()
        if prepare is not None:
            prepare(self.engine)
        self.server = run.started(revision.store(self.url, run.sandbox, run.log(database)))

    def round(self, seconds: float, connections: int) -> Load:
        orders, missing = self._orders.take(seconds, connections)
        if missing:
            clones.copy(self.engine, self._original, missing[0], missing[-1])
        before = wholeness.read(self.engine, wholeness.STORE_BOOKS)
        load = drive(self.server.port, self._event.requests(orders), connections=connections, seconds=seconds)
        self._orders.paid(load)
        wholeness.check_answers(self.name, load)
        wholeness.check_books(self.name, load.sent, wholeness.read(self.engine, wholeness.STORE_BOOKS) - before)
        return load


@dataclass(frozen=True)
class OtherShop:
    """A shop that is not ours: a module with its application `app`, which makes orders when it is run."""

    name: str
    module: str
    books: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)
    worker_class: str = ""  # another one than the store's


NAIVE = OtherShop("a naive handler", "tools.benchmark.yardsticks.naive", wholeness.NAIVE_BOOKS)


class OtherPayer:
    """Another shop on a database of its own."""

    def __init__(self, run: Run, shop: OtherShop, runs_on: Revision, event: EventTemplate) -> None:
        self.name, self._shop = shop.name, shop
        database = shop.name.replace(" ", "_")
        url = run.databases.create(database)
        self._engine, self._orders, self._event = engine_of(url), _Orders(), event
        self._settings = {**runs_on.settings(url, run.sandbox), **shop.settings}
        self._python = str(runs_on.programs / "python")
        self._fill(range(FIRST_ORDER - 1, FIRST_ORDER))  # makes the tables
        self.server = run.started(
            runs_on.yardstick(f"{shop.module}:app", self._settings, run.log(database), worker_class=shop.worker_class)
        )

    def round(self, seconds: float, connections: int) -> Load:
        orders, missing = self._orders.take(seconds, connections)
        if missing:
            self._fill(missing)
        before = wholeness.read(self._engine, self._shop.books)
        load = drive(self.server.port, self._event.requests(orders), connections=connections, seconds=seconds)
        self._orders.paid(load)
        wholeness.check_answers(self.name, load)
        wholeness.check_books(self.name, load.sent, wholeness.read(self._engine, self._shop.books) - before)
        return load

    def _fill(self, orders: range) -> None:
        command = [self._python, "-m", self._shop.module]
        command += map(str, (orders[0], orders[-1], self._event.amount))
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | self._settings, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ProgramFailed(f"{self.name} could not make its orders:\n{done.stderr[-3000:]}")


class Forgetful:
    """Somebody who stores nothing: the print-only sample, or an application that does nothing."""

    def __init__(self, run: Run, name: str, application: str, event: EventTemplate) -> None:
        self.name, self._event, self._rate = name, event, FIRST_GUESS
        self.generator: list[float] = []  # its processor time for each request, in milliseconds, round by round
        log = run.log(application.rpartition(".")[2].partition(":")[0])
        self.server: Server = run.started(
            run.ours.yardstick(application, {"STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET}, log)
        )

    def round(self, seconds: float, connections: int) -> Load:
        count = int(self._rate * seconds * SPARE) + 2 * connections
        orders = range(FIRST_ORDER, FIRST_ORDER + count)
        load = drive(self.server.port, self._event.requests(orders), connections=connections, seconds=seconds)
        self._rate = load.rate
        wholeness.check_answers(self.name, load)
        self.generator.append(load.processor / load.answered * 1000)
        return load


class PgbenchPayer:
    """pgbench with the statements that the store sends for one webhook."""

    def __init__(self, run: Run, script: pgbench.Script, *, synchronous_commit: bool = True) -> None:
        self.name = f"pgbench, synchronous commit {'on' if synchronous_commit else 'off'}"
        self._run, self._script, self._orders = run, script, _Orders()
        model = run.model(run.ours)
        self._original = model.original
        self._url = run.databases.create(
            f"pgbench_{'on' if synchronous_commit else 'off'}",
            template=model.database,
            synchronous_commit=synchronous_commit,
        )
        self._engine = engine_of(self._url)

    def round(self, seconds: float, connections: int) -> Load:
        orders, missing = self._orders.take(seconds, connections)
        if missing:
            clones.copy(self._engine, self._original, missing[0], missing[-1])
        each = max(int(len(orders) / SPARE) // connections, 1)
        before = wholeness.read(self._engine, wholeness.STORE_BOOKS)
        rate = pgbench.run(
            self._run.databases.server,
            self._url,
            self._script,
            self._run.folder,
            first=orders[0],
            clients=connections,
            each=each,
        )
        sent = each * connections
        load = Load(sent=sent, seconds=sent / rate, latencies=[connections / rate] * sent)
        self._orders.paid(load)
        wholeness.check_books(self.name, sent, wholeness.read(self._engine, wholeness.STORE_BOOKS) - before)
        return load


def warm_up(payers: Iterable[Payer], connections: int) -> None:
    """Let everybody load what the first requests load, and show how fast they are."""
    for payer in payers:
        payer.round(WARM_UP, connections)
