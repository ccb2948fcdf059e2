"""Sending notifications, each until its endpoint has taken it: at least once, under the same id each time.

A notification that is not taken is tried again after a longer and longer wait, for some three days. An endpoint that
has taken nothing for that long, or says that it is gone for good (410), is told nothing any more, and the work list
says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from models import Endpoint, Notification
from store.domain.errors import EndpointFault, EndpointUnreachable, NotFound, Subject
from store.gateway.port import EndpointAnswer
from store.services import paging, staff_log
from store.services.notifications import secrets
from store.services.services import Services
from store.services.staff_log import Actor

log = structlog.get_logger(__name__)

# The waits after the tries, as Standard Webhooks suggests them; after the last the store gives up.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 2 * 60, 5 * 60, 10 * 60, 14 * 60, 20 * 60, 24 * 60))
# An endpoint that has taken nothing for so long is told nothing any more.
LONGEST_FAILURE = timedelta(days=3)
# A claimed notification is left to the claimer for this long: several times as long as a try may take.
CLAIM = timedelta(minutes=2)
SECONDS = 20.0  # for sending in one round of the worker: mail and money are not to wait for somebody else's server
GONE = 410
LONGEST_ANSWER = 500  # characters that are kept of an answer
LISTED = 50

TO_SEND = (Notification.delivered_at.is_(None), Notification.failed_at.is_(None))


@dataclass(frozen=True, slots=True)
class NotificationPart:
    """Some notifications of an endpoint, the newest first. Older ones come `before` the id of the last of these; None
    where there are none.
    """

    notifications: Sequence[Notification]
    before: int | None


@dataclass(frozen=True, slots=True)
class _ClaimedNotification:
    id: int
    attempt: int
    endpoint_id: int
    url: str
    message_id: str
    body: str
    keys: list[str]


def send_due(services: Services, now: datetime, stopwatch: Callable[[], float] = time.monotonic) -> int:
    """Try what is due at `now`, as much as there is time for; returns how much was taken. Any number of processes may
    do this at once. An endpoint that does not take one is not tried again in this round.
    """
    taken, until, silent = 0, stopwatch() + SECONDS, set[int]()
    while stopwatch() < until:
        with services.database.reading() as session:
            if session.scalar(_due(now, silent).limit(1)) is None:
                break
        with services.database.transaction() as session:
            claimed = _claim(session, services, now, silent)
        if claimed is None:
            break
        answer = _try(services, claimed)
        with services.database.transaction() as session:
            if _record(session, claimed, answer, max(now, services.clock())):
                taken += 1
            else:
                silent.add(claimed.endpoint_id)
    return taken


def listed(session: Session, endpoint_id: int, before: int | None = None) -> NotificationPart:
    """What an endpoint was told and is to be told, the newest first."""
    wanted = select(Notification).where(Notification.endpoint_id == endpoint_id)
    if before is not None:
        wanted = wanted.where(Notification.id < before)
    found, more = paging.first(session, wanted.order_by(Notification.id.desc()), LISTED)
    return NotificationPart(found, found[-1].id if more else None)


def replay(services: Services, notification_id: int, actor: Actor) -> int:
    """Have one sent once more, under the same id; returns the number of its endpoint. Raises NotFound."""
    with services.database.transaction() as session:
        again = {"delivered_at": None, "failed_at": None, "attempts": 0, "due_at": actor.at}
        renewed = update(Notification).where(Notification.id == notification_id).values(again)
        row = session.execute(renewed.returning(Notification.endpoint_id, Notification.message_id)).one_or_none()
        if row is None:
            raise NotFound(Subject.NOTIFICATION)
        staff_log.add(session, actor.at, actor.name, "notification.replayed", row.message_id)
    return int(row.endpoint_id)


def _due(now: datetime, silent: set[int]) -> Select[int]:
    active = select(Endpoint.id).where(Endpoint.active, Endpoint.id.not_in(silent))
    due = select(Notification.id).where(*TO_SEND, Notification.due_at <= now, Notification.endpoint_id.in_(active))
    return due.order_by(Notification.due_at, Notification.id)


def _claim(session: Session, services: Services, now: datetime, silent: set[int]) -> _ClaimedNotification | None:
    """Take the one that has been due the longest; until the claim is over nobody else takes it."""
    number = session.scalar(_due(now, silent).limit(1).with_for_update(skip_locked=True))
    if number is None:
        return None
    row = session.get_one(Notification, number)
    endpoint = session.get_one(Endpoint, row.endpoint_id)
    at = max(now, services.clock())
    row.due_at, row.attempts = at + CLAIM, row.attempts + 1
    sealed = [endpoint.secret]
    if endpoint.earlier_secret is not None and endpoint.earlier_until is not None and endpoint.earlier_until > at:
        sealed.append(endpoint.earlier_secret)
    opened = [secrets.unseal(services.settings.signing_keys, each) for each in sealed]
    keys = [key for key in opened if key is not None]
    return _ClaimedNotification(row.id, row.attempts, endpoint.id, endpoint.url, row.message_id, row.body, keys)


def _try(services: Services, claimed: _ClaimedNotification) -> EndpointAnswer | EndpointFault:
    if not claimed.keys:
        return EndpointFault.NO_SECRET
    timestamp = int(services.clock().timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Till",
        "webhook-id": claimed.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": secrets.signature(claimed.keys, claimed.message_id, timestamp, claimed.body),
    }
    try:
        return services.endpoint_sender.post(claimed.url, headers, claimed.body.encode())
    except EndpointUnreachable as failure:
        return failure.fault


def _record(
    session: Session, claimed: _ClaimedNotification, answer: EndpointAnswer | EndpointFault, at: datetime
) -> bool:
    """Write what was answered, unless somebody else has the notification by now; says whether it was taken."""
    taken = isinstance(answer, EndpointAnswer) and 200 <= answer.status < 300
    status = answer.status if isinstance(answer, EndpointAnswer) else None
    said = answer.text if isinstance(answer, EndpointAnswer) else answer.value
    values: dict[str, object] = {"status": status, "answer": said.replace("\0", "")[:LONGEST_ANSWER]}
    if taken:
        values["delivered_at"] = at
    elif claimed.attempt > len(WAITS):
        values["failed_at"] = at
    else:
        values["due_at"] = at + WAITS[claimed.attempt - 1]
    ours: tuple[ColumnElement[bool], ...] = (
        Notification.id == claimed.id,
        Notification.attempts == claimed.attempt,
        *TO_SEND,
    )
    endpoint = session.get(Endpoint, claimed.endpoint_id, with_for_update=True)
    session.execute(update(Notification).where(*ours).values(values))
    if endpoint is not None and taken:
        endpoint.failing_since = None
    elif endpoint is not None:
        endpoint.failing_since = endpoint.failing_since or at
        if endpoint.active and (status == GONE or at - endpoint.failing_since >= LONGEST_FAILURE):
            endpoint.active, endpoint.stopped_at = False, at
            log.warning("endpoint stopped", endpoint=endpoint.id, status=status)
    return taken
