"""The forms of shipping methods, tax rates and coupons. Every message says what to type instead."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, Field, FieldList, Form, FormField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional, ValidationError

from models import CouponRow, ShippingZoneMethod, TaxRateRow
from store.admin.product_forms import TAX_CLASSES, MoneyField, WholeField, one_line, required
from store.domain.coupons import CouponKind
from store.domain.money import Money
from store.domain.pricing import TaxClass
from store.domain.shipping import Basis
from store.domain.taxes import PERCENT
from store.services.charges import MethodValues, RateValues, place_text
from store.services.coupon_desk import CouponValues

STEPS = 6  # prices of a method
_MOST_USES = 1_000_000_000
KINDS = {CouponKind.PERCENT: "A part", CouponKind.AMOUNT: "An amount", CouponKind.FREE_SHIPPING: "Free shipping"}
BASES = {Basis.VALUE: "What the things cost", Basis.WEIGHT: "What they weigh, in grams"}


class PercentField(StringField):
    """A percentage such as `19` or `8.875`. `thousandths` is what it comes to, once it was found right."""

    thousandths: int = 0

    def read(self) -> None:
        """Raises ValidationError for what is no percentage from 0 to 100."""
        text = (self.data or "").strip().rstrip("%").strip().replace(",", ".")
        if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", text, re.ASCII) or Decimal(text) > 100:
            raise ValidationError("Type a percentage from 0 to 100, such as 19 or 8.875.")
        self.thousandths = int(Decimal(text) * PERCENT)


def percent_text(thousandths: int) -> str:
    """A percentage as a person types it."""
    return f"{Decimal(thousandths) / PERCENT:f}"


class ZoneForm(FlaskForm):
    name = StringField("Name", filters=[one_line], validators=required("Type a name.", 80))
    places = TextAreaField("Places, such as US, US-CA or * for everywhere else", validators=[Length(max=4000)])

    @property
    def listed(self) -> list[str]:
        """The places, one by one, as they were typed."""
        return [each for each in re.split(r"[,;\s]+", self.places.data or "") if each]


class StepForm(Form):
    """A price of a shipping method, from a value or a weight on. A row without either is none."""

    measure = StringField("From", validators=[Length(max=20)])
    price = MoneyField("Price", validators=[Length(max=20)])


class MethodForm(FlaskForm):
    name = StringField("Name", filters=[one_line], validators=required("Type a name.", 60))
    estimate = StringField("How long it takes (optional)", filters=[one_line], validators=[Length(max=50)])
    basis = SelectField("Its price goes by")
    prices = FieldList(FormField(StepForm), min_entries=STEPS, max_entries=STEPS)
    free_from = MoneyField("Free from an order of (optional)", validators=[Optional()])
    position = WholeField("Place", 0, 10_000, "Type a whole number, the smallest comes first.")
    active = BooleanField("Offer it")

    def __init__(self, currency: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._currency = currency
        self.basis.choices = [(str(value), text) for value, text in BASES.items()]
        self.steps: list[tuple[int, int]] = []

    @classmethod
    def of(cls, method: ShippingZoneMethod) -> MethodForm:
        """The form with what the method has now."""
        currency = method.currency

        def measure(minor: int) -> str:
            return str(minor) if method.basis is Basis.WEIGHT else Money(minor, currency).plain

        now = {
            "name": method.name,
            "estimate": method.estimate,
            "basis": str(method.basis),
            "prices": [
                {"measure": measure(each.measure), "price": Money(each.price_minor, currency).plain}
                for each in method.prices
            ],
            "free_from": Money(method.free_from_minor, currency).plain if method.free_from_minor else "",
            "position": method.position,
            "active": method.active,
        }
        return cls(currency, formdata=None, data=now)

    def validate_free_from(self, field: MoneyField) -> None:
        field.read(self._currency)

    def validate_prices(self, field: FieldList[FormField[StepForm]]) -> None:
        """Each row that has something in it has both; one at least has."""
        rows = [row.form for row in field if row.form.measure.data or row.form.price.data]
        self.steps = [self._step(row) for row in rows]
        if not self.steps:
            raise ValidationError("Type a price: from 0 on, for every order.")
        if len({measure for measure, _price in self.steps}) < len(self.steps):
            raise ValidationError("Two prices begin at the same.")

    def values(self) -> MethodValues:
        """What was typed, once it is valid."""
        return MethodValues(
            self.name.data or "", self.estimate.data or "", Basis(self.basis.data), self.steps,
            self.free_from.minor or None, self.position.data or 0, self.active.data,
        )  # fmt: skip

    def _step(self, row: Any) -> tuple[int, int]:
        try:
            price = Money.read(row.price.data or "", self._currency).minor
            if self.basis.data == Basis.WEIGHT:
                return int(re.fullmatch(r"[0-9]{1,9}", (row.measure.data or "").strip())[0]), price  # type: ignore[index]  # caught below
            return Money.read(row.measure.data or "", self._currency).minor, price
        except (ValueError, TypeError):
            raise ValidationError(
                "In each row type from when it holds, such as 0 or 50.00 (whole grams for a weight), and a price."
            ) from None


class RateForm(FlaskForm):
    place = StringField("Country, or country and region: DE, US-CA", validators=required("Type a country.", 60))
    tax_class = SelectField("Class")
    name = StringField("Name", filters=[one_line], validators=required("Type a name, such as VAT.", 40))
    percent = PercentField("Percent", validators=required("Type a percentage.", 10), render_kw={"inputmode": "decimal"})
    included = BooleanField("Prices have it in them")
    reverse_charge = BooleanField("A business with a VAT number pays it by itself")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tax_class.choices = [(str(value), text) for value, text in TAX_CLASSES.items()]

    @classmethod
    def of(cls, rate: TaxRateRow) -> RateForm:
        """The form with what the rate is now."""
        now = {
            "place": place_text(rate.country, rate.region),
            "tax_class": str(rate.tax_class),
            "name": rate.name,
            "percent": percent_text(rate.thousandths),
            "included": rate.included,
            "reverse_charge": rate.reverse_charge,
        }
        return cls(formdata=None, data=now)

    def validate_percent(self, field: PercentField) -> None:
        field.read()

    def values(self) -> RateValues:
        """What was typed, once it is valid."""
        return RateValues(
            self.place.data or "", TaxClass(self.tax_class.data), self.name.data or "", self.percent.thousandths,
            self.included.data, self.reverse_charge.data,
        )  # fmt: skip


class CouponForm(FlaskForm):
    code = StringField("Code", validators=required("Type a code.", 40), render_kw={"autocapitalize": "characters"})
    kind = SelectField("Takes off")
    percent = PercentField("Percent", validators=[Optional(), Length(max=10)], render_kw={"inputmode": "decimal"})
    amount = MoneyField("Amount", validators=[Optional(), Length(max=20)], render_kw={"inputmode": "decimal"})
    minimum = MoneyField("For orders of at least (optional)", validators=[Optional(), Length(max=20)])
    first_day = DateField("From (optional)", validators=[Optional()])
    last_day = DateField("To, that day included (optional)", validators=[Optional()])
    max_uses = StringField("For how many orders (optional)", validators=[Length(max=10)])
    once_per_customer = BooleanField("Once for each customer")
    active = BooleanField("Take it")

    def __init__(self, currency: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._currency = currency
        self._uses: int | None = None
        self.amount.label.text = f"Amount in {currency.upper()}"
        self.kind.choices = [(str(value), text) for value, text in KINDS.items()]

    @classmethod
    def of(cls, coupon: CouponRow) -> CouponForm:
        """The form with what the coupon is now."""
        currency = coupon.currency
        amounts = {"amount": coupon.amount_minor, "minimum": coupon.minimum_minor}
        now = {
            **{name: Money(minor, currency).plain if minor else "" for name, minor in amounts.items()},
            "code": coupon.code,
            "kind": str(coupon.kind),
            "percent": percent_text(coupon.thousandths) if coupon.thousandths else "",
            "first_day": coupon.starts_at.date() if coupon.starts_at else None,
            "last_day": (coupon.ends_at - timedelta(microseconds=1)).date() if coupon.ends_at else None,
            "max_uses": str(coupon.max_uses) if coupon.max_uses is not None else "",
            "once_per_customer": coupon.once_per_customer,
            "active": coupon.active,
        }
        return cls(currency, formdata=None, data=now)

    def validate_kind(self, field: Field) -> None:
        """What the kind needs is there."""
        if field.data == CouponKind.PERCENT and not (self.percent.data or "").strip():
            raise ValidationError("Type how many percent it takes off.")
        if field.data == CouponKind.AMOUNT and not (self.amount.data or "").strip():
            raise ValidationError("Type how much it takes off.")

    def validate_percent(self, field: PercentField) -> None:
        field.read()

    def validate_amount(self, field: MoneyField) -> None:
        field.read(self._currency)

    def validate_minimum(self, field: MoneyField) -> None:
        field.read(self._currency)

    def validate_max_uses(self, field: Field) -> None:
        text = (field.data or "").strip()
        if text and not (re.fullmatch(r"[0-9]{1,10}", text, re.ASCII) and int(text) <= _MOST_USES):
            raise ValidationError("Type a whole number, or leave it empty for any number of orders.")
        self._uses = int(text) if text else None

    def validate_last_day(self, field: Field) -> None:
        if field.data and self.first_day.data and field.data < self.first_day.data:
            raise ValidationError("It ends before it begins.")

    def values(self) -> CouponValues:
        """What was typed, once it is valid. What its kind does not need is left out."""
        kind = CouponKind(self.kind.data)
        last = self.last_day.data
        return CouponValues(
            kind,
            self.percent.thousandths if kind is CouponKind.PERCENT else 0,
            self.amount.minor or None if kind is CouponKind.AMOUNT else None,
            self.minimum.minor or None,
            _begin_of(self.first_day.data),
            _begin_of(last + timedelta(days=1) if last else None),
            self.once_per_customer.data,
            self._uses,
            self.active.data,
        )


def _begin_of(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
