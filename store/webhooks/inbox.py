"""The inbox: each event that has a handler is remembered once, handed over, and marked handled with its effects.

The second delivery of an event finds it handled. When handling fails, only the error stays beside the event, and the
caller answers 5xx so that the payment service delivers it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

import structlog
from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from models import InboxEvent, Order, Payment
from store.domain.errors import EventGone, PaymentUnconfirmed, StoreBusy, StoreError
from store.domain.states import PaymentEvent
from store.gateway.port import HostedPageSnapshot, PaymentSnapshot, WebhookEvent
from store.services import inserts, payments, staff_log
from store.services.history import Origin, Source
from store.services.payments import ordinary
from store.services.services import Services
from store.webhooks.handlers import HANDLERS

log = structlog.get_logger(__name__)

MOST_AT_ONCE = 25  # events that one page handles again


class InboxResult(StrEnum):
    HANDLED = "handled"
    IGNORED = "ignored"
    DUPLICATE = "duplicate"
    SET_ASIDE = "set_aside"


def receive(services: Services, body: bytes, signature: str | None, now: datetime) -> InboxResult:
    """Receive one delivery. Needs no call to the payment service, with two exceptions: it is asked whether a payment is
    ours that is not known here, and after one decline too many the payment is cancelled at once, for a script tries
    many cards in a second. The worker cancels it where that fails.

    An event without a handler, or of another account, leaves no trace. Raises SignatureInvalid, WebhookUnreadable,
    StoreBusy, and whatever a handler raises; then nothing was changed.
    """
    event = services.gateway.parse_webhook(body, signature or "", HANDLERS)
    if event is None:
        return InboxResult.IGNORED
    return _receive(services, event, Origin(Source.WEBHOOK, now))


def catch_up(services: Services, since: datetime, now: datetime) -> list[str]:
    """Handle the events since then that were not delivered, as if they were; returns a line for each that was new.

    An event that cannot be handled stops no other: its error is kept as for a delivery, and the audit reports it.
    Raises PaymentUnavailable, PaymentMisconfigured and StoreBusy.
    """
    origin = Origin(Source.RECONCILIATION, now)
    missed = reversed(list(services.gateway.list_undelivered_events(since, HANDLERS)))
    return [f"event {event.event_id}: {event.type}" for event in missed if _catch_up_with(services, event, origin)]


def replay(services: Services, event_id: str, now: datetime, actor: str | None = None) -> InboxResult:
    """Handle an event once more, as the payment service has it; one that was handled is left as it is. It can be old
    by now, so it counts as what reconciliation has found.

    Raises EventGone, whatever a handler raises, PaymentUnavailable and PaymentMisconfigured; then only the error is
    kept beside the event.
    """
    found = services.gateway.find_event(event_id)
    if found is None or found.event is None:
        raise EventGone(event_id)
    if found.event.type not in HANDLERS:
        return InboxResult.IGNORED
    _note(services, event_id, "webhook.replayed", now, actor)
    return _receive(services, found.event, Origin(Source.RECONCILIATION, now, actor))


def unhandled(session: Session) -> Sequence[InboxEvent]:
    """The events that could not be handled, the oldest first."""
    failed = select(InboxEvent).where(InboxEvent.handled_at.is_(None)).order_by(InboxEvent.received_at)
    return session.scalars(failed).all()


def set_aside(services: Services, event_id: str, now: datetime, actor: str | None = None) -> bool:
    """Wait for an event no more that cannot be handled: whoever says so has seen to what it was about. False, and
    nothing changed, for one that was handled.
    """
    with services.database.transaction() as session:
        given_up = update(InboxEvent).where(InboxEvent.id == event_id, InboxEvent.handled_at.is_(None))
        values = {"handled_at": now, "outcome": InboxResult.SET_ASIDE}
        done = session.scalar(given_up.values(values).returning(InboxEvent.id)) is not None
        if done and actor is not None:
            staff_log.add(session, now, actor, "webhook.set_aside", event_id)
    return done


def _note(services: Services, event_id: str, action: str, now: datetime, actor: str | None) -> None:
    if actor is not None:
        with services.database.transaction() as session:
            staff_log.add(session, now, actor, action, event_id)


def _catch_up_with(services: Services, event: WebhookEvent, origin: Origin) -> bool:
    try:
        return _receive(services, event, origin) is InboxResult.HANDLED
    except StoreBusy:
        raise
    except Exception as failure:  # noqa: BLE001  # whatever it was: it is kept beside the event, and others wait
        log.warning("missed webhook not handled", event_id=event.event_id, failure=type(failure).__name__)
        return False


def _receive(services: Services, event: WebhookEvent, origin: Origin) -> InboxResult:
    try:
        try:
            outcome, order = _handle(services, event, origin)
        except PaymentUnconfirmed as unknown:
            confirmed = services.gateway.find_payment(unknown.provider_payment_id)
            asked = replace(origin, source=Source.LOOKUP)
            outcome, order = _handle(services, replace(event, object=confirmed), asked)
    except Exception as failure:  # whatever it was: it is kept beside the event, and answered by the web
        _remember_failure(services, event, failure, origin.at)
        raise
    log.info("webhook received", event_id=event.event_id, type=event.type, outcome=outcome, order=order)
    if order is not None and isinstance(event.object, PaymentSnapshot) and event.object.event is PaymentEvent.DECLINED:
        _stop_card_testing(services, order, origin.at)
    return outcome


def _stop_card_testing(services: Services, reference: str, now: datetime) -> None:
    """Close the order for good where too many cards were declined on it. The event is handled, whatever comes of it."""
    try:
        with services.database.reading() as session:
            tested = select(Order.id).where(Order.reference == reference, payments.tested_with_cards(services))
            if session.scalar(tested) is None:
                return
        payments.stop_card_testing(services, reference, now)
    except StoreError as failure:
        log.warning("card testing not stopped yet", order=reference, failure=type(failure).__name__)
    except Exception:  # the event is handled all the same, and the worker tries it again
        log.exception("card testing not stopped yet", order=reference)


def _handle(services: Services, event: WebhookEvent, origin: Origin) -> tuple[InboxResult, str | None]:
    order = ordinary.record(services, event, origin, InboxResult.HANDLED)
    if order is not None:
        return InboxResult.HANDLED, order
    with services.database.transaction() as session:
        return _handle_once(session, services, event, origin)


def _handle_once(
    session: Session, services: Services, event: WebhookEvent, origin: Origin
) -> tuple[InboxResult, str | None]:
    """What became of the event, and the reference of the order that it is about."""
    # A new event is marked as handled at once, which nobody sees before its effects: most of them end so.
    remembered = _remember(session, event, origin.at, handled_at=origin.at, outcome=InboxResult.HANDLED)
    new = remembered.deliveries == 1
    if not new and remembered.handled_at is not None:
        return InboxResult.DUPLICATE, _order_of(session, event)
    order = HANDLERS[event.type](session, services, event, origin)
    outcome = InboxResult.HANDLED if order is not None else InboxResult.IGNORED
    if not new or outcome is not InboxResult.HANDLED:
        session.execute(
            update(InboxEvent)
            .where(InboxEvent.id == event.event_id)
            .values(handled_at=origin.at, outcome=outcome, last_error=None)
        )
    return outcome, order


def _order_of(session: Session, event: WebhookEvent) -> str | None:
    """The reference of the order that an event is about, where no handler says it."""
    if event.object is None:
        return None
    of_order = select(Order.reference).join(Payment)
    if isinstance(event.object, HostedPageSnapshot):
        return session.scalar(of_order.where(Payment.provider_page_id == event.object.provider_page_id))
    return session.scalar(of_order.where(Payment.provider_payment_id == event.object.provider_payment_id))


def _remember(session: Session, event: WebhookEvent, now: datetime, **if_new: object) -> Row[int, datetime | None]:
    """Count the delivery; returns how many `deliveries` there were and when the event was handled (`handled_at`), with
    the values of `if_new` if it was not known. Deliveries of one event wait here for each other.
    """
    counted = (
        inserts.into(session, InboxEvent)
        .values(id=event.event_id, type=event.type, received_at=now, about=_about(event), **if_new)
        .on_conflict_do_update(index_elements=[InboxEvent.id], set_={"deliveries": InboxEvent.deliveries + 1})
        .returning(InboxEvent.deliveries, InboxEvent.handled_at)
    )
    return session.execute(counted).one()


def _about(event: WebhookEvent) -> str | None:
    """The id of the payment, or of the hosted page, that an event is about."""
    if isinstance(event.object, HostedPageSnapshot):
        return event.object.provider_page_id
    return event.object.provider_payment_id if event.object is not None else None


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
        log.warning("webhook error not recorded", event_id=event.event_id)
