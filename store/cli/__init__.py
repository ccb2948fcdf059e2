"""The store's own commands, beside Flask's. A command's module is imported when the command is used: a server that
starts needs none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click
from flask import Flask
from flask.cli import AppGroup

from store.cli.migrations import Migrations

# By name: the module, and what the command is called in it.
COMMANDS: Mapping[str, str] = {
    "seed": "store.cli.operations:seed",
    "doctor": "store.cli.operations:doctor_command",
    "webhooks": "store.cli.webhooks:webhooks_command",
    "audit": "store.cli.operations:audit_command",
    "reconcile": "store.cli.operations:reconcile_command",
    "worker": "store.cli.working:worker_command",
    "order": "store.cli.orders:order_command",
    "fulfil": "store.cli.orders:fulfil_command",
    "refund": "store.cli.orders:refund_command",
    "reviews": "store.cli.orders:reviews_command",
    "resolve": "store.cli.orders:resolve_command",
    "api-keys": "store.cli.api_keys:api_keys_command",
    "endpoints": "store.cli.endpoints:endpoints_command",
    "money": "store.cli.money:money_command",
    "staff": "store.cli.staff:staff_command",
    "db": "flask_migrate.cli:db",
}
RENAMED = {"upkeep": "worker", "settle": "resolve"}


class Commands(AppGroup):
    """The commands of COMMANDS and RENAMED, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module, _, name = COMMANDS[cmd_name].partition(":")
            command: click.Command = getattr(import_module(module), name)
            return command
        if cmd_name in RENAMED:
            return _renamed(cmd_name, RENAMED[cmd_name])
        return super().get_command(ctx, cmd_name)


def register(app: Flask) -> None:
    """Add the commands to `flask`, and what `flask db` asks of the application."""
    app.cli = Commands(app.name)
    app.extensions["migrate"] = Migrations(app)


def _renamed(old: str, new: str) -> click.Command:
    """A command under its old name: it does nothing but name the new one."""

    def refuse() -> None:
        raise click.ClickException(f"`flask {old}` is now `flask {new}`.")

    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(old, callback=refuse, hidden=True, add_help_option=False, context_settings=anything)
