"""Finding the orders that lack a document: those of which the history says lately that money came or went.

Paying writes nothing for it. The history is looked through from a mark on. Entries become visible when their
transaction ends, some of them after later ones, so each is looked at until no transaction that was open then can be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import DocumentMark, HistoryEntry, Order
from store.domain.errors import StoreError
from store.services.documents import issuing
from store.services.history import insert_once
from store.services.services import Services

log = structlog.get_logger(__name__)

BATCH = 500  # entries of the history
# Statements end after 15 seconds and idle transactions after 30, so nothing is open for that long.
SETTLED = timedelta(minutes=5)
EVENTS = ("order.payment_received", "order.nothing_due", "refund.succeeded", "refund.failed", "refund.cancelled")
# A shop that never had orders without documents has been issuing them always.
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


def issue_due(services: Services, now: datetime) -> int:
    """Issue what orders lack, and say for how many it was done. Any number of processes may do this at once."""
    if not issuing.can_issue(services.settings):
        return 0
    mark, newest = _begin(services, now)
    done = failed = 0
    for references in _lacking(services, mark.history_id):
        for reference in references:
            if _issue(services, reference, now):
                done += 1
            else:
                failed += 1
    if not failed and now - mark.next_at >= SETTLED:
        with services.database.transaction() as session:
            _advance(session, mark, newest, now)
    return done


def _begin(services: Services, now: datetime) -> tuple[DocumentMark, int]:
    """Where to go on, and the newest entry that there is by now."""
    with services.database.reading() as session:
        mark = session.get(DocumentMark, 1)
        newest = session.scalar(select(func.max(HistoryEntry.id))) or 0
    if mark is None:
        first = {"id": 1, "since": ALWAYS, "history_id": 0, "next_id": 0, "next_at": now}
        with services.database.transaction() as session:
            insert_once(session, DocumentMark, first)
            mark = session.get_one(DocumentMark, 1)
    return mark, newest


def _lacking(services: Services, after: int) -> Iterator[Sequence[str]]:
    """The references of orders that lack something, some at a time."""
    while True:
        with services.database.reading() as session:
            entries = session.execute(
                select(HistoryEntry.id, HistoryEntry.order_id)
                .where(HistoryEntry.id > after, HistoryEntry.type.in_(EVENTS))
                .order_by(HistoryEntry.id)
                .limit(BATCH)
            ).all()
            references = _of_orders(session, {entry.order_id for entry in entries})
        yield references
        if len(entries) < BATCH:
            return
        after = entries[-1].id


def _of_orders(session: Session, ids: Collection[int]) -> Sequence[str]:
    """The references of those that lack something, in the order in which they were paid."""
    if not ids:
        return []
    lacking = select(Order.reference).where(Order.id.in_(ids), issuing.due())
    return session.scalars(lacking.order_by(Order.paid_at, Order.id)).all()


def _issue(services: Services, reference: str, now: datetime) -> bool:
    try:
        issuing.issue(services, reference, now)
    except StoreError as failure:
        log.warning("worker put off", order=reference, work="documents", failure=type(failure).__name__)
        return False
    except Exception:  # whatever is wrong with one order, the others are not to wait for it
        log.exception("worker failed", order=reference, work="documents")
        return False
    return True


def _advance(session: Session, mark: DocumentMark, newest: int, now: datetime) -> None:
    """What was there five minutes ago was looked at now. Another process may have said so already."""
    values = {"history_id": mark.next_id, "next_id": newest, "next_at": now}
    session.execute(
        update(DocumentMark)
        .where(DocumentMark.next_id == mark.next_id, DocumentMark.next_at == mark.next_at)
        .values(values)
        .execution_options(synchronize_session=False)
    )
