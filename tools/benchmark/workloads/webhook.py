"""The paying webhook, on 16 connections and on one: the store beside pgbench and beside other applications."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

from tools.benchmark import clones, pgbench
from tools.benchmark.databases import engine_of
from tools.benchmark.figures import Goal, Row, percentile, ratio
from tools.benchmark.load import drive
from tools.benchmark.numbering import FIRST_ORDER
from tools.benchmark.payers import NAIVE, Forgetful, OtherPayer, Payer, PgbenchPayer, StorePayer, warm_up
from tools.benchmark.run import CONNECTIONS, Run
from tools.benchmark.statements import Sent, StatementLog
from tools.benchmark.turns import in_turns
from tools.benchmark.wholeness import check_answers

NAME = "paying webhook"
EMPTY, PRINT_ONLY = "an empty application", "the print-only sample"
LOOKS = 8  # webhooks whose statements are looked at; the first ones open connections


def run(run: Run) -> Iterator[Row]:
    sent, prepared = captured(run)
    last, earlier = _alike(sent)
    yield Row(NAME, "statements", (sent[last].statements,), Goal("≤", 6), f"{sent[last].round_trips} round trips")
    script = pgbench.script_of(sent[last].texts, last, sent[earlier].texts, earlier, prepared)
    with run.only_here():
        event = run.model(run.ours).paid
        ours = StorePayer(run, run.ours, "synchronous commit on")
        relaxed = StorePayer(run, run.ours, "synchronous commit off", synchronous_commit=False)
        empty = Forgetful(run, EMPTY, "tools.benchmark.yardsticks.empty:app", event)
        beside: list[Payer] = [
            PgbenchPayer(run, script),
            PgbenchPayer(run, script, synchronous_commit=False),
            Forgetful(run, PRINT_ONLY, "tools.benchmark.yardsticks.print_only:app", event),
            empty,
            OtherPayer(run, NAIVE, run.ours, event),
        ]
        warm_up([ours, relaxed, *beside], CONNECTIONS)
        yield from _many(run, ours, relaxed, beside)
        yield Row(NAME, "load generator: ms of processor a request", tuple(empty.generator[1:]), detail="to " + EMPTY)
        yield from _one(run, ours, relaxed, beside[2])
        yield from _on_sqlite(run, beside[2])


def _many(run: Run, ours: Payer, relaxed: Payer, beside: Sequence[Payer]) -> Iterator[Row]:
    seconds = run.options.seconds
    rates = in_turns(
        run.options.rounds,
        {
            payer.name: lambda payer=payer: payer.round(seconds, CONNECTIONS).rate  # type: ignore[misc]
            for payer in (ours, relaxed, *beside)
        },
    )
    mine, off, pgbench_on, pgbench_off, sample, empty, naive = rates
    yield ratio(NAME, "of pgbench with its statements", mine, pgbench_on, Goal("≥", 0.30))
    yield ratio(NAME, "… synchronous commit off", off, pgbench_off, Goal("≥", 0.30))
    yield ratio(NAME, "of the print-only sample", mine, sample, Goal("≥", 0.60))
    yield ratio(NAME, "of a naive handler", mine, naive, Goal("≥", 2.5))
    yield ratio(NAME, "of an empty application", mine, empty)


def _one(run: Run, ours: Payer, relaxed: Payer, sample: Payer) -> Iterator[Row]:
    """The median latency of requests that nobody else disturbs."""
    seconds = run.options.seconds / 3
    mine, its, off = in_turns(
        run.options.rounds,
        {
            payer.name: lambda payer=payer: percentile(payer.round(seconds, 1).latencies, 0.5) * 1000  # type: ignore[misc]
            for payer in (ours, sample, relaxed)
        },
    )
    yield ratio(NAME, "one connection: p50 to the sample's", mine, its, Goal("≤", 1.5), unit=" ms")
    yield ratio(NAME, "… synchronous commit off", off, its, Goal("≤", 1.5), unit=" ms")


def _on_sqlite(run: Run, sample: Payer) -> Iterator[Row]:
    """The same on SQLite, where one transaction waits for the other and each for the disk."""
    ours, flushes = StorePayer(run, run.ours, "on SQLite", sqlite=True), SqliteFlushes(run)
    warm_up([ours], CONNECTIONS)
    seconds = run.options.seconds
    mine, disk, its = in_turns(
        run.options.rounds,
        {
            "ours": lambda: ours.round(seconds, CONNECTIONS).rate,
            "disk": lambda: flushes.rate(seconds),
            "sample": lambda: sample.round(seconds, CONNECTIONS).rate,
        },
    )
    yield ratio(NAME, "on SQLite: of its smallest transaction", mine, disk)
    yield ratio(NAME, "on SQLite: of the print-only sample", mine, its)


class SqliteFlushes:
    """The smallest transaction that SQLite can do as the store sets it up, one after the other."""

    def __init__(self, run: Run) -> None:
        self._file = run.files.create("flushes").removeprefix("sqlite:///")
        with closing(sqlite3.connect(self._file)) as connection:
            connection.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (0)")

    def rate(self, seconds: float) -> float:
        done, started = 0, time.perf_counter()
        with closing(sqlite3.connect(self._file, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            while time.perf_counter() < started + seconds:
                connection.execute("UPDATE t SET n = n + 1")
                done += 1
        return done / (time.perf_counter() - started)


def captured(run: Run) -> tuple[dict[int, Sent], dict[str, str]]:
    """What the store sends for the webhooks of a few orders, by the order, and what it has prepared for it."""
    model = run.model(run.ours)
    with run.only_here():
        url = run.databases.create("captured", template=model.database, log_statements=True)
        orders = range(FIRST_ORDER, FIRST_ORDER + LOOKS)
        clones.copy(engine_of(url), model.original, orders[0], orders[-1])
        store = run.started(run.ours.store(url, run.sandbox, run.log("captured")))
        log = StatementLog(run.databases.server.log, "captured")
        sent = {}
        for order, request in zip(orders, model.paid.requests(orders), strict=True):
            check_answers("a webhook", drive(store.port, [request], connections=1, seconds=10))
            sent[order] = log.take()
    run.databases.drop("captured")
    return sent, log.prepared


def _alike(sent: Mapping[int, Sent]) -> tuple[int, int]:
    """The last webhook that was sent as an earlier one was, and that one: a worker's first says how it begins."""
    orders = sorted(sent, reverse=True)
    for order in orders:
        for earlier in orders:
            if earlier < order and sent[earlier].frames == sent[order].frames:
                return order, earlier
    raise pgbench.PgbenchFailed("No two webhooks sent statements that are framed alike.")
