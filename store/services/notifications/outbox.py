"""From the history to notifications: what is in the history is told once to every endpoint that asked for it.

A fact is in the history in the transaction that it tells of. The worker goes through it afterwards
(`store/services/history_marks.py`), and keeps in one transaction how far it has come and what it has written.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.orm import Session

from models import Endpoint, HistoryEntry, Notification, NotificationMark, Order
from store.services import history_marks
from store.services.notifications.facts import TYPES, body_of, fact_of
from store.services.services import Services

BATCH = 5_000  # entries of the history, most of which are nothing to be told of
KEPT = timedelta(days=30)


def write(services: Services, now: datetime, batch: int = BATCH) -> int:
    """Write what the endpoints are to be told of; returns how much that is. Costs one query while there are none.
    So many entries of the history are gone through in one transaction.
    """
    with services.database.reading() as session:
        asked = session.scalar(select(Endpoint.id).where(Endpoint.active).limit(1))
        mark = session.scalars(select(NotificationMark)).one_or_none()
        if asked is None or not history_marks.is_behind(session, mark):
            return 0
    with services.database.transaction() as session:
        history_marks.note_newest(session, history_marks.lock(session, NotificationMark))
    written, part = 0, _tell(services, now, batch)
    while part is not None:
        written, part = written + part, _tell(services, now, batch)
    return written


def forget(session: Session, now: datetime) -> None:
    """Delete what has ended, after 30 days."""
    ended = or_(Notification.delivered_at.is_not(None), Notification.failed_at.is_not(None))
    session.execute(delete(Notification).where(Notification.written_at <= now - KEPT, ended))


def _tell(services: Services, now: datetime, batch: int) -> int | None:
    """Write what is to be told of the next entries up to the noted one; None where there are none, or not yet."""
    with services.database.transaction() as session:
        mark = history_marks.lock(session, NotificationMark)
        endpoints = session.scalars(select(Endpoint).where(Endpoint.active).order_by(Endpoint.id)).all()
        # What came before the first endpoint asked is nobody's business.
        since = max(mark.read_id, min((endpoint.after_id for endpoint in endpoints), default=mark.noted_id))
        if not history_marks.can_read(session, mark):
            return None
        until = min(since + batch, mark.noted_id)
        found = session.execute(
            select(HistoryEntry, Order)
            .join(Order, Order.id == HistoryEntry.order_id)
            .where(HistoryEntry.id > since, HistoryEntry.id <= until, HistoryEntry.type.in_(TYPES))
            .order_by(HistoryEntry.id)
        ).all()
        rows = [
            {
                "message_id": f"msg_{uuid4().hex}",
                "endpoint_id": endpoint.id,
                "history_id": entry.id,
                "fact": fact_of(entry),
                "body": body_of(services, entry, order),
                "written_at": now,
                "due_at": now,
                "attempts": 0,
            }
            for entry, order in found
            for endpoint in endpoints
            if entry.id > endpoint.after_id and fact_of(entry) in endpoint.facts
        ]
        if rows:
            session.execute(insert(Notification), rows)
        history_marks.move(session, NotificationMark, mark.read_id, max(until, mark.read_id))
    return len(rows)
