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

from models import InboxEvent, Order, Payment
from store.domain.errors import StoreBusy
from store.gateway.port import WebhookEvent
from store.services.services import Services
from store.services.transitions import Origin, Source
from store.webhooks.handlers import HANDLERS

log = structlog.get_logger(__name__)


class InboxResult(StrEnum):
    HANDLED = "handled"
    IGNORED = "ignored"
    DUPLICATE = "duplicate"


def receive(services: Services, body: bytes, signature: str | None, now: datetime) -> InboxResult:
    """Take one delivery in. Needs no call to Stripe.

    An event that no handler takes leaves no trace. Raises SignatureInvalid, NoticeUnreadable, StoreBusy, and whatever a
    handler raises; then nothing was changed.
    """
    return _take(services, services.gateway.parse_webhook(body, signature or ""), Origin(Source.WEBHOOK, now))


def catch_up(services: Services, since: datetime, now: datetime) -> list[str]:
    """Take in what Stripe told since then and could not deliver, by the same door; what of it was new to this store, a
    line for each event.

    An event that cannot be handled stands in nobody's way: it is remembered as any other, and the audit tells of it.
    Raises PaymentUnavailable, PaymentMisconfigured and StoreBusy.
    """
    origin = Origin(Source.RECONCILIATION, now)
    missed = reversed(list(services.gateway.list_undelivered_events(since, HANDLERS)))
    return [f"event {event.event_id}: {event.kind}" for event in missed if _catch_up_with(services, event, origin)]


def _catch_up_with(services: Services, event: WebhookEvent, origin: Origin) -> bool:
    try:
        return _take(services, event, origin) is InboxResult.HANDLED
    except StoreBusy:
        raise
    except Exception as failure:  # noqa: BLE001  # whatever it was: it is written beside the event, and others wait
        log.warning("missed webhook not handled", event_id=event.event_id, failure=type(failure).__name__)
        return False


def _take(services: Services, event: WebhookEvent, origin: Origin) -> InboxResult:
    if event.kind not in HANDLERS:
        return InboxResult.IGNORED
    try:
        with services.database.transaction() as session:
            outcome = _handle_once(session, services, event, origin)
            order = _order_of(session, event)
    except Exception as failure:  # whatever it was: it is written beside the event, and answered at the edge
        _remember_failure(services, event, failure, origin.at)
        raise
    log.info("webhook taken in", event_id=event.event_id, kind=event.kind, outcome=outcome, order=order)
    return outcome


def _handle_once(session: Session, services: Services, event: WebhookEvent, origin: Origin) -> InboxResult:
    if _remember(session, event, origin.at):
        return InboxResult.DUPLICATE
    ours = HANDLERS[event.kind](session, services, event, origin)
    outcome = InboxResult.HANDLED if ours else InboxResult.IGNORED
    session.execute(
        update(InboxEvent)
        .where(InboxEvent.id == event.event_id)
        .values(handled_at=origin.at, outcome=outcome, last_error=None)
    )
    return outcome


def _order_of(session: Session, event: WebhookEvent) -> str | None:
    """The reference of the order that an event was about, for the log."""
    if event.about is None:
        return None
    return session.scalar(
        select(Order.reference).join(Payment).where(Payment.provider_payment_id == event.about.provider_payment_id)
    )


def _remember(session: Session, event: WebhookEvent, now: datetime) -> bool:
    """Note the delivery and say whether the event was done before; deliveries of one event wait here for each other."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    note = (
        insert(InboxEvent)
        .values(id=event.event_id, kind=event.kind, received_at=now)
        .on_conflict_do_update(index_elements=[InboxEvent.id], set_={"deliveries": InboxEvent.deliveries + 1})
        .returning(InboxEvent.handled_at)
    )
    return session.execute(note).scalar_one() is not None


def _remember_failure(services: Services, event: WebhookEvent, failure: Exception, now: datetime) -> None:
    try:
        with services.database.transaction() as session:
            _remember(session, event, now)
            session.execute(
                update(InboxEvent)
                .where(InboxEvent.id == event.event_id, InboxEvent.handled_at.is_(None))
                .values(last_error=type(failure).__name__)
            )
    except StoreBusy:
        log.warning("webhook failure not written down", event_id=event.event_id)
