"""Answering a dispute: the merchant's evidence is handed to the cardholder's bank, or the money is left with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Dispute, DisputeFile, Order
from store.domain.errors import DisputeNotAnswered, NotFound, Subject
from store.domain.evidence import EvidenceKind
from store.domain.states import DisputeState
from store.gateway.port import DisputeEvidence, DisputeSnapshot
from store.services import history, transitions
from store.services.history import Origin
from store.services.payments import disputes
from store.services.services import Services


def find(session: Session, reference: str, provider_dispute_id: str) -> Dispute:
    """A dispute of an order. Raises NotFound."""
    of_order = select(Dispute).join(Dispute.payment).join(Order)
    wanted = of_order.where(Order.reference == reference, Dispute.provider_dispute_id == provider_dispute_id)
    found = session.scalars(wanted).one_or_none()
    if found is None:
        raise NotFound(Subject.DISPUTE)
    return found


def find_unanswered(session: Session, reference: str, provider_dispute_id: str) -> Dispute:
    """The same. Raises DisputeNotAnswered for one that takes no answer any more, too."""
    found = find(session, reference, provider_dispute_id)
    if found.state not in disputes.UNANSWERED:
        raise DisputeNotAnswered
    return found


def files_of(session: Session, provider_dispute_id: str) -> Sequence[DisputeFile]:
    """The files that go with the answer to a dispute, in the order of their kinds."""
    of_dispute = select(DisputeFile).where(DisputeFile.provider_dispute_id == provider_dispute_id)
    return sorted(session.scalars(of_dispute), key=lambda each: list(EvidenceKind).index(each.kind))


def submit(
    services: Services, reference: str, provider_dispute_id: str, evidence: DisputeEvidence, origin: Origin
) -> DisputeState:
    """Hand evidence and its files to the bank, once however often it is submitted; what the payment service answers is
    recorded.

    Raises NotFound; DisputeNotAnswered for a dispute that takes no answer any more; PaymentUnavailable and
    PaymentMisconfigured, after which the same may be submitted again.
    """
    with services.database.reading() as session:
        find_unanswered(session, reference, provider_dispute_id)
        files = {each.kind: each.provider_file_id for each in files_of(session, provider_dispute_id)}
    digest = hashlib.sha256(repr((evidence, files)).encode()).hexdigest()[:32]
    key = f"dispute-{provider_dispute_id}-answer-{digest}"
    snapshot = services.gateway.answer_dispute(provider_dispute_id, evidence, files, key)
    return _record(services, snapshot, "dispute.answered", origin)


def accept(services: Services, reference: str, provider_dispute_id: str, origin: Origin) -> DisputeState:
    """Leave the money with the cardholder. Raises as `submit` does."""
    with services.database.reading() as session:
        find_unanswered(session, reference, provider_dispute_id)
    snapshot = services.gateway.accept_dispute(provider_dispute_id)
    return _record(services, snapshot, "dispute.accepted", origin)


def _record(services: Services, snapshot: DisputeSnapshot, event: str, origin: Origin) -> DisputeState:
    with services.database.transaction() as session:
        found = transitions.lock_payment(session, snapshot.provider_payment_id)
        if found is None:
            raise NotFound(Subject.DISPUTE)
        order, payment = found
        history.add(session, order, event, origin, data={"dispute": snapshot.provider_dispute_id})
        disputes.record_of(session, order, payment, snapshot, origin)
        return session.scalars(
            select(Dispute.state).where(Dispute.provider_dispute_id == snapshot.provider_dispute_id)
        ).one()
