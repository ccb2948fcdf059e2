"""The forms of keys for other programs. Every message says what to type instead."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import SelectMultipleField, StringField
from wtforms.validators import DataRequired, InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from store.admin.product_forms import one_line
from store.domain.api_keys import LONGEST_NAME, Scope

SCOPES = {
    Scope.ORDERS_READ: "See orders",
    Scope.ORDERS_WRITE: "Ship, refund and cancel orders",
    Scope.STOCK_READ: "See the stock",
    Scope.STOCK_WRITE: "Correct the stock",
}


def ticks(label: str, choices: dict[Any, str], message: str) -> SelectMultipleField:
    """A box to tick for each choice, of which one has to be ticked."""
    return SelectMultipleField(
        label,
        choices={str(value): text for value, text in choices.items()},
        validators=[InputRequired(message)],
        widget=ListWidget(),
        option_widget=CheckboxInput(),
    )


class KeyForm(FlaskForm):
    name = StringField(
        "Name of the program",
        filters=[one_line],
        validators=[
            DataRequired("Say what the key is for, such as “Warehouse”."),
            Length(max=LONGEST_NAME, message=f"At most {LONGEST_NAME} characters."),
        ],
    )
    scopes = ticks("It may", SCOPES, "Tick what the program may do.")

    def chosen(self) -> list[Scope]:
        return [Scope(value) for value in self.scopes.data or []]
