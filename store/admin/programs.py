"""Other programs: the keys with which they ask for orders and stock, and the endpoints that are told what happens."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from store.admin import guard
from store.admin.forms import ButtonForm
from store.admin.presentation.refusals import refusal
from store.admin.program_forms import SCOPES, EndpointForm, KeyForm
from store.domain.errors import ApiKeyRefused
from store.domain.staff import Role
from store.services import api_keys
from store.services.notifications import endpoints
from store.web.current import services

blueprint = Blueprint("programs", __name__, url_prefix="/programs")


@blueprint.get("")
@guard.allowed(Role.OWNER)
def index() -> ResponseReturnValue:
    """Every key, and every endpoint."""
    return page(), 200


@blueprint.post("/keys")
@guard.allowed(Role.OWNER, fresh=True)
def add_key() -> ResponseReturnValue:
    """Make a key, and show it on the page that answers: nowhere else can it be read."""
    form = KeyForm()
    if not form.validate():
        return page(key_form=form), 400
    try:
        key, token = api_keys.add(services(), form.name.data or "", form.chosen(), guard.actor())
    except ApiKeyRefused as refused:
        form.name.errors = [refusal(refused)]
        return page(key_form=form), 409
    return render_template("admin/new_secret.html", title=f"The key {key.name}", secret=token), 201


@blueprint.post("/keys/<prefix>/revoke")
@guard.allowed(Role.OWNER, fresh=True)
def revoke_key(prefix: str) -> ResponseReturnValue:
    """Let nobody in with a key any more. Raises NotFound."""
    revoked = api_keys.revoke(services(), prefix, guard.actor())
    flash("It opens nothing any more." if revoked else "It was revoked before.")
    return redirect(url_for("programs.index"), 303)


def page(*, key_form: KeyForm | None = None, endpoint_form: EndpointForm | None = None) -> str:
    """The page of all programs, with a form on it that was refused."""
    with services().database.reading() as session:
        keys, told = api_keys.everything(session), endpoints.everything(session)
    return render_template(
        "admin/programs.html",
        keys=keys,
        endpoints=told,
        form=key_form or KeyForm(formdata=None),
        endpoint_form=endpoint_form or EndpointForm(formdata=None),
        scopes={scope.value: text for scope, text in SCOPES.items()},
        button=ButtonForm(formdata=None),
    )
