"""Commands that set up, check and compare: `seed`, `doctor`, `audit`, `reconcile`."""

from __future__ import annotations

from datetime import timedelta

import click
from flask.cli import with_appcontext

from store.cli import doctor
from store.cli.command import StoreCommand, current, finish
from store.cli.findings import problem_of
from store.cli.webhooks import webhook_setup
from store.services import catalogue, coupons, reconciliation, tariffs
from store.services.operations import audit
from store.services.payments import accounts
from store.services.services import Services
from store.webhooks import inbox


@click.command("seed", cls=StoreCommand)
@with_appcontext
def seed() -> None:
    """Fill the catalogue with the sample products that it does not have yet, and a store without shipping methods, tax
    rates or coupons with sample ones.
    """
    services = current()
    with services.database.transaction() as session:
        added = catalogue.seed(session, services.settings.store_currency)
        charges = tariffs.seed(session, services.settings.store_currency)
        charges += coupons.seed(session, services.settings.store_currency, services.clock())
    click.echo(f"{added} products, and {charges} shipping methods, tax rates and coupons, added.")


@click.command("reconcile", cls=StoreCommand)
@click.option("--hours", type=click.IntRange(1, 30 * 24), default=24, show_default=True, help="How far back to look.")
@with_appcontext
def reconcile_command(hours: int) -> None:
    """Compare Stripe and the store both ways and repair what is safe. Exits with 1 if anything is left for a person."""
    services = current()
    now = services.clock()
    report = reconciliation.run(services, inbox.catch_up, now - timedelta(hours=hours), now)
    for line in report.repaired:
        click.echo(f"repaired  {line}")
    repaired, unresolved = len(report.repaired), len(report.unresolved)
    click.echo(f"{report.compared} payments compared, {repaired} things repaired, {unresolved} left for a person.")
    _say_what_is_foreign(services)
    finish([problem_of(finding) for finding in report.unresolved])


@click.command("audit", cls=StoreCommand)
@click.option("--stripe", "with_stripe", is_flag=True, help="Compare with Stripe as well. Nothing is changed.")
@click.option("--hours", type=click.IntRange(1, 30 * 24), default=24, show_default=True, help="How far back, there.")
@click.option(
    "--changed-within", type=click.IntRange(min=1), metavar="HOURS", help="Only orders that changed in the last hours."
)
@with_appcontext
def audit_command(with_stripe: bool, hours: int, changed_within: int | None) -> None:
    """Check that orders, payments, refunds and stock agree. Exits with 1 if they do not."""
    services = current()
    now = services.clock()
    since = now - timedelta(hours=changed_within) if changed_within is not None else None
    findings = list(audit.stream(services.database, now, since, report=_say_how_far))
    if with_stripe:
        findings += reconciliation.compare(services, now - timedelta(hours=hours))
        _say_what_is_foreign(services)
    click.echo("Everything agrees." if not findings else f"{len(findings)} disagreements:")
    finish([problem_of(finding) for finding in findings])


def _say_how_far(done: int, parts: int) -> None:
    """Where there is much to check: every tenth part, beside the output."""
    if done % 10 == 0 and done < parts:
        click.echo(f"{done * 100 // parts} % of the orders are checked.", err=True)


@click.command("doctor", cls=StoreCommand)
@with_appcontext
def doctor_command() -> None:
    """Say whether this set-up will work. Exits with 1 if something will not.

    Tries the keys with a payment that it cancels at once, logs in at the mail server, sends two events to the store.
    """
    services = current()
    findings = doctor.run(services, webhook_setup(), services.clock())
    click.echo("All is well." if not findings else f"{len(findings)} things to put right:")
    finish(findings)


def _say_what_is_foreign(services: Services) -> None:
    with services.database.reading() as session:
        foreign = accounts.count_foreign(session, accounts.known(services))
    if foreign:
        belong = "1 payment belongs" if foreign == 1 else f"{foreign} payments belong"
        click.echo(f"{belong} to another account or mode than STRIPE_SECRET_KEY, and Stripe was not asked about it.")
