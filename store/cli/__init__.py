"""The store's own commands, beside Flask's."""

from __future__ import annotations

import click
from flask import Flask

from store.cli import operations, orders, working

RENAMED = {"upkeep": "worker", "settle": "resolve"}


def register(app: Flask) -> None:
    """Add the commands to `flask`."""
    for command in (
        operations.seed,
        operations.doctor_command,
        operations.webhooks_command,
        operations.audit_command,
        operations.reconcile_command,
        working.worker_command,
        orders.order_command,
        orders.fulfil_command,
        orders.refund_command,
        orders.reviews_command,
        orders.resolve_command,
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
