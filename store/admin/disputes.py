"""Disputes: the evidence is drafted from the order, read by a person, and handed to the bank; or the money is left."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from store.admin import guard
from store.admin.forms import ButtonForm
from store.admin.presentation.evidence import draft
from store.admin.presentation.orders import dispute_state
from store.admin.presentation.stripe_links import stripe_links
from store.domain.money import Money
from store.domain.staff import Role
from store.gateway.port import DisputeEvidence
from store.services.orders import whole
from store.services.payments import evidence
from store.services.payments.disputes import UNANSWERED
from store.web.current import now, services

blueprint = Blueprint("disputes", __name__, url_prefix="/orders")

LONGEST = 20_000  # characters of a text, as Stripe takes them


def _text(label: str, *more: Any) -> TextAreaField:
    return TextAreaField(label, validators=[*more, Length(max=LONGEST, message=f"At most {LONGEST} characters.")])


class EvidenceForm(FlaskForm):
    explanation = _text("What happened", DataRequired("Say why the payment was right."))
    product_description = _text("What was bought")
    customer_name = StringField("Customer", validators=[Length(max=500)])
    customer_email = StringField("E-mail", validators=[Length(max=500)])
    billing_address = _text("Billed to")
    shipping_address = _text("Shipped to")
    shipped_on = StringField("Shipped on", validators=[Length(max=100)])
    tracking = StringField("Tracking", validators=[Length(max=500)])
    read = BooleanField(
        "I have read all of it. It can be sent only once.",
        validators=[DataRequired("Read it, and say so: it can be sent only once.")],
    )

    def evidence(self) -> DisputeEvidence:
        """What was typed, once it is valid."""
        texts = {field.name: field.data for field in self if field.name in DisputeEvidence.__slots__}
        return DisputeEvidence(**{name: (text or "").replace("\r\n", "\n").strip() for name, text in texts.items()})


@blueprint.route("/<reference:reference>/disputes/<dispute_id>", methods=["GET", "POST"])
@guard.allowed(Role.SERVICE)
def answer(reference: str, dispute_id: str) -> ResponseReturnValue:
    """The evidence, as far as the store knows it, and what sends it. Raises NotFound and DisputeNotAnswered."""
    with services().database.reading() as session:
        found = evidence.find(session, reference, dispute_id)
        order = whole.read(session, reference)
    known = draft(order, found)
    drafted = {name: getattr(known, name) for name in DisputeEvidence.__slots__}
    form = EvidenceForm() if request.method == "POST" else EvidenceForm(formdata=None, data=drafted)
    if form.validate_on_submit():
        evidence.submit(services(), reference, dispute_id, form.evidence(), guard.origin())
        flash("The evidence is with the bank, which decides within some weeks.")
        return redirect(url_for("orders.show", reference=reference), 303)
    return render_template(
        "admin/dispute.html",
        order=order.order,
        dispute=found,
        state=dispute_state(found),
        amount=Money(found.amount_minor, order.order.currency).text(),
        open=found.state in UNANSWERED,
        form=form,
        button=ButtonForm(formdata=None),
        stripe=stripe_links(services().settings),
        now=now(),
    ), 400 if form.is_submitted() else 200


@blueprint.post("/<reference:reference>/disputes/<dispute_id>/accept")
@guard.allowed(Role.SERVICE)
def accept(reference: str, dispute_id: str) -> ResponseReturnValue:
    """Leave the money with the cardholder."""
    evidence.accept(services(), reference, dispute_id, guard.origin())
    flash("The dispute is accepted: the money stays with the cardholder.")
    return redirect(url_for("orders.show", reference=reference), 303)
