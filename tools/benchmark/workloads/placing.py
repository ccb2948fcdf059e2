"""Orders placed on one product: through HTTP, and its transaction alone, beside pgbench's UPDATE of one row."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

from sqlalchemy import text

from tools.benchmark import clones, pgbench, wholeness
from tools.benchmark.carts import HOT_PRODUCT, Carts
from tools.benchmark.databases import engine_of
from tools.benchmark.figures import Goal, Row, ratio
from tools.benchmark.load import drive
from tools.benchmark.numbering import FIRST_ORDER
from tools.benchmark.pgbench import Script
from tools.benchmark.revision import Revision
from tools.benchmark.run import CONNECTIONS, SLUG, Run
from tools.benchmark.shopper import Shopper
from tools.benchmark.statements import StatementLog
from tools.benchmark.turns import in_turns
from tools.programs import ROOT

NAME = "placing orders on one product"
WARM_UP, SPARE, FIRST_GUESS = 0.5, 1.5, 400.0
UPDATE = f"UPDATE products SET reserved = reserved + 1 WHERE id = {HOT_PRODUCT} AND stock - reserved >= 1"
PROCESSES = 2  # as many as the store has workers


class PlacingStore:
    """A revision's store with carts that are to be ordered."""

    def __init__(self, run: Run, revision: Revision, name: str, *, log_statements: bool = False) -> None:
        self.name, self._next, self._rate = name, 1, FIRST_GUESS
        model, database = run.model(revision), f"{revision.name}_{name}".replace(" ", "_")
        self.url = run.databases.create(database, template=model.database, log_statements=log_statements)
        self.engine = engine_of(self.url)
        clones.copy(self.engine, model.original, FIRST_ORDER, FIRST_ORDER)
        self.server = run.started(revision.store(self.url, run.sandbox, run.log(database)))
        self.log = StatementLog(run.databases.server.log, database)
        with Shopper(self.server) as shopper:
            shopper.fill_cart(SLUG)
            self.carts = Carts(self.engine, shopper)

    def round(self, seconds: float, connections: int = CONNECTIONS) -> float:
        """Orders per second. Raises NotWhole."""
        numbers = self.new_carts(int(self._rate * seconds * SPARE) + 2 * connections)
        before = self.placed()
        load = drive(
            self.server.port,
            self.carts.requests(numbers[0], numbers[-1]),
            connections=connections,
            seconds=seconds,
        )
        self._rate = load.rate
        wholeness.check_answers(self.name, load)
        self.check(load.sent, before)
        return load.rate

    def new_carts(self, count: int) -> range:
        """The numbers of further carts."""
        numbers = range(self._next, self._next + count)
        self._next = numbers.stop
        self.carts.make(numbers[0], numbers[-1])
        return numbers

    def placed(self) -> tuple[int, int]:
        """Orders, and pieces that are reserved for them."""
        held = clones.reserved_column(self.engine)
        with self.engine.connect() as connection:
            orders = connection.execute(text("SELECT count(*) FROM orders")).scalar_one()
            pieces = connection.execute(text(f"SELECT {held} FROM products WHERE id = {HOT_PRODUCT}")).scalar_one()
        return orders, pieces

    def check(self, sent: int, before: tuple[int, int]) -> None:
        """Raises NotWhole unless each of so many requests has placed an order for one piece."""
        orders, pieces = (now - then for now, then in zip(self.placed(), before, strict=True))
        if (orders, pieces) != (sent, sent):
            raise wholeness.NotWhole(
                f"{self.name}: {sent} orders were sent, {orders} are placed, {pieces} pieces are reserved."
            )


def run(run: Run) -> Iterator[Row]:
    yield _statements(run)
    with run.only_here():
        store, alone = PlacingStore(run, run.ours, "placing"), PlacingStore(run, run.ours, "alone")
        url = run.databases.create("one_row", template=run.model(run.ours).database)
        clones.copy(engine_of(url), run.model(run.ours).original, FIRST_ORDER, FIRST_ORDER)
        store.round(WARM_UP)
        placed, transactions, updates = in_turns(
            run.options.rounds,
            {
                "placing": lambda: store.round(run.options.seconds),
                "alone": lambda: _alone(run, alone),
                "update": lambda: pgbench.run(
                    run.databases.server, url, Script((UPDATE,)), run.folder, first=0, clients=CONNECTIONS, each=200
                ),
            },
        )
        yield ratio(NAME, "through HTTP: of an UPDATE of one row", placed, updates, Goal("≥", 0.15))
        yield ratio(NAME, "the transaction alone: of the same", transactions, updates, Goal("≥", 0.5))


def _statements(run: Run) -> Row:
    with run.only_here():
        store = PlacingStore(run, run.ours, "placing_logged", log_statements=True)
        counted, round_trips = [], []
        carts = store.new_carts(6)
        for request in store.carts.requests(carts[0], carts[-1]):
            store.log.take()
            wholeness.check_answers(store.name, drive(store.server.port, [request], connections=1, seconds=30))
            sent = store.log.take()
            counted.append(float(sent.statements))
            round_trips.append(sent.round_trips)
    return Row(NAME, "statements", tuple(counted[3:]), Goal("≤", 8), f"{round_trips[-1]} round trips")


def _alone(run: Run, store: PlacingStore) -> float:
    """Orders per second that the service function places in processes with threads as the store has them."""
    share = max(int(FIRST_GUESS * run.options.seconds) // PROCESSES, CONNECTIONS)
    numbers, before = store.new_carts(share * PROCESSES), store.placed()
    command = [str(run.ours.programs / "python"), "-m", "tools.benchmark.placing_alone", str(CONNECTIONS // PROCESSES)]
    processes = [
        subprocess.Popen(
            [*command, str(numbers[part * share]), str(numbers[(part + 1) * share - 1])],
            cwd=ROOT,
            env=os.environ | run.ours.settings(store.url, run.sandbox),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for part in range(PROCESSES)
    ]
    pipes = [(process.stdin, process.stdout) for process in processes]
    for _into, out in pipes:
        if out is not None:
            out.readline()  # it is ready
    for into, _out in pipes:
        if into is not None:
            into.write("\n")
            into.flush()
    done = [json.loads(process.communicate()[0]) for process in processes]
    store.check(share * PROCESSES, before)
    return float(sum(each["orders"] for each in done) / max(each["seconds"] for each in done))
