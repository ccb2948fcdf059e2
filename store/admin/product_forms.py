"""The forms of the catalogue. Every message says what to type instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, ValidationError

from models import Category, Product
from store.domain.contacts import tidy
from store.domain.money import Money, smallest_step
from store.domain.pricing import MAXIMUM_CHARGE, TaxClass
from store.services.products import LONGEST_SLUG, MOST_PIECES, ProductValues

TAX_CLASSES = {TaxClass.STANDARD: "Standard", TaxClass.REDUCED: "Reduced", TaxClass.NONE: "None"}
_MOST_GRAMS = 1_000_000


def one_line(text: str | None) -> str | None:
    return tidy(text) if text else text


def required(message: str, longest: int) -> list[Any]:
    return [DataRequired(message), Length(max=longest, message=f"At most {longest} characters.")]


class WholeField(IntegerField):
    """A whole number; whatever else is typed gets the same `message` as one that is too small or too great."""

    def __init__(self, label: str, first: int, last: int, message: str, **kwargs: Any) -> None:
        rules = [InputRequired(message), NumberRange(first, last, message)]
        super().__init__(label, validators=rules, **kwargs)
        self._message = message

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(self._message) from None


class MoneyField(StringField):
    """An amount as a person types it. `minor` is what it comes to, once it was found right."""

    minor: int = 0

    def read(self, currency: str) -> None:
        """Raises ValidationError for what is no amount of the currency."""
        example = Money(1200 * smallest_step(currency), currency).plain
        try:
            money = Money.read(self.data or "", currency)
        except ValueError:
            raise ValidationError(f"Type an amount such as {example}.") from None
        if money.minor % smallest_step(currency) or money.minor > MAXIMUM_CHARGE:
            raise ValidationError(f"Type an amount such as {example}.")
        self.minor = money.minor


class ProductForm(FlaskForm):
    """The fields of a product, or of a new one where there is no `product`."""

    name = StringField("Name", filters=[one_line], validators=required("Type a name.", 120))
    slug = StringField(
        "Address, after /products/",
        filters=[one_line],
        validators=[Optional(), Length(max=LONGEST_SLUG, message=f"At most {LONGEST_SLUG} characters.")],
        render_kw={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"},
    )
    summary = StringField("Summary", filters=[one_line], validators=required("Say it in one line.", 200))
    description = TextAreaField("Description", validators=required("Describe it.", 10_000))
    alt = StringField("What the picture shows", filters=[one_line], validators=required("Say what is seen.", 300))
    price = MoneyField("Price", validators=[InputRequired("Type a price.")], render_kw={"inputmode": "decimal"})
    category = SelectField("Category", coerce=int)
    position = WholeField("Place among all products", 0, 1_000_000, "Type a whole number, the smallest comes first.")
    weight = WholeField("Weight in grams", 0, _MOST_GRAMS, "Type whole grams, up to a tonne.")
    shippable = BooleanField("It is sent in a parcel")
    hidden = BooleanField("Hide it from shoppers")
    tax_class = SelectField("Tax class")

    def __init__(
        self, currency: str, categories: Sequence[Category], product: Product | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._currency, self._product = currency, product
        if product is None or not product.is_drawn:
            del self.alt  # a picture that was uploaded has words of its own
        self.price.label.text = f"Price in {currency.upper()}"
        self.category.choices = [(0, "None"), *((category.id, category.name) for category in categories)]
        self.tax_class.choices = [(str(value), text) for value, text in TAX_CLASSES.items()]

    @classmethod
    def of(cls, product: Product, categories: Sequence[Category]) -> ProductForm:
        """The form with what the product has now."""
        same = ("name", "slug", "summary", "description", "alt", "position", "shippable", "hidden")
        now = {
            **{name: getattr(product, name) for name in same},
            "price": product.price.plain,
            "category": product.category_id or 0,
            "weight": product.weight_grams,
            "tax_class": str(product.tax_class),
        }
        return cls(product.currency, categories, product, formdata=None, data=now)

    def validate_price(self, field: MoneyField) -> None:
        field.read(self._currency)
        if not field.minor:
            raise ValidationError("A price is above nothing. For a gift, make a coupon.")

    def values(self) -> ProductValues:
        """What was typed, once it is valid."""
        return ProductValues(
            name=self.name.data or "",
            slug=self.slug.data or "",
            summary=self.summary.data or "",
            description=(self.description.data or "").replace("\r\n", "\n").strip(),
            alt=self._alt,
            price_minor=self.price.minor,
            category_id=self.category.data or None,
            position=self.position.data or 0,
            weight_grams=self.weight.data or 0,
            shippable=self.shippable.data,
            hidden=self.hidden.data if "hidden" in self else True,
            tax_class=TaxClass(self.tax_class.data),
        )

    @property
    def _alt(self) -> str:
        """What the picture shows: what was typed, where it is asked for, or else as it was."""
        if "alt" in self:
            return self.alt.data or ""
        return self._product.alt if self._product is not None else ""


class NewProductForm(ProductForm):
    """It is hidden until somebody has looked at it."""

    hidden = None  # type: ignore[assignment]
    stock = WholeField("Pieces in stock", 0, MOST_PIECES, "Type how many pieces there are, such as 12, or 0.")
    reason = StringField(
        "Where they come from",
        filters=[one_line],
        validators=required("Say where they come from, such as “opening stock”.", 120),
    )


class StockForm(FlaskForm):
    by = WholeField(
        "Pieces more, or fewer with a minus",
        -MOST_PIECES,
        MOST_PIECES,
        "Type how many pieces more, such as 12, or fewer, such as -2.",
    )
    reason = StringField(
        "Reason", filters=[one_line], validators=required("Say why, such as “delivery” or “broken”.", 120)
    )

    def validate_by(self, field: Field) -> None:
        if not field.data:
            raise ValidationError("Nothing more and nothing fewer is no correction.")


class CategoryForm(FlaskForm):
    name = StringField("Name", filters=[one_line], validators=required("Type a name.", 60))
    position = IntegerField("Place", validators=[Optional(), NumberRange(0, 10_000, "Type a whole number.")])
