"""The small forms of a shop: how many, and buttons. Every message says what to type instead."""

from __future__ import annotations

import re

from flask_wtf import FlaskForm
from wtforms import IntegerField
from wtforms.validators import NumberRange

from store.services.carts import MOST

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
