"""The forms of an order's page. Every message says what to type instead."""

from __future__ import annotations

import re

from flask import request
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import HiddenInput

from store.services.orders.fulfilment import LONGEST_CARRIER, LONGEST_TRACKING
from store.services.orders.reviews import LONGEST_NOTE
from store.services.payments.refunds import Choice, ChosenPieces


class ShipForm(FlaskForm):
    """`capture` is for an order whose card is authorised; nothing typed is all of it. With `leave_rest`, what is not
    charged and not in this parcel is not sent. `number` is that of the shipment, so that what two browsers send is sent
    once.
    """

    carrier = StringField("Carrier (optional)", validators=[Length(max=LONGEST_CARRIER)])
    tracking = StringField("Tracking number or address (optional)", validators=[Length(max=LONGEST_TRACKING)])
    number = HiddenField()
    disputed = BooleanField("Though it is disputed")
    capture = StringField("Charge only", validators=[Length(max=20)], render_kw={"inputmode": "decimal"})
    leave_rest = BooleanField("Send nothing else: the rest is not charged, and goes back into stock")


class RefundForm(FlaskForm):
    """Nothing typed is all that is left."""

    amount = StringField("Amount", validators=[Length(max=20)], render_kw={"inputmode": "decimal"})
    another = BooleanField("Besides the one that is not answered")


class ResolveForm(FlaskForm):
    """`review` is the id of the one that is resolved; left out, it is all that are open."""

    review = IntegerField(validators=[Optional()], widget=HiddenInput())
    note = StringField("What came of it", validators=[InputRequired(), Length(max=LONGEST_NOTE)])


def shipped_number() -> int | None:
    """Which shipment it is to be, where the form says so."""
    typed = request.form.get("number", "")
    return int(typed) if re.fullmatch(r"[0-9]{1,4}", typed, re.ASCII) else None


def shipped_pieces() -> dict[int, int] | None:
    """How many pieces are in the parcel, by the id of their product; None where the form does not ask. Raises
    ValueError for what is no number.
    """
    return _pieces("pieces") or None


def refund_choice() -> Choice:
    """What is to be refunded. Raises ValueError for what is no number."""
    pieces = [
        ChosenPieces(product_id, quantity, sent=sent, restock=f"restock-{kind}-{product_id}" in request.form)
        for kind, sent in (("unsent", False), ("sent", True))
        for product_id, quantity in _pieces(kind).items()
        if quantity
    ]
    return Choice(pieces, "shipping" in request.form)


def _pieces(kind: str) -> dict[int, int]:
    """What was typed into the fields of a kind."""
    found: dict[int, int] = {}
    for name, typed in request.form.items():
        if field := re.fullmatch(rf"{kind}-([0-9]{{1,9}})", name, re.ASCII):
            if not re.fullmatch(r"[0-9]{0,4}", typed.strip(), re.ASCII):
                raise ValueError(typed)
            found[int(field[1])] = int(typed.strip() or 0)
    return found
