"""The inbox: each event that a handler takes is remembered once, handed over, and marked done with its effects.

The second delivery of an event finds it done. When handling fails, nothing of it stays but the reason, and the caller
answers 5xx so that Stripe delivers again.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import structlog
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import Order, Payment, WebhookEvent
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

    An event that no handler takes leaves no trace. Raises SignatureInvalid, NoticeUnreadable, StoreBusy, and whatever a
    handler raises; then nothing was changed.
    """
    return _take(till, till.gateway.read_notice(body, signature or ""), Told(Teller.WEBHOOK, now))


def catch_up(till: Till, since: datetime, now: datetime) -> list[str]:
    """Take in what Stripe told since then and could not deliver, by the same door; what of it was new to this store, a
    line for each event.

    An event that cannot be handled stands in nobody's way: it is remembered as any other, and the audit tells of it.
    Raises PaymentUnavailable, PaymentMisconfigured and StoreBusy.
    """
    told = Told(Teller.RECONCILIATION, now)
    missed = reversed(list(till.gateway.undelivered_notices(since, HANDLERS)))
    return [f"event {notice.notice_id}: {notice.kind}" for notice in missed if _catch_up_with(till, notice, told)]


def _catch_up_with(till: Till, notice: Notice, told: Told) -> bool:
    try:
        return _take(till, notice, told) is Outcome.HANDLED
    except StoreBusy:
        raise
    except Exception as failure:  # noqa: BLE001  # whatever it was: it is written beside the event, and others wait
        log.warning("missed webhook not handled", event_id=notice.notice_id, failure=type(failure).__name__)
        return False


def _take(till: Till, notice: Notice, told: Told) -> Outcome:
    if notice.kind not in HANDLERS:
        return Outcome.IGNORED
    try:
        with till.database.transaction() as session:
            outcome = _handle_once(session, till, notice, told)
            order = _order_of(session, notice)
    except Exception as failure:  # whatever it was: it is written beside the event, and answered at the edge
        _remember_failure(till, notice, failure, told.at)
        raise
    log.info("webhook taken in", event_id=notice.notice_id, kind=notice.kind, outcome=outcome, order=order)
    return outcome


def _handle_once(session: Session, till: Till, notice: Notice, told: Told) -> Outcome:
    if _remember(session, notice, told.at):
        return Outcome.DUPLICATE
    ours = HANDLERS[notice.kind](session, till, notice, told)
    outcome = Outcome.HANDLED if ours else Outcome.IGNORED
    session.execute(
        update(WebhookEvent)
        .where(WebhookEvent.id == notice.notice_id)
        .values(handled_at=told.at, outcome=outcome, last_error=None)
    )
    return outcome


def _order_of(session: Session, notice: Notice) -> str | None:
    """The reference of the order that an event was about, for the log."""
    if notice.about is None:
        return None
    return session.scalar(select(Order.reference).join(Payment).where(Payment.intent_id == notice.about.payment_id))


def _remember(session: Session, notice: Notice, now: datetime) -> bool:
    """Note the delivery and say whether the event was done before; deliveries of one event wait here for each other."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    note = (
        insert(WebhookEvent)
        .values(id=notice.notice_id, kind=notice.kind, received_at=now)
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
