"""`flask api-keys add`, `list`, `revoke`: the keys of other programs."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from store.cli.command import StoreCommand, current
from store.domain.api_keys import Scope
from store.domain.errors import NotFound
from store.services import api_keys
from store.services.staff_log import Actor

SCOPE = click.Choice([scope.value for scope in Scope])


@click.group("api-keys")
def api_keys_command() -> None:
    """The keys with which other programs ask for orders and stock: see docs/api.md."""


@api_keys_command.command("add", cls=StoreCommand)
@click.argument("name")
@click.option("--scope", "scopes", type=SCOPE, multiple=True, required=True, help="What it may do.")
@with_appcontext
def add(name: str, scopes: tuple[str, ...]) -> None:
    """Make a key and print it, once."""
    services = current()
    actor = Actor(api_keys.OPERATOR, services.clock())
    key, token = api_keys.add(services, name, [Scope(scope) for scope in scopes], actor)
    click.echo(f"The key {key.name}, for {', '.join(key.scopes)}. It is not shown again:")
    click.echo(token)


@api_keys_command.command("list", cls=StoreCommand)
@with_appcontext
def list_all() -> None:
    """List the keys."""
    with current().database.reading() as session:
        keys = api_keys.everything(session)
    for key in keys:
        used = f"used {key.last_used_at:%Y-%m-%d %H:%M} UTC" if key.last_used_at else "never used"
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else used
        click.echo(f"{key.prefix}  {key.name:<40} {' '.join(key.scopes)}  {state}")
    if not keys:
        click.echo("There is no key yet.")


@api_keys_command.command("revoke", cls=StoreCommand)
@click.argument("key")
@with_appcontext
def revoke(key: str) -> None:
    """Let nobody in with a key any more, by its name or the part before its second underscore."""
    services = current()
    try:
        revoked = api_keys.revoke(services, key, Actor(api_keys.OPERATOR, services.clock()))
    except NotFound:
        raise click.ClickException("There is no such key: see `flask api-keys list`.") from None
    click.echo(f"{key} opens nothing any more." if revoked else f"{key} was revoked before.")
