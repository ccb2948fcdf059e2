"""The staff, for an owner: who there is, what each may do, and what they did. New accounts are made at the terminal."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from store.admin import guard
from store.admin.forms import ButtonForm, RoleForm
from store.admin.presentation.log import sentences
from store.domain.staff import Role
from store.services import staff_log
from store.services.staff import accounts
from store.web.current import now, services

blueprint = Blueprint("team", __name__, url_prefix="/staff")


@blueprint.get("")
@guard.allowed(Role.OWNER)
def listing() -> ResponseReturnValue:
    """Everybody, and the newest of what they did."""
    with services().database.reading() as session:
        everybody = accounts.everybody(session)
        done = staff_log.read(session)
    forms = {each.email: RoleForm(formdata=None, data={"role": each.role.value}) for each in everybody}
    return render_template(
        "admin/team.html",
        everybody=everybody,
        forms=forms,
        button=ButtonForm(formdata=None),
        log=sentences(done.entries),
        older=done.before,
        now=now(),
    ), 200


@blueprint.get("/log")
@guard.allowed(Role.OWNER)
def log() -> ResponseReturnValue:
    """What everybody did, or one of them, page by page."""
    before, actor = request.args.get("before", type=int), request.args.get("who") or None
    with services().database.reading() as session:
        done = staff_log.read(session, actor=actor, before=before)
    return render_template("admin/log.html", log=sentences(done.entries), older=done.before, who=actor), 200


@blueprint.post("/<email>/role")
@guard.allowed(Role.OWNER, fresh=True)
def change_role(email: str) -> ResponseReturnValue:
    form = RoleForm()
    if form.validate():
        accounts.change_role(services(), email, Role(form.role.data), guard.member().email, now())
        flash(f"{email} has the role {form.role.data} now.")
    return redirect(url_for("team.listing"), 303)


@blueprint.post("/<email>/sign-out")
@guard.allowed(Role.OWNER)
def sign_out(email: str) -> ResponseReturnValue:
    """Sign somebody out, wherever they are signed in."""
    accounts.sign_out_everywhere(services(), email, guard.member().email, now())
    flash(f"{email} is signed out everywhere.")
    return redirect(url_for("team.listing"), 303)


@blueprint.post("/<email>/remove")
@guard.allowed(Role.OWNER, fresh=True)
def remove(email: str) -> ResponseReturnValue:
    accounts.remove(services(), email, guard.member().email, now())
    flash(f"{email} is removed.")
    return redirect(url_for("team.listing"), 303)
