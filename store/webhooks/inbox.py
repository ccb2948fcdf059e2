"""The inbox: each event is remembered once, handed over, and marked done together with its effects.

The second delivery of an event finds it done. When handling fails, nothing of it stays but the reason, and the caller
answers 5xx so that Stripe delivers again.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import structlog
from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import WebhookEvent
from store.domain.errors import StoreBusy
from store.gateway.port import Notice
from store.services.ledger import Teller, Told
from store.services.till import Till
from store.webhooks.handlers import HANDLERS

log = structlog.get_logger(__name__)


class Outcome(StrEnum):
    HANDLED = "handled"
    IGNORED = "ignored"
    DUPLICATE = "duplicate"


def receive(till: Till, body: bytes, signature: str | None, now: datetime) -> Outcome:
    """Take one delivery in. Needs no call to Stripe.

    Raises SignatureInvalid, NoticeUnreadable, StoreBusy, and whatever a handler raises; then nothing was changed.
    """
    notice = till.gateway.read_notice(body, signature or "")
    try:
        with till.database.transaction() as session:
            outcome = _take_in(session, till, notice, now)
    except Exception as failure:  # whatever it was: it is written beside the event, and answered at the edge
        _remember_failure(till, notice, failure, now)
        raise
    log.info("webhook taken in", event_id=notice.notice_id, kind=notice.kind, outcome=outcome)
    return outcome


def _take_in(session: Session, till: Till, notice: Notice, now: datetime) -> Outcome:
    if _remember(session, notice, now):
        return Outcome.DUPLICATE
    handler = HANDLERS.get(notice.kind)
    ours = handler is not None and handler(session, till, notice, Told(Teller.WEBHOOK, now))
    outcome = Outcome.HANDLED if ours else Outcome.IGNORED
    session.execute(
        update(WebhookEvent)
        .where(WebhookEvent.id == notice.notice_id)
        .values(handled_at=now, outcome=outcome, last_error=None)
    )
    return outcome


def _remember(session: Session, notice: Notice, now: datetime) -> bool:
    """Note the delivery and say whether the event was done before; deliveries of one event wait here for each other."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    note = (
        insert(WebhookEvent)
        .values(id=notice.notice_id, kind=notice.kind, received_at=now, deliveries=1)
        .on_conflict_do_update(index_elements=[WebhookEvent.id], set_={"deliveries": WebhookEvent.deliveries + 1})
        .returning(WebhookEvent.handled_at)
    )
    return session.execute(note).scalar_one() is not None


def _remember_failure(till: Till, notice: Notice, failure: Exception, now: datetime) -> None:
    try:
        with till.database.transaction() as session:
            _remember(session, notice, now)
            session.execute(
                update(WebhookEvent)
                .where(WebhookEvent.id == notice.notice_id, WebhookEvent.handled_at.is_(None))
                .values(last_error=type(failure).__name__)
            )
    except StoreBusy:
        log.warning("webhook failure not written down", event_id=notice.notice_id)
