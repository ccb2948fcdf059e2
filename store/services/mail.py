"""Mail: decided in the transaction that it tells of, sent by upkeep, dropped never.

A letter is a row of the outbox. A crash between sending it and marking it may send it a second time, with the same
Message-ID, which mail programs show once.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from models import Mail
from store.services.ledger import insert_once


class Kind(StrEnum):
    ORDER_PAID = "order_paid"
    ORDER_EXPIRED = "order_expired"
    LATE_PAYMENT_RETURNED = "late_payment_returned"
    REFUNDED = "refunded"
    DISPUTE_OPENED = "dispute_opened"


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
