"""Mail: decided in the transaction that it tells of, sent by upkeep, dropped never.

A letter is a row of the outbox. A crash between sending it and marking it may send it a second time, with the same
Message-ID, which mail programs show once.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, selectinload

from models import Mail, Order
from store.domain.errors import MailUnavailable
from store.domain.money import Money
from store.gateway.port import Letter
from store.services.ledger import insert_once
from store.services.links import order_link
from store.services.till import Till

BATCH = 50
# The wait after a failed try doubles from the first to the longest; the letter is kept until it is taken.
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)


class Kind(StrEnum):
    ORDER_PAID = "order_paid"
    ORDER_EXPIRED = "order_expired"
    LATE_PAYMENT_RETURNED = "late_payment_returned"
    REFUNDED = "refunded"
    DISPUTE_OPENED = "dispute_opened"


TO_MERCHANT = (Kind.DISPUTE_OPENED,)


def write(
    session: Session, order_id: int, kind: Kind, now: datetime, *, once: str | None = None, **detail: Any
) -> None:
    """Put a letter into the outbox: one for each `once` of an order, by default one of each kind."""
    letter = {
        "order_id": order_id,
        "kind": kind,
        "once": once or kind,
        "message_id": f"<{uuid.uuid4()}@till>",
        "detail": detail,
        "written_at": now,
        "due_at": now,
        "attempts": 0,
    }
    insert_once(session, Mail, letter)


def send_due(till: Till, now: datetime) -> int:
    """Send what is due; returns how many letters were taken. Any number of processes may do this at once."""
    with till.database.transaction() as session:
        claimed = _claim(session, now)
    return sum(_send(till, mail_id, now) for mail_id in claimed)


def _send(till: Till, mail_id: int, now: datetime) -> bool:
    with till.database.reading() as session:
        letter = _letter(session, till, mail_id)
    try:
        till.postman.send(letter)
    except MailUnavailable:
        return False
    with till.database.transaction() as session:
        session.execute(update(Mail).where(Mail.id == mail_id).values(sent_at=now))
    return True


def _claim(session: Session, now: datetime) -> list[int]:
    """Take what is due; until a wait is over nobody else takes the same."""
    due = session.execute(
        select(Mail.id, Mail.attempts)
        .where(Mail.sent_at.is_(None), Mail.due_at <= now)
        .order_by(Mail.due_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    for mail_id, attempts in due:
        wait = min(FIRST_WAIT * 2 ** min(attempts, 10), LONGEST_WAIT)
        session.execute(update(Mail).where(Mail.id == mail_id).values(due_at=now + wait, attempts=attempts + 1))
    return [mail_id for mail_id, _ in due]


def _letter(session: Session, till: Till, mail_id: int) -> Letter:
    mail = session.get_one(Mail, mail_id)
    order = session.scalars(
        select(Order).where(Order.id == mail.order_id).options(selectinload(Order.lines), selectinload(Order.payment))
    ).one()
    amount = mail.detail.get("amount")
    facts = {
        "order": order,
        "store": till.settings.store_name,
        "link": order_link(till, order.reference),
        "amount": Money(amount, order.currency).text() if amount is not None else None,
    }
    to = till.settings.merchant_email if mail.kind in TO_MERCHANT else order.email
    return Letter(kind=mail.kind, to=to, message_id=mail.message_id, facts=facts)
