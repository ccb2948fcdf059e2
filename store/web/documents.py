"""Invoices and credit notes of an order, as a page and as PDF, for whoever may see the order."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from models import Document
from store.domain.documents import DocumentKind
from store.services import documents
from store.services.orders import Access
from store.web.current import now, services
from store.web.identity import access
from store.web.presentation.document_pdf import GlyphsMissing, render
from store.web.presentation.documents import sheet

blueprint = Blueprint("documents", __name__, url_prefix="/orders")


@blueprint.get("/<reference:reference>/invoice")
def invoice(reference: str) -> ResponseReturnValue:
    """The invoice of a paid order, and what was credited since."""
    return page("document.html", documents.invoice_of(services(), reference, access(), now()), reference)


@blueprint.get("/<reference:reference>/invoice.pdf")
def invoice_pdf(reference: str) -> ResponseReturnValue:
    return pdf(documents.invoice_of(services(), reference, access(), now()), reference)


@blueprint.get("/<reference:reference>/credit-notes/<int:number>")
def credit_note(reference: str, number: int) -> ResponseReturnValue:
    return page("document.html", find(reference, number, access()), reference)


@blueprint.get("/<reference:reference>/credit-notes/<int:number>.pdf")
def credit_note_pdf(reference: str, number: int) -> ResponseReturnValue:
    return pdf(find(reference, number, access()), reference)


def find(reference: str, number: int, asks: Access) -> Document:
    """A credit note of an order. Raises NotFound."""
    with services().database.reading() as session:
        return documents.find(session, reference, number, asks)


def page(template: str, document: Document, reference: str) -> ResponseReturnValue:
    """A document as a page, on which the others of its order are named."""
    with services().database.reading() as session:
        others = documents.of_order(session, document.order_id)
    return render_template(
        template,
        sheet=sheet(document),
        reference=reference,
        others=[(each, address(each, reference)) for each in others if each.id != document.id],
        pdf_address=address(document, reference, pdf=True),
        without_pdf="without-pdf" in request.args,
    ), 200


def pdf(document: Document, reference: str) -> ResponseReturnValue:
    """A document as a file; where our font lacks some of its letters, the page, which a browser can print."""
    try:
        file = render(sheet(document), document.issued_at)
    except GlyphsMissing:
        return redirect(f"{address(document, reference)}?without-pdf=1", 303)
    headers = {"Content-Disposition": f'inline; filename="{document.name}.pdf"'}
    return Response(file, mimetype="application/pdf", headers=headers)


def address(document: Document, reference: str, *, pdf: bool = False) -> str:
    """Where a document is."""
    ending = "_pdf" if pdf else ""
    if document.kind is DocumentKind.INVOICE:
        return url_for(f"documents.invoice{ending}", reference=reference)
    return url_for(f"documents.credit_note{ending}", reference=reference, number=document.number)
