"""`flask webhooks`: which events the store is sent, and those that it could not handle."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from config import STRIPE_API_VERSION
from store.cli.command import StoreCommand, StoreGroup, current, sentence
from store.cli.doctor import WebhookSetup
from store.domain.errors import PaymentMisconfigured, StoreBusy, StoreError
from store.services.operations import endpoints
from store.services.operations.endpoints import Change
from store.webhooks import inbox
from store.webhooks.handlers import HANDLERS


@click.group("webhooks", cls=StoreGroup, invoke_without_command=True)
@click.option("--create", is_flag=True, help="Make the endpoint at Stripe, or put it right, and print its secret.")
@click.pass_context
@with_appcontext
def webhooks_command(context: click.Context, create: bool) -> None:
    """List the events that the store handles; with --create, have Stripe send exactly these to STORE_URL."""
    if context.invoked_subcommand is not None:
        return
    services, setup = current(), webhook_setup()
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


@webhooks_command.command("replay", cls=StoreCommand)
@click.argument("event_id", required=False)
@with_appcontext
def replay_command(event_id: str | None) -> None:
    """Have an event handled once more, or every one that could not be handled. What was handled is not done twice.

    Exits with 1 if one cannot be handled.
    """
    services = current()
    with services.database.reading() as session:
        wanted = [event_id] if event_id else [event.id for event in inbox.unhandled(session)]
    failed = False
    for each in wanted:
        try:
            said: str = inbox.replay(services, each, services.clock())
        except StoreBusy:
            raise
        except StoreError as failure:
            said, failed = sentence(failure), True
        except Exception as failure:  # noqa: BLE001  # whatever is wrong with one event, the others are not to wait
            said, failed = f"failed: {type(failure).__name__}", True
        click.echo(f"{each}  {said}")
    if not wanted:
        click.echo("Every event was handled.")
    if failed:
        raise SystemExit(1)


def webhook_setup() -> WebhookSetup:
    """What the store's endpoint is to be."""
    path = current_app.url_map.bind("localhost").build("webhooks.stripe")
    return WebhookSetup(path, frozenset(HANDLERS), STRIPE_API_VERSION)


_ENDPOINT_CHANGES = {
    Change.CREATED: "Made an endpoint for {url}: {types} types of events, API version {version}.",
    Change.UPDATED: "Updated the endpoint for {url}: {types} types of events. Its secret is the same as before.",
    Change.NONE: "The endpoint for {url} is right already. Its secret is in Stripe's dashboard, under Webhooks.",
}
