"""The store's own commands: `flask seed`, `flask upkeep`, `flask uses-sandbox`."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import click
import structlog
from flask import Flask, current_app
from flask.cli import with_appcontext

from store.domain.errors import StoreBusy
from store.services import catalogue, upkeep
from store.services.till import Till

log = structlog.get_logger(__name__)


def register(app: Flask) -> None:
    for command in (seed, upkeep_command, uses_sandbox):
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
@with_appcontext
def upkeep_command(every: int | None) -> None:
    """Close orders whose time is over, and return money that came too late. Safe to run any number of times at once."""
    till = _till()
    stop = threading.Event()

    def leave(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    while True:
        try:
            done = upkeep.run(till, till.clock())
            if done or every is None:
                click.echo(f"{done} orders taken care of.")
        except StoreBusy:
            if every is None:
                raise click.ClickException("The database does not answer; nothing was changed.") from None
            log.warning("upkeep waits for the database")
        if every is None or stop.wait(every):
            return


@click.command("uses-sandbox")
@with_appcontext
def uses_sandbox() -> None:
    """Exit with 0 if the store talks to a stand-in for Stripe, with 1 if it talks to Stripe itself."""
    raise SystemExit(0 if _till().settings.uses_sandbox else 1)
