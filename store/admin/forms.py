"""The forms of the staff's accounts: Flask-Security's, with our labels. Every message says what to type instead."""

from __future__ import annotations

from typing import Any

from flask_security import (
    ChangePasswordForm,
    LoginForm,
    MfRecoveryForm,
    TwoFactorRescueForm,
    TwoFactorSelectForm,
    TwoFactorSetupForm,
    TwoFactorVerifyCodeForm,
    VerifyForm,
    WebAuthnRegisterForm,
    current_user,
)
from flask_security.forms import EmailValidation
from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, RadioField, SelectField, StringField
from wtforms.validators import InputRequired, Length, StopValidation

from store.admin.presentation.words import LOCKED, SIGNING_IN
from store.domain.staff import LONGEST_EMAIL, LONGEST_PASSWORD, Role

_LONGEST_CODE = 20
# A longer one was set nowhere, so there is nothing to hash.
_LONGEST_TYPED = Length(max=4 * LONGEST_PASSWORD, message=f"At most {LONGEST_PASSWORD} characters.")


def _not_while_locked(form: Any, _field: Any) -> None:
    """Let no code and no password be tried at a locked account. The library asks for that at its first page only."""
    if form.user.is_locked():
        raise StopValidation(LOCKED)


def _password(label: str, message: str, *rules: Any, purpose: str = "current-password") -> PasswordField:
    validators = [InputRequired(message), _LONGEST_TYPED, *rules]
    return PasswordField(label, validators=validators, render_kw={"autocomplete": purpose})


class SignInForm(LoginForm):
    """Remembers nobody: a session would not end."""

    email = EmailField(
        "E-mail",
        validators=[InputRequired(), Length(max=LONGEST_EMAIL), EmailValidation()],
        render_kw={"autocomplete": "username", "spellcheck": "false", "autocapitalize": "none"},
    )
    password = _password("Password", "Type your password.")
    remember = None  # type: ignore[assignment]


class CodeForm(TwoFactorVerifyCodeForm):
    code = StringField(
        "Code",
        validators=[
            InputRequired("Type the six digits that your authenticator shows."),
            Length(max=_LONGEST_CODE),
            _not_while_locked,
        ],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric"},
    )


class RecoveryCodeForm(MfRecoveryForm):
    code = StringField(
        "Recovery code",
        validators=[InputRequired("Type one of your recovery codes."), Length(max=_LONGEST_CODE), _not_while_locked],
        filters=[lambda typed: typed.strip().lower() if typed else typed],
        render_kw={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"},
    )

    def validate(self, **kwargs: Any) -> bool:  # type: ignore[override]  # as the library has it
        fits = super().validate(**kwargs)
        if not fits and self.user is not None:
            self.user.track_failed_authn("recovery code", tfa=True)
        return fits


class ConfirmForm(VerifyForm):
    password = _password("Password", "Type your password.", _not_while_locked)


class NewPasswordForm(ChangePasswordForm):
    password = _password("Current password", "Type your current password.", _not_while_locked)
    new_password = _password("New password", "Type the new password.", purpose="new-password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.new_password_confirm.label.text = "New password again"
        self.user = current_user

    def validate(self, **kwargs: Any) -> bool:  # type: ignore[override]  # as the library has it
        fits = super().validate(**kwargs)
        if SIGNING_IN["INVALID_PASSWORD"][0] in self.password.errors:
            self.user.track_failed_authn("password")
        return fits


class AuthenticatorForm(TwoFactorSetupForm):
    """Our buttons say what to do, and so they do in the two forms below; the library checks it."""

    setup = HiddenField()  # type: ignore[assignment]


class SecondFactorForm(TwoFactorSelectForm):
    which = HiddenField()  # type: ignore[assignment]


class RescueForm(TwoFactorRescueForm):
    """Rescue is an address of its own, for recovery codes; this form is on no page."""

    help_setup = RadioField(choices=[])


class PasskeyForm(WebAuthnRegisterForm):
    """A passkey comes after the password."""

    usage = HiddenField(default="secondary")  # type: ignore[assignment]
    name = StringField(
        "Name of the passkey",
        validators=[InputRequired("Give it a name, such as that of the device."), Length(max=64)],
        render_kw={"autocomplete": "off"},
    )


class RoleForm(FlaskForm):
    role = SelectField("Role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.role.choices = [(role.value, role.value.capitalize()) for role in Role]


class ButtonForm(FlaskForm):
    """A button: nothing to fill in but the token that says the form came from our page."""
