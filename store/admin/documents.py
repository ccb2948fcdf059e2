"""Invoices and credit notes, for the staff."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from store.admin import guard
from store.domain.staff import Role
from store.services import documents
from store.services.orders import STAFF
from store.web import documents as shown
from store.web.current import now, services

blueprint = Blueprint("documents", __name__, url_prefix="/orders")
TEMPLATE = "admin/document.html"


@blueprint.get("/<reference:reference>/invoice")
@guard.allowed(Role.PACKING)
def invoice(reference: str) -> ResponseReturnValue:
    """The invoice of a paid order: it may go into the parcel."""
    return shown.page(TEMPLATE, documents.invoice_of(services(), reference, STAFF, now()), reference)


@blueprint.get("/<reference:reference>/invoice.pdf")
@guard.allowed(Role.PACKING)
def invoice_pdf(reference: str) -> ResponseReturnValue:
    return shown.pdf(documents.invoice_of(services(), reference, STAFF, now()), reference)


@blueprint.get("/<reference:reference>/credit-notes/<int:number>")
@guard.allowed(Role.PACKING)
def credit_note(reference: str, number: int) -> ResponseReturnValue:
    return shown.page(TEMPLATE, shown.find(reference, number, STAFF), reference)


@blueprint.get("/<reference:reference>/credit-notes/<int:number>.pdf")
@guard.allowed(Role.PACKING)
def credit_note_pdf(reference: str, number: int) -> ResponseReturnValue:
    return shown.pdf(shown.find(reference, number, STAFF), reference)
