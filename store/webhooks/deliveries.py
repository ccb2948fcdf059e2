"""The webhooks that were remembered, as the staff lists them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import literal, select, tuple_
from sqlalchemy.orm import Session

from models import InboxEvent, Payment
from store.domain.errors import NotFound, Subject
from store.services import paging

PAGE = 50
BEFORE_ALL = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DeliveryPart:
    """One page of events, the newest first. Older ones come `after` this; None where there are none."""

    events: Sequence[InboxEvent]
    after: str | None


def find(session: Session, *, failed: bool = False, after: str | None = None) -> DeliveryPart:
    """A page of all, or of those that could not be handled; `after` is what an earlier page says, and anything else is
    the first page.
    """
    wanted = select(InboxEvent).order_by(InboxEvent.received_at.desc(), InboxEvent.id.desc())
    if failed:
        wanted = wanted.where(InboxEvent.handled_at.is_(None))
    begin = _begin(after)
    if begin is None:
        wanted = wanted.where(InboxEvent.received_at > BEFORE_ALL)  # so that SQLite goes by the index
    else:
        at, event_id = begin
        end = tuple_(literal(at, InboxEvent.received_at.type), literal(event_id))
        wanted = wanted.where(tuple_(InboxEvent.received_at, InboxEvent.id) < end)
    found, more = paging.first(session, wanted, PAGE)
    return DeliveryPart(found, f"{found[-1].received_at.isoformat()}~{found[-1].id}" if more else None)


def about_payments(session: Session, payments: Sequence[Payment]) -> Sequence[InboxEvent]:
    """Those that came about payments, or the hosted pages they are made on, the oldest first."""
    ids = [name for each in payments for name in (each.provider_payment_id, each.provider_page_id) if name]
    of_payments = select(InboxEvent).where(InboxEvent.about.in_(ids))
    return session.scalars(of_payments.order_by(InboxEvent.received_at, InboxEvent.id)).all()


def one(session: Session, event_id: str) -> InboxEvent:
    """Raises NotFound."""
    found = session.get(InboxEvent, event_id) if re.fullmatch(r"\w{1,255}", event_id, re.ASCII) else None
    if found is None:
        raise NotFound(Subject.EVENT)
    return found


def _begin(after: str | None) -> tuple[datetime, str] | None:
    at, _, event_id = (after or "").partition("~")
    try:
        read = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (read, event_id) if read.tzinfo is not None and "\0" not in event_id else None
