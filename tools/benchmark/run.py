"""One run of the benchmark: its options, its PostgreSQL, its sandbox, and what each workload may start."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.benchmark import revision
from tools.benchmark.clones import Original
from tools.benchmark.databases import SERVER_SETTINGS, Databases, SqliteFiles
from tools.benchmark.events import EventTemplate
from tools.benchmark.figures import Row
from tools.benchmark.revision import Revision, Server
from tools.benchmark.shopper import Shopper, pay_at
from tools.postgres import PostgresServer
from tools.programs import ROOT

# As many as Stripe may have on their way at once in a busy minute; the threads of one of the store's two workers.
CONNECTIONS = 16
SLUG = "cedar-pencil"
PAID = "payment_intent.succeeded"


@dataclass(frozen=True)
class Options:
    """What a run is asked to do."""

    rounds: int
    seconds: float
    orders: int
    only: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """A database of a revision with one order that can be paid, to be copied; and the events about a paid one."""

    database: str
    original: Original
    events: tuple[EventTemplate, ...]  # all that come when such an order is paid, in their order

    @property
    def paid(self) -> EventTemplate:
        """The event that pays."""
        return next(event for event in self.events if event.type == PAID)


class Run:
    """Everything that is started ends with `opened`."""

    def __init__(self, options: Options, folder: Path, closing: ExitStack) -> None:
        self.options, self.folder, self._closing = options, folder, closing
        self.ours = Revision("this store", ROOT, Path(sys.executable).parent)
        self.databases = Databases(closing.enter_context(PostgresServer(settings=SERVER_SETTINGS)))
        self.files = SqliteFiles(folder)
        self.sandbox = self.started(revision.sandbox(self.ours.programs, folder))
        self._models: dict[tuple[str, bool], Model] = {}

    def started(self, server: Server) -> Server:
        """Start a program that ends with the run, or with the block of `only_here`."""
        self._closing.callback(server.kill)
        server.start()
        return server

    def child(self, process: subprocess.Popen[str]) -> subprocess.Popen[str]:
        """A process that ends as `started` ones do."""
        self._closing.callback(process.wait)
        self._closing.callback(process.kill)
        return process

    @contextmanager
    def only_here(self) -> Iterator[None]:
        """What is started in the block ends with it."""
        outer = self._closing
        with ExitStack() as inner:
            self._closing = inner
            try:
                yield
            finally:
                self._closing = outer

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def model(self, of: Revision, *, sqlite: bool = False) -> Model:
        """The revision's own migrated and seeded database with an order whose payment page was opened."""
        if (of.name, sqlite) not in self._models:
            self._models[of.name, sqlite] = self._make_model(of, f"model_{len(self._models)}", sqlite=sqlite)
        return self._models[of.name, sqlite]

    def _make_model(self, of: Revision, database: str, *, sqlite: bool) -> Model:
        url = self.files.create(database) if sqlite else self.databases.create(database)
        of.flask(url, "db", "upgrade")
        of.flask(url, "seed")
        with self.only_here():
            store = self.started(of.store(url, self.sandbox, self.log(database)))
            with Shopper(store) as payer, Shopper(store) as shopper:
                payer.fill_cart(SLUG)
                paid = payer.place()
                payment = payer.open_payment_page(paid)
                events = pay_at(self.sandbox, payment)
                shopper.fill_cart(SLUG)
                reference = shopper.place()
                original = Original(reference, shopper.open_payment_page(reference))
        return Model(database, original, tuple(EventTemplate.of(event, payment, paid) for event in events))


Workload = Callable[[Run], Iterator[Row]]


@contextmanager
def opened(options: Options, folder: Path) -> Iterator[Run]:
    """A run whose programs and databases last until the block ends. Raises PostgresUnavailable and ProgramFailed."""
    with ExitStack() as closing:
        yield Run(options, folder, closing)


def machine(run: Run) -> dict[str, str]:
    """What the figures were measured on."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        processor = next(iter(models), processor)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return {
        "machine": f"{cores} cores, {processor}, {platform.system()} {platform.release()}; load before: {busy}",
        "python": platform.python_version(),
        "postgresql": f"{run.databases.version()} (fsync on; synchronous_commit on unless a line says off)",
    }
