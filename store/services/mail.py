"""Mail: decided in the transaction that it tells of, sent by upkeep, dropped never.

A letter is a row of the outbox. A crash between sending it and marking it may send it a second time, with the same
Message-ID, which mail programs show once.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session, selectinload

from models import Mail, Order
from store.domain.errors import MailUnavailable
from store.domain.money import Money
from store.gateway.port import Email
from store.services.history import insert_once
from store.services.orders.links import order_link
from store.services.services import Services

log = structlog.get_logger(__name__)

BATCH = 50
# A claimed letter is left to the claimer for this long. One letter takes a mail server a dozen answers, from the
# greeting to the thanks, and the postman waits ten seconds for each: two minutes and a bit at the very worst.
CLAIM = timedelta(minutes=5)
# The wait after a failed try doubles from the first to the longest; the letter is kept until it is taken.
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)


class Kind(StrEnum):
    ORDER_PAID = "order_paid"
    ORDER_EXPIRED = "order_expired"
    ORDER_FULFILLED = "order_fulfilled"
    LATE_PAYMENT_RETURNED = "late_payment_returned"
    SECOND_PAYMENT_RETURNED = "second_payment_returned"
    REFUNDED = "refunded"
    DISPUTE_OPENED = "dispute_opened"


TO_MERCHANT = (Kind.DISPUTE_OPENED,)


def write(
    session: Session, order: Order, kind: Kind, now: datetime, *, dedupe_key: str | None = None, **data: Any
) -> None:
    """Put an e-mail into the outbox: one for each `dedupe_key` of an order, by default one of each kind."""
    row = {
        "order_id": order.id,
        "kind": kind,
        "dedupe_key": dedupe_key or kind,
        "message_id": f"<{uuid.uuid4()}@till>",
        "data": data,
        "written_at": now,
        "due_at": now,
        "attempts": 0,
    }
    insert_once(session, Mail, row)


@dataclass(frozen=True, slots=True)
class _Claimed:
    mail_id: int
    attempt: int


def send_due(services: Services, now: datetime) -> int:
    """Try what is due at `now`, fifty letters at the most; returns how many were taken. Any number of processes may do
    this at once.

    Each letter is claimed just before it is sent, by the till's clock and not by `now`: however long the letters before
    it took, its claim is fresh.
    """
    taken = 0
    for _ in range(BATCH):
        with services.database.transaction() as session:
            claimed = _claim(session, now, _time(services, now))
        if claimed is None:
            break
        taken += _send(services, claimed, now)
    return taken


def _send(services: Services, claimed: _Claimed, now: datetime) -> bool:
    sent = False
    try:
        with services.database.reading() as session:
            email = _email(session, services, claimed.mail_id)
        services.mailer.send(email)
        sent = True
    except MailUnavailable:
        pass  # the postman has said why
    except Exception as failure:  # noqa: BLE001  # whatever is wrong with one letter, the others are not to wait for it
        # By its type only: what it says may name an address.
        log.warning("letter could not be sent", mail=claimed.mail_id, failure=type(failure).__name__)
    with services.database.transaction() as session:
        if sent:
            session.execute(update(Mail).where(Mail.id == claimed.mail_id).values(sent_at=_time(services, now)))
        else:
            _postpone(session, claimed, _time(services, now))
    return sent


def _time(services: Services, now: datetime) -> datetime:
    """What the clock says, but never before the time that the round is for."""
    return max(now, services.clock())


def _claim(session: Session, now: datetime, at: datetime) -> _Claimed | None:
    """Take the letter that has been due the longest; until the claim is over nobody else takes it."""
    due = session.execute(
        select(Mail.id, Mail.attempts)
        .where(Mail.sent_at.is_(None), Mail.due_at <= now)
        .order_by(Mail.due_at, Mail.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if due is None:
        return None
    claimed = _Claimed(due.id, due.attempts + 1)
    session.execute(update(Mail).where(Mail.id == due.id).values(due_at=at + CLAIM, attempts=claimed.attempt))
    return claimed


def _postpone(session: Session, claimed: _Claimed, at: datetime) -> None:
    """Try again after a wait, unless somebody else has the letter by now."""
    wait = min(FIRST_WAIT * 2 ** min(claimed.attempt - 1, 10), LONGEST_WAIT)
    ours = (Mail.id == claimed.mail_id, Mail.attempts == claimed.attempt, Mail.sent_at.is_(None))
    session.execute(update(Mail).where(*ours).values(due_at=at + wait))


def _email(session: Session, services: Services, mail_id: int) -> Email:
    mail = session.get_one(Mail, mail_id)
    order = session.scalars(
        select(Order)
        .where(Order.id == mail.order_id)
        .options(selectinload(Order.lines), selectinload(Order.adjustments), selectinload(Order.payment))
    ).one()
    amount = mail.data.get("amount")
    facts = {
        "order": order,
        "store": services.settings.store_name,
        "link": order_link(services, order.reference),
        "amount": Money(amount, order.currency).text() if amount is not None else None,
    }
    to = services.settings.merchant_email if mail.kind in TO_MERCHANT else order.email
    return Email(kind=mail.kind, to=to, message_id=mail.message_id, facts=facts)
