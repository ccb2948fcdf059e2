"""The store's own commands: `flask seed`, `upkeep`, `reconcile`, `audit`, `doctor`, `webhooks`, `refund`, `settle`."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import FrameType
from typing import Any

import click
import structlog
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from config import STRIPE_API_VERSION
from store import logs
from store.domain.errors import (
    NotFound,
    PaymentMisconfigured,
    PaymentUnavailable,
    RefundRefusal,
    RefundRefused,
    ReviewNotResolved,
    ReviewRefusal,
    StoreBusy,
    StoreError,
)
from store.domain.money import Money
from store.services import catalogue, orders, reconciliation
from store.services.findings import Finding
from store.services.operations import audit, doctor, endpoints, health, worker
from store.services.operations.doctor import WebhookSetup
from store.services.operations.endpoints import Change
from store.services.orders import reviews
from store.services.payments import refunds
from store.services.services import Services
from store.services.transitions import Origin, Source
from store.webhooks import inbox
from store.webhooks.handlers import HANDLERS

log = structlog.get_logger(__name__)

RECONCILE_AGAIN = timedelta(minutes=1)  # after a reconciliation on schedule that did not come to its end


RENAMED = {"upkeep": "worker", "settle": "resolve"}


def register(app: Flask) -> None:
    """Add the commands to `flask`."""
    for command in (
        seed,
        worker_command,
        reconcile_command,
        audit_command,
        doctor_command,
        webhooks_command,
        refund_command,
        resolve_command,
    ):
        app.cli.add_command(command)
    for old, new in RENAMED.items():
        app.cli.add_command(_renamed(old, new))


def _renamed(old: str, new: str) -> click.Command:
    """A command under its old name: it does nothing but name the new one."""

    def refuse() -> None:
        raise click.ClickException(f"`flask {old}` is now `flask {new}`.")

    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(old, callback=refuse, hidden=True, add_help_option=False, context_settings=anything)


class StoreCommand(click.Command):
    """A command that answers what the store refuses, and a database that cannot be used, with a sentence and exit
    code 1.
    """

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (StoreError, DBAPIError) as failure:
            raise click.ClickException(_sentence(failure)) from None


def _services() -> Services:
    services: Services = current_app.extensions["services"]
    return services


@click.command("seed", cls=StoreCommand)
@with_appcontext
def seed() -> None:
    """Fill the catalogue with the sample products that it does not have yet."""
    services = _services()
    with services.database.transaction() as session:
        added = catalogue.seed(session, services.settings.store_currency)
    click.echo(f"{added} products added.")


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
    """Close orders whose time is over, return money that came too late, send mail; with --every, reconcile as well. Any
    number may run at once.
    """
    services = _services()
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
    """Upkeep again and again, with reconciliation first and then now and then, until `wait`, which waits for some
    seconds, says that it is over. Whatever fails is logged and comes up again.
    """
    reconcile_at = stopwatch()
    while True:
        _survived("worker", lambda: _worker_round(services))
        if stopwatch() >= reconcile_at:
            done = _survived(
                "reconciliation",
                lambda: _log(reconciliation.run_since_last(services, inbox.catch_up, services.clock())),
            )
            pause = reconcile_every if done else min(reconcile_every, RECONCILE_AGAIN)
            reconcile_at = stopwatch() + pause.total_seconds()
        if wait(every):
            return


@click.command("reconcile", cls=StoreCommand)
@click.option("--hours", type=click.IntRange(1, 30 * 24), default=24, show_default=True, help="How far back to look.")
@with_appcontext
def reconcile_command(hours: int) -> None:
    """Compare Stripe and the store both ways and mend what is safe. Exits with 1 if anything is left for a person."""
    services = _services()
    now = services.clock()
    report = reconciliation.run(services, inbox.catch_up, now - timedelta(hours=hours), now)
    for line in report.repaired:
        click.echo(f"mended  {line}")
    click.echo(f"{report.compared} payments compared, {len(report.repaired)} things mended, {len(report.left)} left.")
    _finish(report.left)


@click.command("audit", cls=StoreCommand)
@click.option("--stripe", "with_stripe", is_flag=True, help="Compare with Stripe as well. Nothing is changed.")
@click.option("--hours", type=click.IntRange(1, 30 * 24), default=24, show_default=True, help="How far back, there.")
@with_appcontext
def audit_command(with_stripe: bool, hours: int) -> None:
    """Check that orders, payments, refunds and stock agree. Exits with 1 if they do not."""
    services = _services()
    now = services.clock()
    with services.database.reading() as session:
        findings = audit.run(session, now)
    if with_stripe:
        findings += reconciliation.compare(services, now - timedelta(hours=hours))
    click.echo("Everything agrees." if not findings else f"{len(findings)} disagreements:")
    _finish(findings)


@click.command("doctor", cls=StoreCommand)
@with_appcontext
def doctor_command() -> None:
    """Say whether this set-up will work. Exits with 1 if something will not.

    Tries the keys with a payment that it cancels at once, logs in at the mail server, sends two events to the store.
    """
    services = _services()
    findings = doctor.run(services, _webhook_setup(), services.clock())
    click.echo("All is well." if not findings else f"{len(findings)} things to put right:")
    _finish(findings)


@click.command("webhooks", cls=StoreCommand)
@click.option("--create", is_flag=True, help="Make the endpoint at Stripe, or put it right, and print its secret.")
@with_appcontext
def webhooks_command(create: bool) -> None:
    """List the events that the store handles; with --create, have Stripe send exactly these to STORE_URL."""
    services, setup = _services(), _webhook_setup()
    url = services.settings.store_url + setup.path
    if not create:
        click.echo(f"Events for {url}, API version {setup.api_version}:")
        for name in sorted(setup.types):
            click.echo(f"  {name}")
        return
    try:
        done = endpoints.ensure(services, url, setup.types, setup.api_version)
    except PaymentMisconfigured:
        raise click.ClickException(
            f"Stripe refuses to make an endpoint for {url}. It takes an address that the internet can reach, and a key "
            "that may write webhook endpoints. On your own machine, use `stripe listen` instead."
        ) from None
    for earlier in done.disabled:
        click.echo(f"Disabled the earlier endpoint {earlier} at the same address.")
    click.echo(_ENDPOINT_CHANGES[done.change].format(url=url, types=len(setup.types), version=setup.api_version))
    if done.secret is not None:
        click.echo("Put this line into .env, and start the store again:")
        click.echo(f"STRIPE_WEBHOOK_SECRET={done.secret}")


_ENDPOINT_CHANGES = {
    Change.CREATED: "Made an endpoint for {url}: {types} types of events, API version {version}.",
    Change.UPDATED: "Updated the endpoint for {url}: {types} types of events. Its secret is the same as before.",
    Change.NONE: "The endpoint for {url} is right already. Its secret is in Stripe's dashboard, under Webhooks.",
}


def _webhook_setup() -> WebhookSetup:
    path = current_app.url_map.bind("localhost").build("webhooks.stripe")
    return WebhookSetup(path, frozenset(HANDLERS), STRIPE_API_VERSION)


@click.command("refund", cls=StoreCommand)
@click.argument("reference")
@click.option("--amount", type=click.IntRange(min=1), help="In minor units (cents); left out, all that is left.")
@click.option("--another", is_flag=True, help="Though an earlier refund of this order is not answered yet.")
@with_appcontext
def refund_command(reference: str, amount: int | None, another: bool) -> None:
    """Return the money of an order, or a part of it. What Stripe does not answer is made by upkeep."""
    services = _services()
    if not reference.isascii():  # no reference is anything else, and not every database takes it
        raise NotFound
    with services.database.reading() as session:
        currency = orders.find(session, reference, None, granted=True).currency
    money = Money(amount, currency) if amount is not None else None
    origin = Origin(Source.STAFF, services.clock())
    key = refunds.request(services, reference, money, origin, another=another)
    try:
        state = refunds.ask(services, reference, money, key, origin)
    except (PaymentUnavailable, PaymentMisconfigured, StoreBusy) as failure:
        click.echo(_sentence(failure))
        click.echo("The refund is written down, and upkeep asks for it until it is made: do not ask for it again.")
        return
    click.echo(f"The refund is {state}.")


@click.command("resolve", cls=StoreCommand)
@click.argument("reference")
@click.option("--note", required=True, help="What came of it, in a line; the shopper does not read it.")
@with_appcontext
def resolve_command(reference: str, note: str) -> None:
    """Say that a person looked into an order that is set aside. Nothing else about the order changes."""
    services = _services()
    if not reference.isascii():
        raise NotFound
    reviews.settle(services, reference, note, Origin(Source.STAFF, services.clock()))
    click.echo("The review is resolved.")


def _sentence(failure: StoreError | DBAPIError) -> str:
    """What an operator reads at a terminal."""
    match failure:
        case StoreBusy() | DBAPIError():
            return _about_the_database()
        case PaymentUnavailable():
            return "Stripe does not answer right now."
        case PaymentMisconfigured():
            return "Stripe refuses what the store asks: `flask doctor` says whether the keys are right."
        case NotFound():
            return "There is no order with this reference."
        case RefundRefused():
            return _refund_refused(failure)
        case ReviewNotResolved(reason=ReviewRefusal.NOTE_INVALID):
            return f"Say in one line, of at most {failure.longest_note} characters, what came of it."
        case ReviewNotResolved():
            return "This order is not in review, so there is nothing to resolve."
    return f"The store refused this: {failure}."


def _refund_refused(refused: RefundRefused) -> str:
    amount = refused.amount.text() if refused.amount else "the amount"
    match refused.reason:
        case RefundRefusal.TOO_MUCH:
            return f"Up to {amount} of this order can be refunded."
        case RefundRefusal.OTHER_CURRENCY:
            return f"This order was paid in another currency; up to {amount} of it can be refunded."
        case RefundRefusal.EARLIER_UNANSWERED:
            return (
                f"A refund of {amount} of this order, requested at {refused.requested_at:%Y-%m-%d %H:%M} UTC, is not "
                "answered yet. The worker asks for it until it is made; `flask refund --another` requests one besides."
            )
        case RefundRefusal.KEY_OF_ANOTHER_ORDER:
            return "This refund was requested before, for another order."
        case RefundRefusal.KEY_OF_ANOTHER_AMOUNT:
            return "This refund was requested before, with another amount."
        case RefundRefusal.BY_PAYMENT_SERVICE:
            return "Stripe does not refund this payment: it was returned already, or it is disputed."


def _about_the_database() -> str:
    try:
        problems = health.problems(_services())
    except DBAPIError:
        problems = []
    return " ".join(problems) or "The database did not do what it was asked, or not in time."


def _worker_round(services: Services) -> None:
    if done := worker.run(services, services.clock()):
        click.echo(f"{done} things taken care of.")


def _survived(what: str, work: Callable[[], None]) -> bool:
    """Whether it was done. Nothing that goes wrong ends upkeep, and the store with it."""
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
    log.info("reconciled", compared=report.compared, repaired=len(report.repaired), left=len(report.left))
    for finding in report.left:
        log.warning("left for a person", about=finding.about, wrong=finding.wrong, remedy=finding.remedy)


def _finish(findings: Sequence[Finding]) -> None:
    for finding in findings:
        click.echo(f"  {finding}")
    if findings:
        raise SystemExit(1)
