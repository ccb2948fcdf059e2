"""What must hold between orders, refunds and documents: rules of the audit, each a statement that finds violations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import Document, DocumentMark, DocumentSeries, HistoryEntry, Order, Payment, Refund
from store.domain.documents import DocumentKind
from store.domain.states import RefundState
from store.services.documents.due import EVENTS
from store.services.findings import Finding

# How long the worker may be behind.
LATE = timedelta(minutes=15)

Among = Callable[[InstrumentedAttribute[int]], ColumnElement[bool]]


def wrong_invoice(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    """An invoice is of what came in for its order, and of an order that was paid."""
    differs = or_(
        Document.total_minor != Payment.received_minor, Document.currency != Order.currency, Order.paid_at.is_(None)
    )
    query = select(Order.reference).join(Order.payment).join(Document, Document.order_id == Order.id)
    query = query.where(among(Order.id), among(Payment.order_id), _invoice(among), differs)
    return _found(session, query, "invoice_differs")


def no_invoice(session: Session, now: datetime, among: Among) -> Iterator[Finding]:
    """Every order that was paid since invoices are issued has one, but for the last minutes."""
    mark = session.get(DocumentMark, 1)
    if mark is None:
        return  # none were issued yet
    query = select(Order.reference).where(
        among(Order.id), Order.paid_at >= mark.since, Order.paid_at < now - LATE, ~_has_invoice(among)
    )
    yield from _found(session, query, "invoice_missing")


def wrong_credit(session: Session, now: datetime, among: Among) -> Iterator[Finding]:
    """What was credited is what was returned, but for what happened in the last minutes."""
    credited = (
        select(func.coalesce(func.sum(Document.total_minor), 0))
        .where(Document.order_id == Order.id, Document.kind == DocumentKind.CREDIT_NOTE)
        .scalar_subquery()
    )
    returned = (
        select(func.coalesce(func.sum(Refund.amount_minor), 0))
        .where(Refund.payment_id == Payment.id, Refund.state == RefundState.SUCCEEDED)
        .scalar_subquery()
    )
    lately = exists().where(
        HistoryEntry.order_id == Order.id,
        among(HistoryEntry.order_id),
        HistoryEntry.type.in_(EVENTS),
        HistoryEntry.at >= now - LATE,
    )
    query = select(Order.reference).join(Order.payment).where(among(Order.id), among(Payment.order_id))
    return _found(session, query.where(_has_invoice(among), ~lately, credited != returned), "credit_differs")


def wrong_numbers(session: Session, _now: datetime) -> Iterator[Finding]:
    """Each series is 1 to its last number: as many documents as that, none of which can be there twice."""
    issued = (
        select(Document.kind, func.count().label("documents"), func.max(Document.number).label("highest"))
        .group_by(Document.kind)
        .subquery()
    )
    last, documents = DocumentSeries.last_number, func.coalesce(issued.c.documents, 0)
    query = (
        select(DocumentSeries.kind, last, documents.label("documents"))
        .outerjoin(issued, issued.c.kind == DocumentSeries.kind)
        .where(or_(documents != last, func.coalesce(issued.c.highest, 0) != last))
        .order_by(DocumentSeries.kind)
    )
    for row in session.execute(query):
        data = {"last": row.last_number, "documents": row.documents}
        yield Finding(f"series {row.kind}", "numbers_missing", data)


def _invoice(among: Among) -> ColumnElement[bool]:
    return among(Document.order_id) & (Document.kind == DocumentKind.INVOICE)


def _has_invoice(among: Among) -> ColumnElement[bool]:
    return exists().where(Document.order_id == Order.id, _invoice(among))


def _found(session: Session, query: Select[str], code: str) -> Iterator[Finding]:
    for reference in session.scalars(query.order_by(Order.id)):
        yield Finding(f"order {reference}", code)
