"""The form of the checkout: who orders, where it goes, and who pays for it. Every message says what to type instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, cached_property, partial
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import BooleanField, EmailField, Field, Form, FormField, HiddenField, SelectField, StringField, TelField
from wtforms.validators import DataRequired, Length, Optional, StopValidation, ValidationError
from wtforms.widgets import html_params

from store.domain import contacts, countries
from store.domain.addresses import NOWHERE, Address
from store.domain.coupons import read_code
from store.domain.errors import (
    CouponRefused,
    NotShippedThere,
    ShippingMethodUnavailable,
    StoreError,
    TaxAddressUnknown,
)
from store.domain.tariffs import Tariffs
from store.domain.vat_numbers import NotAVatNumber, vat_number
from store.services.checkout import Preview
from store.services.orders import Customer, ShownPrice
from store.web.presentation.coupons import coupon_refusal

_FIELDS = {"line1": "address_line1", "line2": "address_line2"}  # of an Address that the form calls otherwise
# What is asked only where something is shipped, and what of an address a price depends on.
_OF_ADDRESS = (
    *("address_line1", "address_line2", "city", "region", "postal_code", "phone"),
    *("same_as_shipping", "bill_to_asked", "bill_to", "shipping_method"),
)
_PLACE = ("country", "region", "postal_code")


def _tidy(value: object) -> object:
    return contacts.tidy(value) if isinstance(value, str) else value


def _required(message: str) -> DataRequired:
    return DataRequired(message)


def _at_most(length: int) -> Length:
    return Length(max=length, message=f"Use {length} characters at the most.")


def _has_letters(_form: Form, field: Field) -> None:
    """A name or a street is more than dots and dashes."""
    if not any(each.isalnum() for each in field.data or ""):
        raise StopValidation("Use letters or digits.")


def _email(_form: Form, field: Field) -> None:
    """An address mail can be sent to, as far as its spelling says: no network is asked."""
    try:
        field.data = contacts.email(field.data)
    except contacts.LocalPartNotAscii:
        raise ValidationError(
            "Enter an e-mail address with only the letters a to z before the @, like joerg@example.com: our mail would "
            "not reach this one."
        ) from None
    except contacts.NotAnEmail:
        raise ValidationError("Enter an e-mail address like name@example.com.") from None


def _listed(_form: Form, field: SelectField) -> None:
    if not countries.is_country(field.data):
        raise ValidationError("Choose a country from the list.")


class _AddressedEmailField(EmailField):
    """Shows a domain in its own letters, however it is kept."""

    def _value(self) -> str:
        return contacts.email_as_read(self.data or "")


class _CountrySelect:
    """Writes each option once: a page has 250 of them twice, which took most of its time."""

    def __call__(self, field: SelectField, **attributes: object) -> Markup:
        options = Markup().join(_option(code, name, code == field.data) for code, name in countries.countries())
        start = Markup(f"<select {html_params(name=field.name, **attributes)}>")  # noqa: S704  # which it has escaped
        return start + options + Markup("</select>")


@cache
def _option(code: str, name: str, selected: bool) -> Markup:
    chosen = Markup(" selected") if selected else ""
    return Markup('<option{} value="{}">{}</option>').format(chosen, code, name)


class AddressForm(Form):
    """A person and a place. What is missing depends on the country."""

    full_name = StringField(
        "Full name", filters=[_tidy], validators=[_required("Enter your full name."), _at_most(120), _has_letters]
    )
    country = SelectField(
        "Country", validate_choice=False, validators=[_required("Choose a country."), _listed], widget=_CountrySelect()
    )
    address_line1 = StringField(
        "Address line 1",
        filters=[_tidy],
        validators=[_required("Enter the street and the number, or a P.O. box."), _at_most(200), _has_letters],
    )
    address_line2 = StringField("Address line 2 (optional)", filters=[_tidy], validators=[_at_most(200)])
    city = StringField("City", filters=[_tidy], validators=[_at_most(120)])
    region = StringField("State, province or region (optional)", filters=[_tidy], validators=[_at_most(120)])
    postal_code = StringField("Postal code", filters=[_tidy], validators=[_at_most(20)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country.choices = countries.countries()

    def validate_city(self, field: Field) -> None:
        if not field.data and self._rules is not None and self._rules.city_required:
            raise ValidationError("Enter the city.")

    def validate_postal_code(self, field: Field) -> None:
        """Kept as the country writes it, however it was typed."""
        rules = self._rules
        if rules is None:
            return  # without a country there is nothing to compare it with
        example = f", such as {rules.example}" if rules.example else ""
        if not field.data:
            if rules.postal_code_required:
                raise ValidationError(f"Enter the {rules.postal_code_name}{example}.")
            return
        written = countries.postal_code(self.country.data, field.data)
        if written is None:
            raise ValidationError(f"Enter a {rules.postal_code_name} of the chosen country{example}.")
        field.data = written

    @property
    def _rules(self) -> countries.Rules | None:
        return countries.rules(self.country.data) if countries.is_country(self.country.data) else None

    def address(self, phone: str = "") -> Address:
        """The form's content, once it is valid."""
        names = [name for name in Address.__dataclass_fields__ if name != "phone"]
        fields = {name: self._fields.get(_FIELDS.get(name, name)) for name in names}
        return Address(
            **{name: field.data or "" if field is not None else "" for name, field in fields.items()}, phone=phone
        )


class _SameAsShippingField(BooleanField):
    """Checked unless a page that has the box sent it unchecked: a form without any billing field means the same."""

    def process(self, formdata: Any, *more: Any, **named: Any) -> None:
        super().process(formdata, *more, **named)
        if formdata is not None and not any(name.startswith("bill_to_") for name in formdata):
            self.data = True


class _BillingField(FormField):  # type: ignore[type-arg]  # generic in its stubs only
    """Made and looked at only where it is shown, or is somebody else's address."""

    def process(self, formdata: Any, *more: Any, **named: Any) -> None:
        self._formdata, self._make = formdata, partial(super().process, formdata, *more, **named)

    def post_process(self, formdata: Any = None) -> None:
        """Once the form is made."""

    @cached_property
    def form(self) -> AddressForm:
        self._make()  # sets it
        made: AddressForm = vars(self)["form"]
        made.post_process(self._formdata)  # type: ignore[attr-defined]  # newer than its stubs
        return made

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        return bool(form.same_as_shipping.data) or super().validate(form, extra_validators)


class CheckoutForm(FlaskForm, AddressForm):
    """Where an order goes, how to reach its buyer, and who pays.

    An e-mail address that looks like a typing mistake is asked about once: `likely_email` is what it may have meant.
    Sending the form again as it is keeps it, the button of the question takes the other.
    """

    email = _AddressedEmailField(
        "Email",
        filters=[_tidy],
        validators=[_required("Enter your e-mail address."), _at_most(contacts.LONGEST_EMAIL), _email],
    )
    phone = TelField("Phone (optional)", filters=[_tidy], validators=[Optional(), _at_most(40)])
    same_as_shipping = _SameAsShippingField("Same as shipping", default=True)
    bill_to_asked = HiddenField(default="1")
    bill_to = _BillingField(AddressForm, separator="_")
    email_kept = HiddenField()
    shipping_method = StringField(validators=[_at_most(40)])
    tax_id = StringField("VAT number (optional)", filters=[_tidy], validators=[Optional(), _at_most(30)])
    code = StringField("Discount code (optional)", filters=[read_code], validators=[_at_most(40)])
    shown = HiddenField()

    class Meta:
        csrf = False  # every form is checked before it arrives here; the page writes the token

    likely_email: str | None = None
    tariffs: Tariffs | None = None

    @classmethod
    def sent(cls, tariffs: Tariffs, *, is_shipped: bool) -> CheckoutForm:
        """The form as it was sent. Where nothing is shipped it asks for no address but the country, for the taxes."""
        form = cls().without_address(not is_shipped)
        form.tariffs = tariffs
        return form

    @classmethod
    def like(cls, shipping: Address, billing: Address, email: str) -> CheckoutForm:
        """The form as it was filled in for an earlier order."""
        same = replace(billing, phone=shipping.phone) == shipping  # the form asks one telephone number
        bill_to = {} if same else {"bill_to": _as_fields(billing)}
        return cls(formdata=None, data={**_as_fields(shipping), **bill_to, "email": email, "same_as_shipping": same})

    def without_address(self, without: bool = True) -> CheckoutForm:
        """This form, asking for nothing that only a carrier needs to know, if `without` is true."""
        for name in _OF_ADDRESS if without else ():
            del self[name]
        return self

    @property
    def asks_address(self) -> bool:
        return "address_line1" in self

    def validate_tax_id(self, field: Field) -> None:
        """Kept with its country in front, however it was typed; forgotten where no business is asked for one."""
        country = self.country.data or ""
        if self.tariffs is None or not self.tariffs.takes_tax_id(country):
            field.data = ""
            return
        try:
            field.data = vat_number(country, field.data)
        except NotAVatNumber:
            name = countries.country_name(country)
            raise ValidationError(f"Enter a VAT number of {name}, or leave this empty.") from None

    def validate_phone(self, field: Field) -> None:
        from store.domain import telephones  # with the plans of numbers, which the first number needs

        country = self.country.data or "US"
        number = telephones.phone(field.data, country)
        if number is None:
            example = telephones.phone_example(country)
            raise ValidationError(f"Enter a telephone number like {example}, or leave this empty.")
        field.data = number

    def is_settled(self, chosen_email: str | None) -> bool:
        """Whether the e-mail address needs no question. `chosen_email` is what the question's button sends, if pressed.

        Called once the form is valid. False sets `likely_email`.
        """
        likely = contacts.likely_email(self.email.data or "")
        if likely is None or self.email_kept.data == self.email.data:
            return True
        if chosen_email == likely:
            self.email.data = likely
            return True
        self.likely_email, self.email_kept.data = likely, self.email.data
        return False

    def shipping(self) -> Address:
        """Where the order goes, once the form is valid."""
        return self.address(phone=self.phone.data or "") if self.asks_address else NOWHERE

    def billing(self) -> Address:
        """Who pays for it, once the form is valid."""
        if not self.asks_address or self.same_as_shipping.data:
            return self.address(phone=self.phone.data or "" if self.asks_address else "")
        bill_to: AddressForm = self.bill_to.form
        return bill_to.address()

    def customer(self) -> Customer:
        """Who orders, once the form is valid."""
        method = self.shipping_method.data or None if self.asks_address else None
        return Customer(
            self.shipping(),
            self.billing(),
            self.email.data or "",
            method,
            self.tax_id.data or None,
            self.code.data or None,
        )

    def known_address(self) -> Address | None:
        """As much of the address as a price depends on, whether the form is valid or not; None without a country."""
        address = self.address()
        return address if countries.is_country(address.country) else None

    def known_tax_id(self) -> str | None:
        """The VAT number, if it has the form of one of the country that was chosen."""
        try:
            return vat_number(self.country.data or "", self.tax_id.data) if self.tax_id.data else None
        except NotAVatNumber:
            return None

    def show(self, preview: Preview) -> None:
        """Have the form carry the total that it is shown with, and what that is the total for."""
        chosen = {
            "total": preview.quote.total.minor,
            "method": preview.chosen.code if preview.chosen is not None else "",
            "tax_id": preview.tax_id or "",
            "code": self.code.data or "" if preview.coupon_refusal is None else "",
        }
        address = self.address()
        place = {name: getattr(address, name) for name in _PLACE}
        self.shown.data = urlencode({**chosen, **place})

    def shown_price(self) -> ShownPrice | None:
        """The total that the form was shown with; None where it does not say."""
        said = dict(parse_qsl(self.shown.data or "", keep_blank_values=True))
        total = said.pop("total", "")
        if not re.fullmatch("[0-9]{1,12}", total):
            return None
        address = replace(NOWHERE, **{name: said.get(name, "") for name in _PLACE})
        method, tax_id, code = said.get("method"), said.get("tax_id"), read_code(said.get("code"))
        return ShownPrice(int(total), address, method or None, tax_id or None, code or None)

    def explain(self, refusal: StoreError) -> bool:
        """Say at its field why the order could not be placed; False where no field is to blame."""
        match refusal:
            case NotShippedThere():
                country = countries.country_name(refusal.country)
                self.country.errors = [f"We do not send to {country}. Choose another country."]
            case ShippingMethodUnavailable():
                self.shipping_method.errors = ["This way does not go to your address. Choose another one."]
            case TaxAddressUnknown():
                field = self.postal_code if self.asks_address else self.country
                field.errors = ["We could not find this place, which the tax goes by. Check the address."]
            case CouponRefused():
                self.code.errors = [coupon_refusal(refusal)]
            case _:
                return False
        return True


def _as_fields(address: Address) -> Mapping[str, str]:
    return {_FIELDS.get(name, name): getattr(address, name) for name in Address.__dataclass_fields__}
