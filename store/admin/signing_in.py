"""Signing in and out, second factors, passkeys and passwords: all of it Flask-Security's, set up here.

Of its addresses those are registered that the staff needs, each with who may ask for it; none of them registers anybody
or sends a mail.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, Flask, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_security import (
    Form,
    Security,
    password_changed,
    tf_disabled,
    tf_profile_changed,
    user_authenticated,
    views,
    wan_deleted,
    wan_registered,
)
from flask_security.recovery_codes import mf_recovery, mf_recovery_codes
from flask_security.tf_plugin import tf_select
from flask_security.webauthn import (
    webauthn_delete,
    webauthn_register,
    webauthn_register_response,
    webauthn_signin,
    webauthn_signin_response,
)
from sqlalchemy.orm import Session

from config import Settings
from models import StaffMember
from store.admin import PATH, forms, guard
from store.admin.identity import Addresses, StaffDatastore
from store.admin.passwords import PasswordRules
from store.admin.presentation.words import SIGNING_IN
from store.admin.second_factor import AuthenticatorCodes, RecoveryCodes, recovery_keys, totp_secrets
from store.domain.staff import SHORTEST_PASSWORD, Role
from store.services import staff_log
from store.services.staff import tries
from store.web.current import now, services

# Nobody has used a browser for so long: it is signed out. `guard.LONGEST` ends a session in any case.
IDLE = timedelta(hours=2)
# A password, or a second factor, is changed by somebody who has just signed in, or typed the password again.
FRESH = timedelta(minutes=15)
TRIES_PER_MINUTE: Final = 20
# Where something may be guessed.
GUESSED_AT = ("login", "two_factor_token_validation", "mf_recovery", "wan_signin_response", "verify", "change_password")


def _sign_out() -> ResponseReturnValue:
    """Sign this browser out. The library writes nothing there, so it is noted here."""
    email = guard.member().email
    with services().database.transaction() as rows:
        staff_log.add(rows, now(), email, "staff.signed_out", email)
    answer: ResponseReturnValue = views.logout()
    return answer


_OPEN, _STAFF = None, Role.PACKING
_GET, _POST, _BOTH = ["GET"], ["POST"], ["GET", "POST"]
# Address, the library's name and view, who may ask for it.
_ADDRESSES: tuple[tuple[str, str, Callable[..., Any], Role | None, list[str]], ...] = (
    ("/sign-in", "login", views.login, _OPEN, _BOTH),
    ("/sign-in/code", "two_factor_token_validation", views.two_factor_token_validation, _OPEN, _BOTH),
    ("/sign-in/recovery-code", "mf_recovery", mf_recovery, _OPEN, _BOTH),
    ("/sign-in/second-factor", "tf_select", tf_select, _OPEN, _BOTH),
    ("/sign-in/passkey", "wan_signin", webauthn_signin, _OPEN, _BOTH),
    ("/sign-in/passkey/<token>", "wan_signin_response", webauthn_signin_response, _OPEN, _POST),
    ("/sign-out", "logout", _sign_out, _STAFF, _POST),
    ("/confirm", "verify", views.verify, _STAFF, _BOTH),
    ("/account/password", "change_password", views.change_password, _STAFF, _BOTH),
    ("/account/authenticator", "two_factor_setup", views.two_factor_setup, _STAFF, _BOTH),
    ("/account/recovery-codes", "mf_recovery_codes", mf_recovery_codes, _STAFF, _BOTH),
    ("/account/passkeys", "wan_register", webauthn_register, _STAFF, _BOTH),
    ("/account/passkeys/remove", "wan_delete", webauthn_delete, _STAFF, _POST),
    ("/account/passkeys/<token>", "wan_register_response", webauthn_register_response, _STAFF, _POST),
)


def register(app: Flask, settings: Settings) -> None:
    """Let the staff sign in. Needs the forms' protection, which the library then leaves to it."""
    app.config.update({f"SECURITY_{name}": value for name, value in _configuration(settings).items()})
    app.config.update({f"SECURITY_MSG_{name}": words for name, words in SIGNING_IN.items()})
    # A browser that is used is signed in for two more hours; the time stands in the cookie, signed.
    app.config.update(PERMANENT_SESSION_LIFETIME=IDLE, SESSION_REFRESH_EACH_REQUEST=True)
    datastore = StaffDatastore()
    security = Security(
        login_form=forms.SignInForm,
        verify_form=forms.ConfirmForm,
        change_password_form=forms.NewPasswordForm,
        two_factor_verify_code_form=forms.CodeForm,
        two_factor_setup_form=forms.AuthenticatorForm,
        two_factor_select_form=forms.SecondFactorForm,
        two_factor_rescue_form=forms.RescueForm,
        mf_recovery_form=forms.RecoveryCodeForm,
        wan_register_form=forms.PasskeyForm,
        mail_util_cls=Addresses,
        password_util_cls=PasswordRules,
        totp_cls=AuthenticatorCodes,
        mf_recovery_codes_util_cls=RecoveryCodes,
    )
    with app.app_context():  # it asks the store's clock for the time at once
        security.init_app(app, datastore, register_blueprint=False, render_template=_page)
    security.want_json(lambda _request: False)
    security.login_manager.request_loader(lambda _request: None)  # nobody is let in by a token in a header or address
    app.register_blueprint(_blueprint())
    _note_what_is_done(app, datastore)


def _configuration(settings: Settings) -> dict[str, Any]:
    return {
        "CHANGEABLE": True,
        "TWO_FACTOR": True,
        "MULTI_FACTOR_RECOVERY_CODES": True,
        "WEBAUTHN": True,
        "API_ENABLED_METHODS": ["session"],
        "CLI_USERS_NAME": None,  # `flask staff` has the commands
        "CLI_ROLES_NAME": None,
        "RETURN_GENERIC_RESPONSES": True,  # whether there is an account is nobody's business
        "DATETIME_FACTORY": now,
        "PASSWORD_HASH": "argon2",
        "PASSWORD_SCHEMES": ["argon2"],
        "PASSWORD_SINGLE_HASH": {"argon2"},
        "PASSWORD_LENGTH_MIN": SHORTEST_PASSWORD,
        "PASSWORD_COMPLEXITY_CHECKER": "zxcvbn",
        "SEND_PASSWORD_CHANGE_EMAIL": False,
        "FRESHNESS": FRESH,
        "FRESHNESS_GRACE_PERIOD": FRESH,
        "TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "TWO_FACTOR_AUTHENTICATOR_VALIDITY": 30,  # seconds before and after
        "TWO_FACTOR_RESCUE_EMAIL": False,
        "TOTP_SECRETS": totp_secrets(settings.signing_keys),
        "TOTP_ISSUER": settings.store_name,
        "MULTI_FACTOR_RECOVERY_CODES_KEYS": recovery_keys(settings.signing_keys),
        "MULTI_FACTOR_RECOVERY_CODES_N": 10,
        "WAN_RP_NAME": settings.store_name,
        "WAN_ALLOW_AS_FIRST_FACTOR": False,  # it comes after the password: found by itself it opens nothing
        "WAN_ALLOW_AS_VERIFY": None,
        "POST_LOGIN_VIEW": "home.show",
        "POST_LOGOUT_VIEW": "security.login",
        "POST_CHANGE_VIEW": "account.show",
        "POST_VERIFY_VIEW": "account.show",
        "TWO_FACTOR_ERROR_VIEW": "security.login",
        "TWO_FACTOR_POST_SETUP_VIEW": "account.show",
        "WAN_POST_REGISTER_VIEW": "security.wan_register",
        "LOGIN_USER_TEMPLATE": "admin/sign_in.html",
        "VERIFY_TEMPLATE": "admin/confirm.html",
        "CHANGE_PASSWORD_TEMPLATE": "admin/password.html",
        "TWO_FACTOR_SETUP_TEMPLATE": "admin/authenticator.html",
        "TWO_FACTOR_VERIFY_CODE_TEMPLATE": "admin/code.html",
        "TWO_FACTOR_SELECT_TEMPLATE": "admin/second_factor.html",
        "MULTI_FACTOR_RECOVERY_TEMPLATE": "admin/recovery_code.html",
        "MULTI_FACTOR_RECOVERY_CODES_TEMPLATE": "admin/recovery_codes.html",
        "WAN_REGISTER_TEMPLATE": "admin/passkeys.html",
        "WAN_SIGNIN_TEMPLATE": "admin/passkey.html",
    }


def _blueprint() -> Blueprint:
    blueprint = Blueprint("security", __name__)
    for address, name, view, role, methods in _ADDRESSES:
        marked = guard.open_to_all(view) if role is None else guard.allowed(role)(view)
        blueprint.add_url_rule(f"{PATH}{address}", name, marked, methods=methods)
    # The library names where help is to be had; here that is a recovery code alone, and nobody is mailed.
    blueprint.add_url_rule(f"{PATH}/sign-in/recovery-code", "two_factor_rescue", build_only=True)
    return blueprint


def _page(template: str, **context: Any) -> ResponseReturnValue:
    """A page of the library's in our words; 400 where a form on it was refused."""
    refused = any(isinstance(value, Form) and value.errors for value in context.values())
    return render_template(template, **context), 400 if refused and request.method == "POST" else 200


def _note_what_is_done(app: Flask, datastore: StaffDatastore) -> None:
    """Write what the library does to the staff's log, with what it writes itself."""

    def note(action: str, user: StaffMember, **data: object) -> None:
        at, email = now(), user.email
        datastore.writes.later(lambda rows: staff_log.add(rows, at, email, action, email, data))

    def signed_in(_app: Flask, user: StaffMember, authn_via: list[str] | None = None, **_more: object) -> None:
        session.permanent = True
        if authn_via == ["change"]:  # the browser in which somebody changed the password stays signed in
            return
        at = now()

        def write(rows: Session) -> None:
            tries.succeeded(rows, user, at)

        datastore.writes.later(write)

    def noted(action: str) -> Callable[..., None]:
        return lambda _app, user, **more: note(action, user, **({"name": more["name"]} if "name" in more else {}))

    listeners = {
        user_authenticated: signed_in,
        password_changed: noted("staff.password_changed"),
        tf_profile_changed: noted("staff.authenticator_added"),
        tf_disabled: noted("staff.authenticator_removed"),
        wan_registered: noted("staff.passkey_added"),
        wan_deleted: noted("staff.passkey_removed"),
    }
    for signal, listener in listeners.items():
        signal.connect(listener, app)
    app.extensions["sign_in_listeners"] = listeners  # signals themselves keep nobody alive
