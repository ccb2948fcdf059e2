"""`flask worker`: does what is due, once or again and again."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from types import FrameType

import click
import structlog
from flask.cli import with_appcontext

from store import logs
from store.cli.command import StoreCommand, current
from store.domain.errors import StoreError
from store.services import balance, reconciliation
from store.services.operations import worker
from store.services.services import Services
from store.webhooks import inbox

log = structlog.get_logger(__name__)

RECONCILE_AGAIN = timedelta(minutes=1)  # after a reconciliation on schedule that did not come to its end


@click.command("worker", cls=StoreCommand)
@click.option("--every", type=click.IntRange(1, 3600), help="Go on until stopped, with so many seconds in between.")
@click.option(
    "--reconcile-every",
    type=click.IntRange(1, 24 * 60),
    default=15,
    show_default=True,
    help="Minutes between reconciliations while it goes on.",
)
@with_appcontext
def worker_command(every: int | None, reconcile_every: int) -> None:
    """Close orders whose time is over, return money that came too late, send mail and notifications; with --every,
    reconcile as well. Any number may run at once.
    """
    services = current()
    if every is None:
        click.echo(f"{worker.run(services, services.clock())} things taken care of.")
        return
    stop = threading.Event()

    def leave(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    run_forever(services, every, timedelta(minutes=reconcile_every), wait=stop.wait)


def run_forever(
    services: Services,
    every: int,
    reconcile_every: timedelta,
    *,
    wait: Callable[[float], bool],
    stopwatch: Callable[[], float] = time.monotonic,
) -> None:
    """Do what is due every `every` seconds, and reconcile at the start and every `reconcile_every`. The entries of the
    balance are collected as often, and a long history of them some pages in each round.

    It ends when `wait`, which waits for so many seconds, returns true. What fails is logged and tried again.
    """
    reconcile_at = collect_at = stopwatch()
    while True:
        _survived("worker", lambda: _worker_round(services))
        if stopwatch() >= reconcile_at:
            done = _survived(
                "reconciliation",
                lambda: _log(reconciliation.run_since_last(services, inbox.catch_up, services.clock())),
            )
            pause = reconcile_every if done else min(reconcile_every, RECONCILE_AGAIN)
            reconcile_at = stopwatch() + pause.total_seconds()
        if stopwatch() >= collect_at:
            more = _collect(services)
            collect_at = stopwatch() + (0.0 if more else reconcile_every.total_seconds())
        if wait(every):
            return


def _worker_round(services: Services) -> None:
    if done := worker.run(services, services.clock()):
        click.echo(f"{done} things taken care of.")


def _collect(services: Services) -> bool:
    """Collect entries of the balance; whether there are more to be collected at once."""
    more = False

    def work() -> None:
        nonlocal more
        more = not balance.collect(services, services.clock())

    _survived("balance", work)
    return more


def _survived(what: str, work: Callable[[], None]) -> bool:
    """Whether it was done. Nothing that goes wrong ends the worker, and the store with it."""
    try:
        work()
    except StoreError as failure:
        log.warning("worker put off", work=what, failure=type(failure).__name__)
        return False
    except Exception as failure:  # noqa: BLE001  # whatever it was: the next round may fare better
        log.error("worker failed", work=what, failure=logs.where(failure))  # noqa: TRY400  # without the failure's own words
        return False
    return True


def _log(report: reconciliation.Report) -> None:
    """What a scheduled reconciliation did: nobody reads its output."""
    log.info("reconciled", compared=report.compared, repaired=len(report.repaired), left=len(report.unresolved))
    for finding in report.unresolved:
        log.warning("left for a person", subject=finding.subject, code=finding.code, **finding.data)
