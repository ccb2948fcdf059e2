"""The store's own commands: `flask seed`, `upkeep`, `reconcile`, `audit`, `doctor`, `refund`."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import FrameType

import click
import structlog
from flask import Flask, current_app
from flask.cli import with_appcontext

from config import STRIPE_API_VERSION
from store.domain.errors import PaymentUnavailable, StoreError
from store.domain.money import Money
from store.services import audit, catalogue, doctor, reconcile, refunds, upkeep
from store.services.findings import Finding
from store.services.ledger import Teller, Told
from store.services.till import Till
from store.webhooks import inbox
from store.webhooks.handlers import HANDLERS

log = structlog.get_logger(__name__)


def register(app: Flask) -> None:
    """Add the commands to `flask`."""
    for command in (seed, upkeep_command, reconcile_command, audit_command, doctor_command, refund_command):
        app.cli.add_command(command)


def _till() -> Till:
    till: Till = current_app.extensions["till"]
    return till


@click.command("seed")
@with_appcontext
def seed() -> None:
    """Fill the catalogue with the sample products that it does not have yet."""
    till = _till()
    with till.database.transaction() as session:
        added = catalogue.seed(session, till.settings.store_currency)
    click.echo(f"{added} products added.")


@click.command("upkeep")
@click.option("--every", type=click.IntRange(1, 3600), help="Go on until stopped, with so many seconds in between.")
@click.option(
    "--reconcile-every",
    type=click.IntRange(1, 24 * 60),
    default=15,
    show_default=True,
    help="Minutes between reconciliations while it goes on.",
)
@with_appcontext
def upkeep_command(every: int | None, reconcile_every: int) -> None:
    """Close orders whose time is over, return money that came too late, send mail. Any number may run at once."""
    till = _till()
    if every is None:
        try:
            click.echo(f"{upkeep.run(till, till.clock())} things taken care of.")
        except StoreError as failure:
            raise click.ClickException(failure.message) from None
        return
    stop = threading.Event()

    def leave(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    keep_up(till, every, timedelta(minutes=reconcile_every), wait=stop.wait)


def keep_up(
    till: Till,
    every: int,
    reconcile_every: timedelta,
    *,
    wait: Callable[[float], bool],
    stopwatch: Callable[[], float] = time.monotonic,
) -> None:
    """Upkeep again and again, with reconciliation now and then, until `wait`, which waits for some seconds, says that
    it is over. What fails is logged and comes up again.
    """
    reconcile_at = stopwatch() + reconcile_every.total_seconds()
    while True:
        try:
            if done := upkeep.run(till, till.clock()):
                click.echo(f"{done} things taken care of.")
            if stopwatch() >= reconcile_at:
                reconcile_at = stopwatch() + reconcile_every.total_seconds()
                _log(_reconcile(till, hours=2))
        except StoreError as failure:
            log.warning("upkeep put off", failure=type(failure).__name__)
        if wait(every):
            return


@click.command("reconcile")
@click.option("--hours", type=click.IntRange(1, 30 * 24), default=24, show_default=True, help="How far back to look.")
@with_appcontext
def reconcile_command(hours: int) -> None:
    """Compare Stripe and the store both ways and mend what is safe. Exits with 1 if anything is left for a person."""
    try:
        report = _reconcile(_till(), hours)
    except StoreError as failure:
        raise click.ClickException(failure.message) from None
    for line in report.mended:
        click.echo(f"mended  {line}")
    click.echo(f"{report.compared} payments compared, {len(report.mended)} things mended, {len(report.left)} left.")
    _finish(report.left)


@click.command("audit")
@click.option("--stripe", "with_stripe", is_flag=True, help="Compare with Stripe as well. Nothing is changed.")
@click.option("--hours", type=click.IntRange(1, 30 * 24), default=24, show_default=True, help="How far back, there.")
@with_appcontext
def audit_command(with_stripe: bool, hours: int) -> None:
    """Check that orders, payments, refunds and stock agree. Exits with 1 if they do not."""
    till = _till()
    now = till.clock()
    try:
        with till.database.reading() as session:
            findings = audit.run(session, now)
        if with_stripe:
            findings += reconcile.compare(till, now - timedelta(hours=hours))
    except StoreError as failure:
        raise click.ClickException(failure.message) from None
    click.echo("Everything agrees." if not findings else f"{len(findings)} disagreements:")
    _finish(findings)


@click.command("doctor")
@with_appcontext
def doctor_command() -> None:
    """Say whether this set-up will work. Exits with 1 if something will not."""
    till = _till()
    findings = doctor.run(till, frozenset(HANDLERS), STRIPE_API_VERSION, till.clock())
    click.echo("All is well." if not findings else f"{len(findings)} things to mend:")
    _finish(findings)


@click.command("refund")
@click.argument("reference")
@click.option("--amount", type=click.IntRange(min=1), help="In minor units (cents); left out, all that is left.")
@with_appcontext
def refund_command(reference: str, amount: int | None) -> None:
    """Return the money of an order, or a part of it."""
    till = _till()
    money = Money(amount, till.settings.store_currency) if amount is not None else None
    try:
        with till.database.reading() as session:
            key = refunds.next_key(session, reference)
        state = refunds.ask(till, reference, money, key, Told(Teller.MERCHANT, till.clock()))
    except PaymentUnavailable:
        click.echo("Stripe does not answer. The refund is written down; upkeep asks again until it is made.")
        return
    except StoreError as failure:
        raise click.ClickException(failure.message) from None
    click.echo(f"The refund is {state}.")


def _reconcile(till: Till, hours: int) -> reconcile.Report:
    now = till.clock()
    since = now - timedelta(hours=hours)
    missed = inbox.catch_up(till, since, now)
    report = reconcile.run(till, since, now)
    report.mended = missed + report.mended
    return report


def _log(report: reconcile.Report) -> None:
    """What a scheduled reconciliation did: nobody reads its output."""
    log.info("reconciled", compared=report.compared, mended=len(report.mended), left=len(report.left))
    for finding in report.left:
        log.warning("left for a person", about=finding.about, wrong=finding.wrong, remedy=finding.remedy)


def _finish(findings: Sequence[Finding]) -> None:
    for finding in findings:
        click.echo(f"  {finding}")
    if findings:
        raise SystemExit(1)
