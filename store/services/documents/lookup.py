"""Documents read back, for whoever may see their order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Document
from store.domain.documents import DocumentKind
from store.domain.errors import NotFound, Subject
from store.services import orders
from store.services.documents import issuing
from store.services.orders import Access
from store.services.services import Services


def of_order(session: Session, order_id: int) -> Sequence[Document]:
    """What was issued for an order so far, the oldest first: its invoice, then what was credited."""
    return session.scalars(select(Document).where(Document.order_id == order_id).order_by(Document.id)).all()


def invoice_of(services: Services, reference: str, access: Access, now: datetime) -> Document:
    """The invoice of an order that was paid; it is issued now where the worker has not come to it yet. Raises NotFound,
    also where the order is not paid.
    """
    with services.database.reading() as session:
        order = orders.peek(session, reference, access)
        invoice = _invoice(session, order.id)
    if invoice is None:
        issuing.issue(services, reference, now)
        with services.database.reading() as session:
            invoice = _invoice(session, order.id)
    if invoice is None:
        raise NotFound(Subject.DOCUMENT)
    return invoice


def find(session: Session, reference: str, number: int, access: Access) -> Document:
    """A credit note of an order. Raises NotFound."""
    order = orders.peek(session, reference, access)
    found = session.scalars(
        select(Document).where(
            Document.order_id == order.id, Document.kind == DocumentKind.CREDIT_NOTE, Document.number == number
        )
    ).one_or_none()
    if found is None:
        raise NotFound(Subject.DOCUMENT)
    return found


def _invoice(session: Session, order_id: int) -> Document | None:
    invoice = select(Document).where(Document.order_id == order_id, Document.kind == DocumentKind.INVOICE)
    return session.scalars(invoice).one_or_none()
