"""Commands about the staff: `flask staff add`, `list`, `role`, `password`, `remove`; `make run` calls `local`."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Protocol

import click
from flask import current_app
from flask.cli import with_appcontext

from store.cli.command import StoreCommand, current
from store.domain.staff import Role
from store.services.staff import accounts

ROLE = click.Choice([role.value for role in Role])


@click.group("staff")
def staff_command() -> None:
    """The accounts of the staff, who sign in at /admin. Nobody can register."""


@staff_command.command("add", cls=StoreCommand)
@click.argument("email")
@click.option("--role", type=ROLE, required=True, help="What the account may do; owner includes service and packing.")
@click.option("--generate", is_flag=True, help="Make up a password and print it, once.")
@with_appcontext
def add(email: str, role: str, generate: bool) -> None:
    """Add an account."""
    services, email = current(), accounts.address(email)
    member = accounts.add(services, email, Role(role), _new_password_hash(email, generate), services.clock())
    click.echo(f"{member.email} is added, with the role {member.role}: {services.settings.store_url}/admin")


@staff_command.command("list", cls=StoreCommand)
@with_appcontext
def list_all() -> None:
    """List the accounts."""
    services = current()
    with services.database.reading() as session:
        everybody = accounts.everybody(session)
    now = services.clock()
    for member in everybody:
        locked = f", locked until {member.locked_until:%H:%M} UTC" if (member.locked_until or now) > now else ""
        second = f" and {' or '.join(member.second_factors)}" if member.second_factors else ""
        click.echo(f"{member.email:<40} {member.role:<8} password{second}{locked}")
    if not everybody:
        click.echo("There is no account yet.")


@staff_command.command("role", cls=StoreCommand)
@click.argument("email")
@click.argument("role", type=ROLE)
@with_appcontext
def change_role(email: str, role: str) -> None:
    """Give an account another role."""
    services = current()
    accounts.change_role(services, email, Role(role), accounts.OPERATOR, services.clock())
    click.echo(f"{email} has the role {role} now.")


@staff_command.command("password", cls=StoreCommand)
@click.argument("email")
@click.option("--generate", is_flag=True, help="Make up a password and print it, once.")
@with_appcontext
def set_password(email: str, generate: bool) -> None:
    """Give an account another password. It is unlocked, signed out everywhere, and has no second factor any more."""
    services = current()
    accounts.set_password(services, email, _new_password_hash(email, generate), accounts.OPERATOR, services.clock())
    click.echo(f"{email} has another password, and is signed out everywhere.")


@staff_command.command("remove", cls=StoreCommand)
@click.argument("email")
@with_appcontext
def remove(email: str) -> None:
    """Remove an account. What it did stays in the log."""
    services = current()
    accounts.remove(services, email, accounts.OPERATOR, services.clock())
    click.echo(f"{email} is removed.")


@staff_command.command("local", cls=StoreCommand, hidden=True)
@with_appcontext
def local() -> None:
    """See to it that the shop on this machine has an owner, with LOCAL_STAFF_PASSWORD. Nothing with live keys."""
    services = current()
    password = services.settings.local_staff_password.get_secret_value()
    if password and not services.settings.live:
        rules, email = _rules(), accounts.LOCAL_EMAIL
        fits = partial(rules.fits, password)
        accounts.ensure_local(services, rules.hashed(password, email), fits, services.clock())


class KeepsPasswords(Protocol):
    """What the admin knows of passwords."""

    def hashed(self, password: str, email: str) -> str: ...
    def fits(self, password: str, password_hash: str) -> bool: ...


def _rules() -> KeepsPasswords:
    rules: KeepsPasswords = current_app.extensions["admin"].passwords
    return rules


def _new_password_hash(email: str, generate: bool) -> str:
    password = secrets.token_urlsafe(15)
    if not generate:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    password_hash = _rules().hashed(password, email)
    if generate:
        click.echo(f"Password: {password}")
    return password_hash
