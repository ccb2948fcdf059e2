"""`flask endpoints add`, `list`, `change`, `secret`, `remove`: other programs that are told of what happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import with_appcontext

from models import Endpoint
from store.cli.command import StoreCommand, current
from store.domain.endpoints import Fact
from store.domain.errors import NotFound
from store.services.notifications import endpoints
from store.services.services import Services
from store.services.staff_log import Actor

FACT = click.Choice([fact.value for fact in Fact])


@click.group("endpoints")
def endpoints_command() -> None:
    """Addresses of other programs that are told of what happens: see docs/api.md."""


@endpoints_command.command("add", cls=StoreCommand)
@click.argument("url")
@click.option("--event", "facts", type=FACT, multiple=True, required=True, help="Of what it is told.")
@with_appcontext
def add(url: str, facts: tuple[str, ...]) -> None:
    """Tell an address of events, and print the secret that signs them, once."""
    services = current()
    endpoint, secret = endpoints.add(services, url, [Fact(fact) for fact in facts], _operator(services))
    click.echo(f"Endpoint {endpoint.id} is told of {', '.join(endpoint.facts)}. Its secret is not shown again:")
    click.echo(secret)


@endpoints_command.command("list", cls=StoreCommand)
@with_appcontext
def list_all() -> None:
    """List the endpoints."""
    with current().database.reading() as session:
        everything = endpoints.everything(session)
    for endpoint in everything:
        click.echo(f"{endpoint.id:>3}  {endpoint.url}  {' '.join(endpoint.facts)}  {_state(endpoint)}")
    if not everything:
        click.echo("There is no endpoint yet.")


@endpoints_command.command("change", cls=StoreCommand)
@click.argument("endpoint", type=int)
@click.option("--url", help="Another address.")
@click.option("--event", "facts", type=FACT, multiple=True, help="Of what it is told, instead of what it was told of.")
@click.option("--on/--off", "active", default=None, help="Whether it is told anything.")
@with_appcontext
def change(endpoint: int, url: str | None, facts: tuple[str, ...], active: bool | None) -> None:
    """Change an endpoint; --on also goes on where the store has stopped."""
    services = current()
    with _known(), services.database.reading() as session:
        now = endpoints.find(session, endpoint)
        chosen = [Fact(fact) for fact in facts or now.facts]
        on = now.active if active is None else active
    endpoints.change(services, endpoint, url or now.url, chosen, active=on, actor=_operator(services))
    click.echo(f"Endpoint {endpoint} is {'told of ' + ', '.join(chosen) if on else 'off'}.")


@endpoints_command.command("secret", cls=StoreCommand)
@click.argument("endpoint", type=int)
@with_appcontext
def secret(endpoint: int) -> None:
    """Make another secret and print it, once. The one before signs as well for 24 hours."""
    services = current()
    with _known():
        made = endpoints.rotate(services, endpoint, _operator(services))
    click.echo(made)


@endpoints_command.command("remove", cls=StoreCommand)
@click.argument("endpoint", type=int)
@with_appcontext
def remove(endpoint: int) -> None:
    """Tell an endpoint nothing any more, and forget what it was told."""
    services = current()
    with _known():
        endpoints.remove(services, endpoint, _operator(services))
    click.echo(f"Endpoint {endpoint} is removed.")


def _operator(services: Services) -> Actor:
    return Actor(endpoints.OPERATOR, services.clock())


def _state(endpoint: Endpoint) -> str:
    if endpoint.stopped_at is not None:
        return f"stopped {endpoint.stopped_at:%Y-%m-%d}: it took nothing"
    if endpoint.failing_since is not None:
        return f"failing since {endpoint.failing_since:%Y-%m-%d %H:%M} UTC"
    return "on" if endpoint.active else "off"


@contextmanager
def _known() -> Iterator[None]:
    try:
        yield
    except NotFound:
        raise click.ClickException("There is no such endpoint: see `flask endpoints list`.") from None
