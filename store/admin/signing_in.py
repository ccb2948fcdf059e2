"""The way in: address and password, and a code where the account asks for one; and the way out."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue

from store.admin import guard
from store.admin.forms import CodeForm, SignInForm
from store.admin.guard import TOKEN, WANTED
from store.admin.presentation.words import SIGN_IN_REFUSED
from store.domain.errors import SignInRefusal, SignInRefused
from store.domain.staff import Role
from store.services.staff import signing_in
from store.web.current import now, services

blueprint = Blueprint("signing_in", __name__)

TRIES_PER_MINUTE = 20
_PASSED = "passed"  # whose password was right, and when: they still owe a code


@blueprint.route("/sign-in", methods=["GET", "POST"])
@guard.open_to_all
def sign_in() -> ResponseReturnValue:
    """The form for address and password."""
    if guard.member_or_none() is not None:
        return redirect(url_for("home.show"), 303)
    form = SignInForm()
    if not form.validate_on_submit():
        return _door(form, status=200 if not form.is_submitted() else 400)
    try:
        member = signing_in.check_password(services(), form.email.data or "", form.password.data or "", now())
        if member.totp_secret is None:
            return _let_in(signing_in.begin(services(), member.id, None, now()))
    except SignInRefused as refused:
        return _door(form, refused.reason)
    session[_PASSED] = [member.id, now().isoformat()]
    return redirect(url_for("signing_in.code"), 303)


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
@guard.open_to_all
def code() -> ResponseReturnValue:
    """The form for the code of an authenticator, after the password."""
    passed = session.get(_PASSED)
    if not passed:
        return redirect(url_for("signing_in.sign_in"), 303)
    form, refusal = CodeForm(), None
    if form.validate_on_submit():
        staff_id, password_at = int(passed[0]), datetime.fromisoformat(passed[1])
        try:
            return _let_in(signing_in.begin(services(), staff_id, form.code.data, now(), password_at=password_at))
        except SignInRefused as refused:
            refusal = refused.reason
        if refusal is SignInRefusal.TOO_LATE:
            session.pop(_PASSED)
            return _door(SignInForm(formdata=None), refusal)
    status = 403 if refusal else 400 if form.is_submitted() else 200
    return render_template("admin/code.html", form=form, refused=refusal and SIGN_IN_REFUSED[refusal]), status


@blueprint.post("/sign-out")
@guard.allowed(Role.PACKING)
def sign_out() -> ResponseReturnValue:
    """Sign this browser out."""
    signing_in.sign_out(services(), guard.signed_in(), now())
    session.clear()
    return redirect(url_for("signing_in.sign_in"), 303)


@blueprint.post("/sign-out-everywhere")
@guard.allowed(Role.PACKING)
def sign_out_everywhere() -> ResponseReturnValue:
    """Sign out every browser of one's own account, this one too."""
    email = guard.member().email
    signing_in.sign_out_everywhere(services(), email, email, now())
    session.clear()
    return redirect(url_for("signing_in.sign_in"), 303)


def _door(form: SignInForm, refusal: SignInRefusal | None = None, status: int = 403) -> ResponseReturnValue:
    return render_template("admin/sign_in.html", form=form, refused=refusal and SIGN_IN_REFUSED[refusal]), status


def _let_in(token: str) -> ResponseReturnValue:
    """Begin a session that has nothing of the one before, and lead to where somebody wanted to go."""
    wanted = session.get(WANTED)
    session.clear()
    session[TOKEN] = token
    session.permanent = True
    home = url_for("home.show")
    return redirect(f"{services().settings.path_prefix}{wanted}" if wanted else home, 303)
