"""Requests of programs that change something, each done once however often it is sent, under the idempotency key that
the program has chosen for it: see the IETF's draft "The Idempotency-Key HTTP Header Field".

What is asked is written first, with a name of its own from which the keys of whatever follows are derived; then it is
done; then the answer is written. A request that was not answered is done again after a crash, and has to be such that
this changes nothing: a refund has its own key, an order is shipped or cancelled once, and pieces of stock are counted
in the transaction that writes the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models import ApiRequest
from store.domain.errors import RepetitionRefusal, RepetitionRefused
from store.services.history import unless_there
from store.services.services import Services

KEPT = timedelta(hours=24)
# A request is left to who works on it for this long: several times as long as one may take.
CLAIM = timedelta(minutes=1)
LONGEST_KEY = 255  # characters


@dataclass(frozen=True, slots=True)
class ClaimedRequest:
    """A request that is ours to work on; `name` is the same each time that it is worked on, and no other has it."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What was answered to a request: a status of HTTP and a body."""

    status: int
    body: str


def begin(
    services: Services, api_key_id: int, idempotency_key: str | None, fingerprint: str, now: datetime
) -> ClaimedRequest | GivenAnswer:
    """Take a request that is to be worked on, or the answer that it got before. `fingerprint` stands for all that is
    asked.

    Raises RepetitionRefused: there is no usable key, another request came with it, or somebody is at this one.
    """
    _check(idempotency_key)
    row = {
        "api_key_id": api_key_id,
        "idempotency_key": idempotency_key,
        "fingerprint": fingerprint,
        "name": uuid4().hex,
        "began_at": now,
        "claimed_until": now + CLAIM,
    }
    with services.database.transaction() as session:
        new = session.scalar(unless_there(session, ApiRequest, row).returning(ApiRequest.id))
        if new is not None:
            return ClaimedRequest(new, str(row["name"]))
        same = (ApiRequest.api_key_id == api_key_id, ApiRequest.idempotency_key == idempotency_key)
        known = session.scalars(select(ApiRequest).where(*same).with_for_update()).one()
        if known.fingerprint != fingerprint:
            raise RepetitionRefused(RepetitionRefusal.KEY_OF_ANOTHER_REQUEST)
        if known.status is not None:
            return GivenAnswer(known.status, known.answer or "")
        if known.claimed_until is not None and known.claimed_until > now:
            raise RepetitionRefused(RepetitionRefusal.IN_PROGRESS)
        known.claimed_until = now + CLAIM
        return ClaimedRequest(known.id, known.name)


def is_open(session: Session, claimed: ClaimedRequest) -> bool:
    """Whether a request is still not answered; it stays so until the transaction ends."""
    row = session.scalars(select(ApiRequest).where(ApiRequest.id == claimed.id).with_for_update()).one_or_none()
    return row is not None and row.status is None


def finish(session: Session, claimed: ClaimedRequest, answer: GivenAnswer) -> None:
    """Write the answer, unless there is one."""
    unanswered = update(ApiRequest).where(ApiRequest.id == claimed.id, ApiRequest.status.is_(None))
    session.execute(unanswered.values(status=answer.status, answer=answer.body, claimed_until=None))


def give_back(session: Session, claimed: ClaimedRequest) -> None:
    """Let the request be tried again at once: it could not be done now."""
    session.execute(update(ApiRequest).where(ApiRequest.id == claimed.id).values(claimed_until=None))


def forget(session: Session, now: datetime) -> None:
    """Delete what is older than a day."""
    session.execute(delete(ApiRequest).where(ApiRequest.began_at <= now - KEPT))


def _check(idempotency_key: str | None) -> None:
    if not idempotency_key:
        raise RepetitionRefused(RepetitionRefusal.KEY_MISSING)
    visible = idempotency_key.isascii() and idempotency_key.isprintable() and " " not in idempotency_key
    if not visible or len(idempotency_key) > LONGEST_KEY:
        raise RepetitionRefused(RepetitionRefusal.KEY_INVALID)
