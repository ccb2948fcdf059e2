"""Finding the orders that lack a document: those of which the history says that money came or went.

Paying writes nothing for it. The worker goes through the history afterwards (`store/services/history_marks.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import DocumentMark, HistoryEntry, Order
from store.domain.errors import StoreError
from store.services import history_marks
from store.services.documents import issuing
from store.services.services import Services

log = structlog.get_logger(__name__)

BATCH = 500  # entries of the history
EVENTS = ("order.payment_received", "order.nothing_due", "refund.succeeded", "refund.failed", "refund.cancelled")
# A shop that never had orders without documents has been issuing them always.
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


def issue_due(services: Services, now: datetime) -> int:
    """Issue what orders lack, and say for how many it was done. Any number of processes may do this at once. What
    fails comes up again, with all that comes after it.
    """
    if not issuing.can_issue(services.settings):
        return 0
    done, part = 0, _next_part(services)
    while part is not None:
        since, until = part
        results = [_issue(services, each, now) for each in _lacking(services, since, until)]
        done += results.count(True)
        if not all(results):
            break
        with services.database.transaction() as session:
            history_marks.move(session, DocumentMark, since, until)
        part = _next_part(services)
    return done


def _next_part(services: Services) -> tuple[int, int] | None:
    """After which entry to go on, and up to which one; None where there is nothing new, or one has to wait."""
    with services.database.reading() as session:
        mark = session.get(DocumentMark, 1)
        if not history_marks.is_behind(session, mark):
            return None
    if mark is None or mark.noted_id == mark.read_id:
        with services.database.transaction() as session:
            history_marks.note_newest(session, history_marks.lock(session, DocumentMark, since=ALWAYS))
    with services.database.reading() as session:
        mark = session.get_one(DocumentMark, 1)
        return (mark.read_id, mark.noted_id) if history_marks.can_read(session, mark) else None


def _lacking(services: Services, since: int, until: int) -> Iterator[str]:
    """The references of the orders that lack something, of these entries, read some at a time."""
    while True:
        with services.database.reading() as session:
            entries = session.execute(
                select(HistoryEntry.id, HistoryEntry.order_id)
                .where(HistoryEntry.id > since, HistoryEntry.id <= until, HistoryEntry.type.in_(EVENTS))
                .order_by(HistoryEntry.id)
                .limit(BATCH)
            ).all()
            references = _of_orders(session, {entry.order_id for entry in entries})
        yield from references
        if len(entries) < BATCH:
            return
        since = entries[-1].id


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
