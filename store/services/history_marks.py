"""How far a reader has gone through the history, so that it looks at no entry for ever, and passes none over.

The history is the outbox: what is to follow from an entry is found in it afterwards, so that paying writes nothing for
it. Entries are gone through by their numbers, and the mark of a reader says up to which.

Numbers alone do not do: on PostgreSQL an entry with a smaller number may appear after one with a greater one, once the
transaction ends that has taken the number. So a reader notes the newest entry, and the number of its own transaction,
and goes on to that entry when every transaction with a smaller number has ended. A transaction gets its number when it
first writes or locks a row, and whatever writes to the history of an order has locked the order before: so an entry
that could still appear below the noted one is of a transaction with a smaller number. Nothing is passed over, however
long one takes. SQLite has one writer at a time, and its numbers appear in order.
"""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from models import DocumentMark, HistoryEntry, NotificationMark
from store.services.history import insert_once

Mark = TypeVar("Mark", DocumentMark, NotificationMark)


def newest(session: Session) -> int:
    """The number of the newest entry of the history; 0 before the first."""
    return session.scalar(select(func.max(HistoryEntry.id))) or 0


def is_behind(session: Session, mark: DocumentMark | NotificationMark | None) -> bool:
    """Whether there are entries after the mark of a reader; it has none before it began."""
    return mark is None or mark.read_id != newest(session)


def lock(session: Session, table: type[Mark], **first: object) -> Mark:
    """The mark of a reader; nobody moves it until the transaction ends. One that begins has also what `first` says."""
    insert_once(session, table, {"id": 1, "read_id": 0, "noted_id": 0, "noted_in": 0, **first})
    return session.scalars(select(table).with_for_update().execution_options(populate_existing=True)).one()


def note_newest(session: Session, mark: DocumentMark | NotificationMark) -> None:
    """Note the newest entry on a locked mark, unless the one that was noted before is still waited for."""
    if mark.noted_id > mark.read_id:
        return
    mark.noted_id = newest(session)
    if session.get_bind().dialect.name == "postgresql":
        # After the entry was seen: whoever has taken a smaller number by then has a smaller number of transaction, too.
        mark.noted_in = int(session.scalar(text("SELECT pg_current_xact_id()::text")) or 0)


def can_read(session: Session, mark: DocumentMark | NotificationMark) -> bool:
    """Whether there are entries up to the noted one, and every transaction has ended that was there when that was
    noted.
    """
    if mark.read_id >= mark.noted_id:
        return False
    if session.get_bind().dialect.name != "postgresql":
        return True
    oldest = session.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text"))
    return int(oldest or 0) >= mark.noted_in


def move(session: Session, table: type[DocumentMark] | type[NotificationMark], since: int, until: int) -> None:
    """The reader has looked at the entries up to `until`; unless somebody else has moved its mark from `since`."""
    moved = update(table).where(table.read_id == since).values(read_id=until)
    session.execute(moved.execution_options(synchronize_session=False))
