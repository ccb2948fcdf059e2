"""Shipping zones and methods, and tax rates."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from store.admin import guard
from store.admin.charge_forms import MethodForm, RateForm, ZoneForm, percent_text
from store.admin.forms import ButtonForm
from store.admin.product_forms import TAX_CLASSES
from store.admin.saving import saves
from store.domain.money import Money
from store.domain.staff import Role
from store.services import charges
from store.web.current import services

blueprint = Blueprint("charges", __name__, url_prefix="/charges")


@blueprint.get("")
@guard.allowed(Role.OWNER)
def index() -> ResponseReturnValue:
    """The shipping zones with their methods."""
    with services().database.reading() as session:
        zones = charges.zones(session)
    return render_template(
        "admin/charges.html",
        zones=zones,
        zone_form=ZoneForm(formdata=None),
        money=lambda minor, currency: Money(minor, currency).text(),
    ), 200


@blueprint.get("/taxes")
@guard.allowed(Role.OWNER)
def taxes() -> ResponseReturnValue:
    """The tax rates, by place."""
    with services().database.reading() as session:
        rates = charges.rates(session)
    return render_template(
        "admin/taxes.html",
        rates=rates,
        tax_classes=TAX_CLASSES,
        percent=percent_text,
        place=charges.place_text,
        by_stripe=services().settings.taxes != "own",
    ), 200


@blueprint.post("/zones")
@guard.allowed(Role.OWNER)
def add_zone() -> ResponseReturnValue:
    form = ZoneForm()
    if not form.validate():
        flash("Type a name of at most 80 characters.", "bad")
        return redirect(url_for("charges.index"), 303)
    zone_id = charges.add_zone(services(), form.name.data or "", guard.actor())
    return redirect(url_for("charges.zone", zone_id=zone_id), 303)


@blueprint.route("/zones/<int:zone_id>", methods=["GET", "POST"])
@guard.allowed(Role.OWNER)
def zone(zone_id: int) -> ResponseReturnValue:
    """The form of a zone. Raises NotFound."""
    with services().database.reading() as session:
        found = charges.zone(session, zone_id)
    now = {"name": found.zone.name, "places": ", ".join(found.places)}
    form = ZoneForm(data=now) if request.method == "GET" else ZoneForm()
    if saves(
        form,
        form.places,
        lambda: charges.change_zone(services(), zone_id, form.name.data or "", form.listed, guard.actor()),
    ):
        flash("Saved.")
        return redirect(url_for("charges.index"), 303)
    status = 400 if form.is_submitted() else 200
    return render_template("admin/zone.html", zone=found, form=form, button=ButtonForm(formdata=None)), status


@blueprint.post("/zones/<int:zone_id>/remove")
@guard.allowed(Role.OWNER)
def remove_zone(zone_id: int) -> ResponseReturnValue:
    charges.remove_zone(services(), zone_id, guard.actor())
    flash("The zone is removed.")
    return redirect(url_for("charges.index"), 303)


@blueprint.route("/zones/<int:zone_id>/methods", methods=["GET", "POST"])
@guard.allowed(Role.OWNER)
def add_method(zone_id: int) -> ResponseReturnValue:
    """The form of a new method of a zone. Raises NotFound."""
    with services().database.reading() as session:
        found = charges.zone(session, zone_id)
    currency = services().settings.store_currency
    new = {"position": len(found.methods) + 1, "active": True, "prices": [{"measure": "0"}]}
    form = MethodForm(currency, data=new) if request.method == "GET" else MethodForm(currency)
    if saves(form, form.name, lambda: charges.add_method(services(), zone_id, form.values(), guard.actor())):
        flash("Saved. It is offered within ten seconds.")
        return redirect(url_for("charges.index"), 303)
    status = 400 if form.is_submitted() else 200
    return render_template("admin/method.html", title=f"A new method for {found.zone.name}", form=form), status


@blueprint.route("/methods/<int:method_id>", methods=["GET", "POST"])
@guard.allowed(Role.OWNER)
def method(method_id: int) -> ResponseReturnValue:
    """The form of a method. Raises NotFound."""
    with services().database.reading() as session:
        found = charges.method(session, method_id)
    form = MethodForm.of(found) if request.method == "GET" else MethodForm(found.currency)
    if form.validate_on_submit():
        charges.change_method(services(), method_id, form.values(), guard.actor())
        flash("Saved. It is charged within ten seconds.")
        return redirect(url_for("charges.index"), 303)
    status = 400 if form.is_submitted() else 200
    button = ButtonForm(formdata=None)
    return render_template("admin/method.html", title=found.name, form=form, method=found, button=button), status


@blueprint.post("/methods/<int:method_id>/remove")
@guard.allowed(Role.OWNER)
def remove_method(method_id: int) -> ResponseReturnValue:
    charges.remove_method(services(), method_id, guard.actor())
    flash("The method is removed.")
    return redirect(url_for("charges.index"), 303)


@blueprint.route("/taxes/new", methods=["GET", "POST"])
@guard.allowed(Role.OWNER)
def add_rate() -> ResponseReturnValue:
    """The form of a new tax rate."""
    form = RateForm()
    if saves(form, form.place, lambda: charges.add_rate(services(), form.values(), guard.actor())):
        flash("Saved. It is charged within ten seconds.")
        return redirect(url_for("charges.taxes"), 303)
    status = 400 if form.is_submitted() else 200
    return render_template("admin/rate.html", title="A new tax rate", form=form), status


@blueprint.route("/taxes/<int:rate_id>", methods=["GET", "POST"])
@guard.allowed(Role.OWNER)
def rate(rate_id: int) -> ResponseReturnValue:
    """The form of a tax rate. Raises NotFound."""
    with services().database.reading() as session:
        found = charges.rate(session, rate_id)
    form = RateForm.of(found) if request.method == "GET" else RateForm()
    if saves(form, form.place, lambda: charges.change_rate(services(), rate_id, form.values(), guard.actor())):
        flash("Saved. It is charged within ten seconds.")
        return redirect(url_for("charges.taxes"), 303)
    status = 400 if form.is_submitted() else 200
    button = ButtonForm(formdata=None)
    return render_template("admin/rate.html", title=found.name, form=form, rate=found, button=button), status


@blueprint.post("/taxes/<int:rate_id>/remove")
@guard.allowed(Role.OWNER)
def remove_rate(rate_id: int) -> ResponseReturnValue:
    charges.remove_rate(services(), rate_id, guard.actor())
    flash("The tax rate is removed.")
    return redirect(url_for("charges.taxes"), 303)
