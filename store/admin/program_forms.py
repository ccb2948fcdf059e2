"""The forms of other programs: of their keys, and of their endpoints. Every message says what to type instead."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from models import Endpoint
from store.admin.product_forms import one_line
from store.domain.api_keys import LONGEST_NAME, Scope
from store.domain.endpoints import LONGEST_URL, Fact

SCOPES = {
    Scope.ORDERS_READ: "See orders",
    Scope.ORDERS_WRITE: "Ship, refund and cancel orders",
    Scope.STOCK_READ: "See the stock",
    Scope.STOCK_WRITE: "Correct the stock",
}
FACTS = {
    Fact.ORDER_PAID: "An order is paid (order.paid)",
    Fact.ORDER_SHIPPED: "An order is shipped (order.shipped)",
    Fact.ORDER_REFUNDED: "Money of an order is returned (order.refunded)",
    Fact.REVIEW_OPENED: "An order waits for a person (review.opened)",
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


class EndpointForm(FlaskForm):
    url = StringField(
        "Address",
        filters=[lambda typed: typed.strip() if typed else typed],
        validators=[
            DataRequired("Type an address such as https://example.com/till."),
            Length(max=LONGEST_URL, message=f"At most {LONGEST_URL} characters."),
        ],
        render_kw={"inputmode": "url", "spellcheck": "false", "autocapitalize": "none"},
    )
    facts = ticks("It is told when", FACTS, "Tick of what it is told.")
    active = BooleanField("It is told")

    @classmethod
    def of(cls, endpoint: Endpoint) -> EndpointForm:
        """The form with what the endpoint has now."""
        now = {"url": endpoint.url, "facts": endpoint.facts, "active": endpoint.active}
        return cls(formdata=None, data=now)

    @property
    def address(self) -> str:
        return self.url.data or ""

    def chosen(self) -> list[Fact]:
        return [Fact(value) for value in self.facts.data or []]
