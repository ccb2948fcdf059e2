"""The endpoints of other programs: where they are, of what they are told, and what they have answered."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from store.admin import guard
from store.admin.forms import ButtonForm
from store.admin.presentation.endpoints import ANSWERS, notification_state
from store.admin.program_forms import EndpointForm
from store.admin.programs import page
from store.admin.saving import saves
from store.domain.staff import Role
from store.services.notifications import endpoints, sending
from store.web.current import services

blueprint = Blueprint("endpoints", __name__, url_prefix="/programs/endpoints")


@blueprint.post("")
@guard.allowed(Role.OWNER, fresh=True)
def add() -> ResponseReturnValue:
    """Tell another address, and show the secret that signs on the page that answers: nowhere else can it be read."""
    form, made = EndpointForm(), list[str]()

    def make() -> None:
        made.append(endpoints.add(services(), form.address, form.chosen(), guard.actor())[1])

    if not saves(form, form.url, make):
        return page(endpoint_form=form), 400
    return render_template("admin/new_secret.html", title="A secret for the endpoint", secret=made[0]), 201


@blueprint.route("/<int:endpoint_id>", methods=["GET", "POST"])
@guard.allowed(Role.OWNER)
def edit(endpoint_id: int) -> ResponseReturnValue:
    """The form of an endpoint, and what it was told. Raises NotFound."""
    before = request.args.get("before", type=int)
    with services().database.reading() as session:
        endpoint = endpoints.find(session, endpoint_id)
        told = sending.listed(session, endpoint_id, before)
    form = EndpointForm.of(endpoint) if request.method == "GET" else EndpointForm()

    def change() -> None:
        active = form.active.data
        endpoints.change(services(), endpoint_id, form.address, form.chosen(), active=active, actor=guard.actor())

    if saves(form, form.url, change):
        flash("Saved.")
        return redirect(url_for("endpoints.edit", endpoint_id=endpoint_id), 303)
    return render_template(
        "admin/endpoint.html",
        endpoint=endpoint,
        form=form,
        told=told,
        state_of=notification_state,
        answers=ANSWERS,
        button=ButtonForm(formdata=None),
    ), 400 if form.is_submitted() else 200


@blueprint.post("/<int:endpoint_id>/secret")
@guard.allowed(Role.OWNER, fresh=True)
def rotate(endpoint_id: int) -> ResponseReturnValue:
    """Another secret, shown on the page that answers. Raises NotFound."""
    secret = endpoints.rotate(services(), endpoint_id, guard.actor())
    return render_template("admin/new_secret.html", title="Another secret for the endpoint", secret=secret), 201


@blueprint.post("/<int:endpoint_id>/remove")
@guard.allowed(Role.OWNER, fresh=True)
def remove(endpoint_id: int) -> ResponseReturnValue:
    """Tell it nothing any more. Raises NotFound."""
    endpoints.remove(services(), endpoint_id, guard.actor())
    flash("The endpoint is removed.")
    return redirect(url_for("programs.index"), 303)


@blueprint.post("/notifications/<int:notification_id>/again")
@guard.allowed(Role.OWNER)
def replay(notification_id: int) -> ResponseReturnValue:
    """Have the worker send one once more. Raises NotFound."""
    endpoint_id = sending.replay(services(), notification_id, guard.actor())
    flash("It goes out again in a moment, under the same id.")
    return redirect(url_for("endpoints.edit", endpoint_id=endpoint_id), 303)
