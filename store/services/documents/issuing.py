"""Issuing what an order needs: an invoice once it is paid, a credit note for each refund that succeeded.

It is all in one transaction: the order is locked first, then the series that is numbered. Whoever comes second finds
nothing to do, and what fails or is killed in between has used no number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from config import Settings
from models import Document, DocumentSeries, Order, Payment, Refund, RefundLine
from store.domain.documents import DocumentKind
from store.domain.money import Money
from store.domain.states import RefundState
from store.services import transitions
from store.services.documents import content
from store.services.history import insert_once
from store.services.payments.refunds.recording import FAILED
from store.services.services import Services


def can_issue(settings: Settings) -> bool:
    """Whether it is known who sells. Until then nothing is issued, and nothing is lost: it is issued afterwards."""
    return bool(settings.seller_address)


def due() -> ColumnElement[bool]:
    """Whether an order lacks a document. It may lack several."""
    invoice = exists().where(Document.order_id == Order.id, Document.kind == DocumentKind.INVOICE)
    note, cancellation = aliased(Document), aliased(Document)
    credited = exists().where(note.refund_id == Refund.id, note.cancels_id.is_(None))
    returned = exists().where(
        Payment.order_id == Order.id,
        Payment.live,
        Refund.payment_id == Payment.id,
        Refund.state == RefundState.SUCCEEDED,
        ~credited,
    )
    failed = exists().where(
        note.order_id == Order.id,
        note.refund_id == Refund.id,
        note.cancels_id.is_(None),
        Refund.state.in_(FAILED),
        ~exists().where(cancellation.cancels_id == note.id),
    )
    return and_(Order.paid_at.is_not(None), or_(~invoice, returned, failed))


def issue(services: Services, reference: str, now: datetime) -> None:
    """Issue what the order lacks; nothing where it lacks nothing. Raises NotFound."""
    if not can_issue(services.settings):
        return
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        if order.paid_at is not None:
            _Desk(session, services.settings, order, now).issue_all()


@dataclass
class _Desk:
    """Where the documents of one order are written, while it is locked."""

    session: Session
    settings: Settings
    order: Order
    now: datetime

    def issue_all(self) -> None:
        issued = list(
            self.session.scalars(select(Document).where(Document.order_id == self.order.id).order_by(Document.id))
        )
        invoice = next((each for each in issued if each.kind is DocumentKind.INVOICE), None)
        if invoice is None:
            written = content.of_invoice(self.order, self.settings)
            invoice = self._number(DocumentKind.INVOICE, content.charged(self.order), written)
        self._cancel_notes(issued)
        self._credit(invoice, issued)

    def _cancel_notes(self, issued: list[Document]) -> None:
        """Take back the credit notes of refunds that failed after they had succeeded."""
        cancelled = {each.cancels_id for each in issued}
        for note in [each for each in issued if each.refund_id is not None and each.cancels_id is None]:
            refund = self.session.get_one(Refund, note.refund_id)
            if refund.state in FAILED and note.id not in cancelled:
                total, written = Money(-note.total_minor, note.currency), content.of_cancellation(note)
                cancels = {"refund_id": note.refund_id, "cancels_id": note.id}
                issued.append(self._number(DocumentKind.CREDIT_NOTE, total, written, **cancels))

    def _credit(self, invoice: Document, issued: Sequence[Document]) -> None:
        """One for each refund of the payment that the invoice is about. The money of another payment was never
        invoiced.
        """
        credited = {each.refund_id for each in issued}
        before = [each for each in issued if each.kind is DocumentKind.CREDIT_NOTE]
        refunds = self.session.scalars(
            select(Refund)
            .where(Refund.payment_id == self.order.payment.id, Refund.state == RefundState.SUCCEEDED)
            .order_by(Refund.id)
        )
        for refund in refunds.all():
            if refund.id in credited:
                continue
            about = select(RefundLine).where(RefundLine.refund_id == refund.id).order_by(RefundLine.id)
            lines = self.session.scalars(about).all()
            written = content.of_credit_note(self.order, self.settings, invoice, refund, before, lines)
            amount = Money(refund.amount_minor, self.order.currency)
            before.append(self._number(DocumentKind.CREDIT_NOTE, amount, written, refund_id=refund.id))

    def _number(self, kind: DocumentKind, total: Money, written: content.Content, **about: Any) -> Document:
        """Issue a document under the next number of its series, which is locked until the transaction ends."""
        counted = (
            update(DocumentSeries)
            .where(DocumentSeries.kind == kind)
            .values(last_number=DocumentSeries.last_number + 1)
            .returning(DocumentSeries.last_number)
            .execution_options(synchronize_session=False)
        )
        number = self.session.scalar(counted)
        if number is None:
            insert_once(self.session, DocumentSeries, {"kind": kind, "last_number": 0})
            number = self.session.scalars(counted).one()
        document = Document(
            kind=kind,
            number=number,
            order_id=self.order.id,
            issued_at=self.now,
            currency=total.currency,
            total_minor=total.minor,
            content=written,
            **about,
        )
        self.session.add(document)
        self.session.flush()
        return document
