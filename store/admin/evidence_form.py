"""The form that answers a dispute: what a person says, and files. Every message says what to do instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import BooleanField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from store.domain.evidence import EvidenceKind
from store.gateway.port import DisputeEvidence

LONGEST = 20_000  # characters of a text, as Stripe takes them


def _text(label: str, *more: Any) -> TextAreaField:
    return TextAreaField(label, validators=[*more, Length(max=LONGEST, message=f"At most {LONGEST} characters.")])


def _file(label: str) -> FileField:
    return FileField(label, render_kw={"accept": "application/pdf,image/jpeg,image/png"})


class EvidenceForm(FlaskForm):
    explanation = _text("What happened", DataRequired("Say why the payment was right."))
    product_description = _text("What was bought")
    customer_name = StringField("Customer", validators=[Length(max=500)])
    customer_email = StringField("E-mail", validators=[Length(max=500)])
    billing_address = _text("Billed to")
    shipping_address = _text("Shipped to")
    shipped_on = StringField("Shipped on", validators=[Length(max=100)])
    tracking = StringField("Tracking", validators=[Length(max=500)])
    receipt = _file("Receipt")
    communication = _file("Messages with the customer")
    shipping = _file("Proof of shipping")
    service = _file("Proof of a service")
    other = _file("Another file")
    read = BooleanField(
        "I have read all of it. It can be sent only once.",
        validators=[DataRequired("Read it, and say so: it can be sent only once.")],
    )

    def evidence(self) -> DisputeEvidence:
        """What was typed, once it is valid."""
        texts = {field.name: field.data for field in self if field.name in DisputeEvidence.__slots__}
        return DisputeEvidence(**{name: (text or "").replace("\r\n", "\n").strip() for name, text in texts.items()})

    def of_kind(self, kind: EvidenceKind) -> FileField:
        """The field for files of a kind, which is named as the kind is."""
        field: FileField = getattr(self, kind.value)
        return field

    def chosen(self) -> Iterator[tuple[EvidenceKind, bytes]]:
        """The files that were chosen, by their kinds."""
        for kind in EvidenceKind:
            file = self.of_kind(kind).data
            if file:
                yield kind, file.read()

    def forget_mistakes(self) -> None:
        """Leave for later what is missing or too long: only files are being added."""
        for field in self:
            if not isinstance(field, FileField):
                field.errors = ()
