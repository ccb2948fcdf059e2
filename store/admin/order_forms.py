"""The forms of an order's page. Every message says what to type instead."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import HiddenInput

from store.services.orders.fulfilment import LONGEST_TRACKING
from store.services.orders.reviews import LONGEST_NOTE


class ShipForm(FlaskForm):
    """`capture` is for an order whose card is authorised; nothing typed is all of it."""

    tracking = StringField("Tracking number or address (optional)", validators=[Length(max=LONGEST_TRACKING)])
    disputed = BooleanField("Though it is disputed")
    capture = StringField("Charge only", validators=[Length(max=20)], render_kw={"inputmode": "decimal"})


class RefundForm(FlaskForm):
    """Nothing typed is all that is left."""

    amount = StringField("Amount", validators=[Length(max=20)], render_kw={"inputmode": "decimal"})
    another = BooleanField("Besides the one that is not answered")


class ResolveForm(FlaskForm):
    """`review` is the id of the one that is resolved; left out, it is all that are open."""

    review = IntegerField(validators=[Optional()], widget=HiddenInput())
    note = StringField("What came of it", validators=[InputRequired(), Length(max=LONGEST_NOTE)])
