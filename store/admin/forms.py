"""The forms of the staff's accounts. Every message says what to type instead."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from store.domain.staff import LONGEST_EMAIL, LONGEST_PASSWORD, Role

_LONGEST_CODE = 20


def _password(label: str, message: str, *more: object, purpose: str = "current-password") -> PasswordField:
    rules = [InputRequired(message), Length(max=LONGEST_PASSWORD, message=f"At most {LONGEST_PASSWORD} characters.")]
    return PasswordField(label, validators=[*rules, *more], render_kw={"autocomplete": purpose})


class SignInForm(FlaskForm):
    email = StringField(
        "E-mail",
        validators=[InputRequired("Type the e-mail address of your account."), Length(max=LONGEST_EMAIL)],
        render_kw={"type": "email", "autocomplete": "username", "spellcheck": "false", "autocapitalize": "none"},
    )
    password = _password("Password", "Type your password.")


class CodeForm(FlaskForm):
    code = StringField(
        "Code",
        validators=[InputRequired("Type the six digits that your authenticator shows."), Length(max=_LONGEST_CODE)],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric"},
    )


class ChangePasswordForm(FlaskForm):
    current = _password("Current password", "Type your current password.")
    new = _password("New password", "Type the new password.", purpose="new-password")
    again = _password(
        "New password again",
        "Type the new password a second time.",
        EqualTo("new", "This is not the same as above."),
        purpose="new-password",
    )


class PasswordForm(FlaskForm):
    password = _password("Password", "Type your password.")


class RoleForm(FlaskForm):
    role = SelectField("Role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.role.choices = [(role.value, role.value.capitalize()) for role in Role]


class ButtonForm(FlaskForm):
    """A button: nothing to fill in but the token that says the form came from our page."""
