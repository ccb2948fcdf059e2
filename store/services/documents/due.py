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
    """Issue what orders lack, and say for how many it was done. Any number of processes may do this at once. An order
    that fails comes up again each time; those after it do not wait for it.
    """
    if not issuing.can_issue(services.settings):
        return 0
    mark, can_move = _begin(services)
    if mark is None:
        return 0
    results = [_issue(services, each, now) for each in _lacking(services, mark.read_id)]
    if can_move and all(results):
        with services.database.transaction() as session:
            history_marks.move(session, DocumentMark, mark.read_id, mark.noted_id)
    return results.count(True)


def _begin(services: Services) -> tuple[DocumentMark | None, bool]:
    """The mark to go on from, or None where nothing is new since; and whether, by now, nothing can appear any more up
    to the entry that it has noted.
    """
    with services.database.reading() as session:
        mark = session.get(DocumentMark, 1)
        if not history_marks.is_behind(session, mark):
            return None, False
    if mark is None or mark.noted_id == mark.read_id:
        with services.database.transaction() as session:
            history_marks.note_newest(session, history_marks.lock(session, DocumentMark, since=ALWAYS))
    with services.database.reading() as session:
        mark = session.get_one(DocumentMark, 1)
        return mark, history_marks.can_read(session, mark)


def _lacking(services: Services, since: int) -> Iterator[str]:
    """The references of the orders that lack something, by the entries from there to the newest, some at a time."""
    while True:
        with services.database.reading() as session:
            entries = session.execute(
                select(HistoryEntry.id, HistoryEntry.order_id)
                .where(HistoryEntry.id > since, HistoryEntry.type.in_(EVENTS))
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
