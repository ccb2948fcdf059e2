"""What must hold between orders, refunds and documents: rules of the audit, each a statement that finds violations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from models import Document, DocumentMark, DocumentSeries, HistoryEntry, Order, Payment, Refund
from store.domain.documents import DocumentKind, document_name
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
    return _orders(session, query, "invoice_differs")


def no_invoice(session: Session, now: datetime, among: Among) -> Iterator[Finding]:
    """Every order that was paid since invoices are issued has one, but for the last minutes."""
    mark = session.get(DocumentMark, 1)
    if mark is None:
        return  # none were issued yet
    query = select(Order.reference).where(
        among(Order.id), Order.paid_at >= mark.since, Order.paid_at < now - LATE, ~_has_invoice(among)
    )
    yield from _orders(session, query, "invoice_missing")


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
    return _orders(session, query.where(_has_invoice(among), ~lately, credited != returned), "credit_differs")


def number_before_missing(session: Session, _now: datetime, among: Among) -> Iterator[Finding]:
    """Before each number of a series there is the one before it."""
    before = aliased(Document)
    found = exists().where(before.kind == Document.kind, before.number == Document.number - 1)
    query = select(Document).where(among(Document.order_id), Document.number > 1, ~found)
    for document in session.scalars(query.order_by(Document.kind, Document.number)):
        yield Finding(f"document {document.name}", "number_before_missing")


def last_number_missing(session: Session, _now: datetime) -> Iterator[Finding]:
    """The last number that was counted is there, too. So a series is 1, 2, 3 … up to it."""
    found = exists().where(Document.kind == DocumentSeries.kind, Document.number == DocumentSeries.last_number)
    query = select(DocumentSeries).where(DocumentSeries.last_number > 0, ~found).order_by(DocumentSeries.kind)
    for series in session.scalars(query):
        yield Finding(f"document {document_name(series.kind, series.last_number)}", "last_number_missing")


def _invoice(among: Among) -> ColumnElement[bool]:
    return among(Document.order_id) & (Document.kind == DocumentKind.INVOICE)


def _has_invoice(among: Among) -> ColumnElement[bool]:
    return exists().where(Document.order_id == Order.id, _invoice(among))


def _orders(session: Session, query: Select[str], code: str) -> Iterator[Finding]:
    for reference in session.scalars(query.order_by(Order.id)):
        yield Finding(f"order {reference}", code)
