"""From the history to notifications: what is in the history is told once to every endpoint that asked for it.

The history is the outbox. A fact is in it in the transaction that it tells of, so that paying writes nothing more; the
worker goes through it afterwards, by the numbers of its entries, and keeps in one transaction how far it has come and
what it has written.

Numbers alone do not do: on PostgreSQL an entry with a smaller number may appear after one with a greater one, once the
transaction ends that has taken the number. So the worker notes the newest entry, and the number of its own transaction,
and goes on to that entry when every transaction with a smaller number has ended. A transaction gets its number when it
first writes or locks a row, and whatever writes one of these facts has locked its order before: so an entry that could
still appear below the noted one is of a transaction with a smaller number. Nothing is passed over, however long one
takes. SQLite has one writer at a time, and its numbers appear in order.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, insert, or_, select, text, update
from sqlalchemy.orm import Session

from models import Endpoint, HistoryEntry, Notification, NotificationMark, Order
from store.services.history import insert_once
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
        if asked is None or (mark is not None and mark.told_id == newest(session)):
            return 0
    with services.database.transaction() as session:
        _note_newest(session)
    written, part = 0, _tell(services, now, batch)
    while part is not None:
        written, part = written + part, _tell(services, now, batch)
    return written


def lock_mark(session: Session) -> NotificationMark:
    """How far the history was gone through; nobody goes on until the transaction ends."""
    insert_once(session, NotificationMark, {"id": 1, "told_id": 0, "noted_id": 0, "noted_in": 0})
    return session.scalars(select(NotificationMark).with_for_update().execution_options(populate_existing=True)).one()


def newest(session: Session) -> int:
    """The number of the newest entry of the history."""
    return session.scalar(select(HistoryEntry.id).order_by(HistoryEntry.id.desc()).limit(1)) or 0


def forget(session: Session, now: datetime) -> None:
    """Delete what has ended, after 30 days."""
    ended = or_(Notification.delivered_at.is_not(None), Notification.failed_at.is_not(None))
    session.execute(delete(Notification).where(Notification.written_at <= now - KEPT, ended))


def _note_newest(session: Session) -> None:
    """Note the newest entry, unless the one that was noted before is still waited for."""
    mark = lock_mark(session)
    if mark.noted_id > mark.told_id:
        return
    mark.noted_id = newest(session)
    if session.get_bind().dialect.name == "postgresql":
        # After the entry was seen: whoever has taken a smaller number by then has a smaller number of transaction, too.
        mark.noted_in = int(session.scalar(text("SELECT pg_current_xact_id()::text")) or 0)


def _tell(services: Services, now: datetime, batch: int) -> int | None:
    """Write what is to be told of the next entries up to the noted one; None where there are none, or not yet."""
    with services.database.transaction() as session:
        mark = lock_mark(session)
        endpoints = session.scalars(select(Endpoint).where(Endpoint.active).order_by(Endpoint.id)).all()
        # What came before the first endpoint asked is nobody's business.
        since = max(mark.told_id, min((endpoint.after_id for endpoint in endpoints), default=mark.noted_id))
        if mark.told_id >= mark.noted_id or not _is_final(session, mark):
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
        session.execute(update(NotificationMark).values(told_id=max(until, mark.told_id)))
    return len(rows)


def _is_final(session: Session, mark: NotificationMark) -> bool:
    """Whether every transaction has ended that was there when the newest entry was noted."""
    if session.get_bind().dialect.name != "postgresql":
        return True
    oldest = session.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text"))
    return int(oldest or 0) >= mark.noted_in
