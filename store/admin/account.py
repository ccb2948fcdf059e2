"""One's own account: password, second factor, and the browsers that are signed in with it."""

from __future__ import annotations

import segno
from flask import Blueprint, flash, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from store.admin import guard
from store.admin.forms import ButtonForm, ChangePasswordForm, CodeForm, PasswordForm
from store.admin.presentation.words import staff_refused
from store.domain.errors import StaffRefused
from store.domain.staff import Role
from store.services.staff import accounts, signing_in
from store.web.current import now, services

blueprint = Blueprint("account", __name__, url_prefix="/account")

_SECRET = "secret"  # noqa: S105  # what the cookie calls that of an authenticator that is being added


@blueprint.get("")
@guard.allowed(Role.PACKING)
def show() -> ResponseReturnValue:
    """Who is signed in, where else, and what can be changed about it."""
    return _page(ChangePasswordForm(formdata=None)), 200


@blueprint.post("/password")
@guard.allowed(Role.PACKING)
def change_password() -> ResponseReturnValue:
    """Change one's password. Every other browser is signed out."""
    form = ChangePasswordForm()
    if not form.validate():
        return _page(form), 400
    current, new, keep = form.current.data or "", form.new.data or "", guard.signed_in().digest
    try:
        accounts.change_own_password(services(), guard.member(), current, new, keep, now())
    except StaffRefused as refused:
        (form.new if refused.flaw else form.current).errors = [staff_refused(refused)]
        return _page(form), 400
    flash("Your password is changed, and every other browser is signed out.")
    return redirect(url_for("account.show"), 303)


@blueprint.route("/authenticator", methods=["GET", "POST"])
@guard.allowed(Role.PACKING)
def authenticator() -> ResponseReturnValue:
    """Add an authenticator: it reads the picture, and its first code confirms that it has."""
    if guard.member().totp_secret is not None:
        return redirect(url_for("account.show"), 303)
    secret = session.setdefault(_SECRET, signing_in.new_secret())
    form = CodeForm()
    if form.validate_on_submit():
        try:
            signing_in.add_authenticator(services(), guard.member(), secret, form.code.data or "", now())
        except StaffRefused as refused:
            form.code.errors = [staff_refused(refused)]
        else:
            session.pop(_SECRET)
            flash("From now on you are asked for a code when you sign in.")
            return redirect(url_for("account.show"), 303)
    link = signing_in.authenticator_link(services(), guard.member(), secret)
    # The picture is made here, of characters that cannot end a tag: its address of black squares.
    picture = Markup(segno.make(link, error="m").svg_inline(scale=5, border=4, omitsize=True, light="#fff"))  # noqa: S704
    spoken = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    status = 400 if form.is_submitted() else 200
    return render_template("admin/authenticator.html", form=form, picture=picture, secret=spoken), status


@blueprint.post("/authenticator/remove")
@guard.allowed(Role.PACKING)
def remove_authenticator() -> ResponseReturnValue:
    """Be asked for the password alone from now on."""
    form = PasswordForm()
    if not form.validate():
        return _page(ChangePasswordForm(formdata=None), form), 400
    try:
        signing_in.remove_authenticator(services(), guard.member(), form.password.data or "", now())
    except StaffRefused as refused:
        form.password.errors = [staff_refused(refused)]
        return _page(ChangePasswordForm(formdata=None), form), 400
    flash("You are asked for your password alone from now on.")
    return redirect(url_for("account.show"), 303)


def _page(form: ChangePasswordForm, password_form: PasswordForm | None = None) -> str:
    with services().database.reading() as session:
        browsers = signing_in.sessions_of(session, guard.member().id, now())
    return render_template(
        "admin/account.html",
        form=form,
        password_form=password_form or PasswordForm(formdata=None),
        button=ButtonForm(formdata=None),
        browsers=browsers,
        this_browser=guard.signed_in().digest,
    )
