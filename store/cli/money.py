"""`flask money`: collects the entries of the balance, and compares them with Stripe's own sum."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from store.cli.command import StoreCommand, current, finish
from store.cli.findings import Problem
from store.domain.money import Money
from store.services import balance
from store.services.payments import accounts


@click.command("money", cls=StoreCommand)
@with_appcontext
def money_command() -> None:
    """Collect from Stripe what came in and went out, and say what it comes to. Exits with 1 if that is not what is
    there.
    """
    services = current()
    while not balance.collect(services, services.clock()):
        click.echo("There is more to collect.", err=True)
    with services.database.reading() as session:
        here = {total.currency: total for total in balance.totals(session, accounts.known(services))}
    there = {total.currency: total for total in services.gateway.balance.totals() if total.minor}
    for total in here.values():
        click.echo(f"{total.currency.upper()}  {total.plain}")
    remedy = "Run `flask money` again: something may have come in meanwhile."
    finish(
        [
            Problem(currency.upper(), f"{_plain(here, currency)} here, {_plain(there, currency)} at Stripe.", remedy)
            for currency in sorted(here.keys() | there.keys())
            if _plain(here, currency) != _plain(there, currency)
        ]
    )


def _plain(totals: dict[str, Money], currency: str) -> str:
    return totals[currency].plain if currency in totals and totals[currency].minor else "nothing"
