"""The forms a shopper fills in. Every message says what to type instead."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask_wtf import FlaskForm
from wtforms import EmailField, Field, IntegerField, SelectField, StringField, TelField
from wtforms.validators import (
    DataRequired,
    Length,
    NumberRange,
    Optional,
    StopValidation,
    ValidationError,
)

from store.gateway.port import Recipient
from store.services.carts import MOST
from store.web import addresses

_QUANTITY_MESSAGE = f"Choose a quantity between 1 and {MOST}."


class QuantityField(IntegerField):
    """A whole number that fits a cart; whatever else is typed gets the same message."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        typed = valuelist[0].strip() if valuelist else ""
        if not re.fullmatch(r"-?[0-9]{1,4}", typed):
            raise ValueError(_QUANTITY_MESSAGE)
        self.data = int(typed)


class AddToCartForm(FlaskForm):
    """How many of a product go into the cart."""

    quantity = QuantityField("Quantity", default=1, validators=[NumberRange(1, MOST, _QUANTITY_MESSAGE)])


class ChangeLineForm(FlaskForm):
    """A new quantity for a line of the cart; 0 takes it out."""

    quantity = QuantityField("Quantity", validators=[NumberRange(0, MOST, _QUANTITY_MESSAGE)])


class PostForm(FlaskForm):
    """A button: nothing to fill in but the token that says the form came from our page."""


def tidy(value: object) -> object:
    """Text as it was meant: composed characters, no control characters, one blank where there were several."""
    if not isinstance(value, str):
        return value
    composed = unicodedata.normalize("NFC", value)
    printable = "".join(" " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in composed)
    without_invisible = "".join(each for each in printable if unicodedata.category(each) not in ("Cs", "Co", "Cn"))
    return re.sub(r"\s+", " ", without_invisible).strip()


def _required(message: str) -> DataRequired:
    return DataRequired(message)


def _at_most(length: int) -> Length:
    return Length(max=length, message=f"Use {length} characters at the most.")


def _has_letters(_form: FlaskForm, field: Field) -> None:
    """A name or a street is more than dots and dashes."""
    if not any(each.isalnum() for each in field.data or ""):
        raise StopValidation("Use letters or digits.")


def _email(_form: FlaskForm, field: Field) -> None:
    """An address mail can be sent to, as far as its spelling tells: no network is asked."""
    try:
        field.data = validate_email(field.data, check_deliverability=False).normalized
    except EmailNotValidError:
        raise ValidationError("Enter an e-mail address like name@example.com.") from None
    if len(field.data) > 254:
        raise ValidationError("Use 254 characters at the most.")


def _listed(_form: FlaskForm, field: SelectField) -> None:
    if field.data not in dict(addresses.countries()):
        raise ValidationError("Choose a country from the list.")


def _phone(_form: FlaskForm, field: Field) -> None:
    if not re.fullmatch(r"[+0-9 ().\-/x]+", field.data) or not 5 <= sum(each.isdigit() for each in field.data) <= 20:
        raise ValidationError("Enter a telephone number like +1 555 010 0199, or leave this empty.")


class CheckoutForm(FlaskForm):
    """Where an order goes and how to reach its buyer. What is missing depends on the country."""

    email = EmailField(
        "Email", filters=[tidy], validators=[_required("Enter your e-mail address."), _at_most(254), _email]
    )
    full_name = StringField(
        "Full name", filters=[tidy], validators=[_required("Enter your full name."), _at_most(120), _has_letters]
    )
    country = SelectField("Country", validate_choice=False, validators=[_required("Choose a country."), _listed])
    address_line1 = StringField(
        "Address line 1",
        filters=[tidy],
        validators=[_required("Enter the street and the number, or a P.O. box."), _at_most(200), _has_letters],
    )
    address_line2 = StringField("Address line 2 (optional)", filters=[tidy], validators=[_at_most(200)])
    city = StringField("City", filters=[tidy], validators=[_at_most(120)])
    region = StringField("State, province or region (optional)", filters=[tidy], validators=[_at_most(120)])
    postal_code = StringField("Postal code", filters=[tidy], validators=[_at_most(20)])
    phone = TelField("Phone (optional)", filters=[tidy], validators=[Optional(), _at_most(40), _phone])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country.choices = addresses.countries()

    def validate_city(self, field: Field) -> None:
        if not field.data and self._rules is not None and self._rules.city_required:
            raise ValidationError("Enter the city.")

    def validate_postal_code(self, field: Field) -> None:
        rules = self._rules
        if rules is None:
            return  # without a country there is nothing to hold it against
        example = f", such as {rules.example}" if rules.example else ""
        if not field.data:
            if rules.postal_code_required:
                raise ValidationError(f"Enter the {rules.postal_code_name}{example}.")
            return
        field.data = field.data.upper()
        if not addresses.postal_code_fits(self.country.data, field.data):
            raise ValidationError(f"Enter a {rules.postal_code_name} of the chosen country{example}.")

    @property
    def _rules(self) -> addresses.Rules | None:
        return addresses.rules(self.country.data) if self.country.data in dict(addresses.countries()) else None

    def recipient(self) -> Recipient:
        """The form's content, once it is valid."""
        return Recipient(**{name: getattr(self, name).data or "" for name in Recipient.__dataclass_fields__})
