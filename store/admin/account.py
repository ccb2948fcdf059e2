"""One's own account: what can be changed about it, and signing out everywhere. Each change is a page of its own."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue

from store.admin import guard
from store.admin.forms import ButtonForm
from store.domain.staff import Role
from store.services.staff import accounts
from store.web.current import now, services

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("")
@guard.allowed(Role.PACKING)
def show() -> ResponseReturnValue:
    """Who is signed in, and what is asked for when they sign in."""
    return render_template("admin/account.html", button=ButtonForm(formdata=None)), 200


@blueprint.post("/sign-out-everywhere")
@guard.allowed(Role.PACKING)
def sign_out_everywhere() -> ResponseReturnValue:
    """Sign out every browser of one's own account, this one too."""
    email = guard.member().email
    accounts.sign_out_everywhere(services(), email, email, now())
    session.clear()
    return redirect(url_for("security.login"), 303)
