"""Coupons: made, changed, switched off."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from store.admin import guard
from store.admin.charge_forms import CouponForm
from store.admin.presentation.coupons import coupon_sentence, coupon_state
from store.admin.presentation.refusals import refusal
from store.admin.saving import saves
from store.domain.errors import CatalogueRefusal, CatalogueRefused
from store.domain.staff import Role
from store.services import coupon_desk
from store.web.current import now, services

blueprint = Blueprint("coupons", __name__, url_prefix="/coupons")


@blueprint.get("")
@guard.allowed(Role.OWNER)
def index() -> ResponseReturnValue:
    """Every coupon, and how often it was used."""
    with services().database.reading() as session:
        found = coupon_desk.everything(session)
    rows = [(coupon, coupon_sentence(coupon), coupon_state(coupon, now())) for coupon in found]
    return render_template("admin/coupons.html", rows=rows), 200


@blueprint.route("/new", methods=["GET", "POST"])
@guard.allowed(Role.OWNER)
def add() -> ResponseReturnValue:
    """The form of a new coupon."""
    currency = services().settings.store_currency
    form = CouponForm(currency, data={"active": True}) if request.method == "GET" else CouponForm(currency)
    if saves(form, form.code, lambda: coupon_desk.add(services(), form.code.data or "", form.values(), guard.actor())):
        flash("The coupon is made.")
        return redirect(url_for("coupons.index"), 303)
    return render_template("admin/coupon.html", title="A new coupon", form=form), 400 if form.is_submitted() else 200


@blueprint.route("/<int:coupon_id>", methods=["GET", "POST"])
@guard.allowed(Role.OWNER)
def edit(coupon_id: int) -> ResponseReturnValue:
    """The form of a coupon, whose code stays. Raises NotFound."""
    with services().database.reading() as session:
        found = coupon_desk.find(session, coupon_id)
    form = CouponForm.of(found) if request.method == "GET" else CouponForm(found.currency)
    if request.method == "POST":
        form.code.process_data(found.code)
        form.code.raw_data = [found.code]
    if form.validate_on_submit():
        try:
            coupon_desk.change(services(), coupon_id, form.values(), guard.actor())
        except CatalogueRefused as refused:
            field = form.max_uses if refused.reason is CatalogueRefusal.FEWER_THAN_USED else form.code
            field.errors = [refusal(refused)]
        else:
            flash("Saved. Orders that were placed with it keep what it took off.")
            return redirect(url_for("coupons.index"), 303)
    status = 400 if form.is_submitted() else 200
    return render_template("admin/coupon.html", title=found.code, form=form, coupon=found), status
