"""The files that go with the answer to a dispute: the payment service keeps them, the store its names for them.

A file is given to the service first and noted then. A crash in between leaves a file there that nothing names; the same
file given again is the same one.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import Dispute, DisputeFile
from store.domain import evidence as rules
from store.domain.errors import NotFound, Subject
from store.domain.evidence import EvidenceKind
from store.services import staff_log
from store.services.payments import evidence
from store.services.services import Services
from store.services.staff_log import Actor


def add(
    services: Services, reference: str, provider_dispute_id: str, kind: EvidenceKind, content: bytes, actor: Actor
) -> None:
    """Have a file go with the answer to a dispute, in the place of another one of its `kind`.

    Raises NotFound, DisputeNotAnswered, EvidenceFileRefused; PaymentUnavailable and PaymentMisconfigured, after which
    the same may be added again.
    """
    with services.database.reading() as session:
        suffix = _check(session, reference, provider_dispute_id, kind, content)
    digest = hashlib.sha256(content).hexdigest()[:32]
    key = f"dispute-{provider_dispute_id}-{kind}-{digest}"
    provider_file_id = services.gateway.upload_evidence(f"{kind}.{suffix}", content, key)
    with services.database.transaction() as session:
        _lock(session, provider_dispute_id)
        _check(session, reference, provider_dispute_id, kind, content)
        file = DisputeFile(provider_dispute_id=provider_dispute_id, kind=kind, provider_file_id=provider_file_id)
        file.size, file.added_at = len(content), actor.at
        session.merge(file)
        _note(session, actor, "dispute.file_added", reference, provider_dispute_id, kind)


def remove(services: Services, reference: str, provider_dispute_id: str, kind: EvidenceKind, actor: Actor) -> None:
    """Have no file of a kind go with the answer. Raises NotFound and DisputeNotAnswered."""
    with services.database.transaction() as session:
        _lock(session, provider_dispute_id)
        evidence.find_unanswered(session, reference, provider_dispute_id)
        of_dispute = delete(DisputeFile).where(DisputeFile.provider_dispute_id == provider_dispute_id)
        removed = session.scalars(of_dispute.where(DisputeFile.kind == kind).returning(DisputeFile.kind))
        if removed.one_or_none() is None:
            raise NotFound(Subject.EVIDENCE_FILE)
        _note(session, actor, "dispute.file_removed", reference, provider_dispute_id, kind)


def _check(session: Session, reference: str, provider_dispute_id: str, kind: EvidenceKind, content: bytes) -> str:
    """The type of the file. Raises NotFound, DisputeNotAnswered and EvidenceFileRefused."""
    evidence.find_unanswered(session, reference, provider_dispute_id)
    others = [each.size for each in evidence.files_of(session, provider_dispute_id) if each.kind is not kind]
    return rules.check(content, sum(others))


def _lock(session: Session, provider_dispute_id: str) -> None:
    """Two files that are added at once are counted one after the other."""
    session.execute(select(Dispute.state).where(Dispute.provider_dispute_id == provider_dispute_id).with_for_update())


def _note(
    session: Session, actor: Actor, action: str, reference: str, provider_dispute_id: str, kind: EvidenceKind
) -> None:
    told = {"dispute": provider_dispute_id, "kind": kind.value}
    staff_log.add(session, actor.at, actor.name, action, reference, told)
