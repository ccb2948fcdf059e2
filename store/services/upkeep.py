"""Upkeep: what must happen though nobody asks for it. Any number of upkeep processes may run at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Order, Payment
from store.domain.errors import StoreError
from store.domain.states import OrderState, PaymentEvent
from store.gateway.port import CancelReason
from store.services import ledger, payments, refunds
from store.services.ledger import Teller, Told
from store.services.till import Till

log = structlog.get_logger(__name__)

BATCH = 50
# A claimed order is left to the claimer for this long, so that two processes do not ask about the same one.
CLAIM = timedelta(minutes=1)
# A shopper in the middle of a 3-D Secure challenge is given this much more time, this often.
EXTENSION, MOST_EXTENSIONS = timedelta(minutes=5), 3


def run(till: Till, now: datetime) -> int:
    """Do all that is due at `now`; returns how many orders were taken care of. What fails is logged and comes up
    again.
    """
    done = 0
    for work, find in ((_expire, _claim_overdue), (refunds.return_late_money, _refunds_due)):
        for reference in _found(till, find, now):
            done += _attempt(till, work, reference, now)
    return done


def _found(till: Till, find: Callable[[Session, datetime], list[str]], now: datetime) -> list[str]:
    with till.database.transaction() as session:
        return find(session, now)


def _attempt(till: Till, work: Callable[[Till, str, datetime], object], reference: str, now: datetime) -> int:
    try:
        work(till, reference, now)
    except StoreError as failure:
        log.warning("upkeep put off", order=reference, work=work.__name__, failure=type(failure).__name__)
        return 0
    return 1


def _expire(till: Till, reference: str, now: datetime) -> None:
    """Give up an order whose time is over, unless money is on its way: then it is recorded, or waited for."""
    with till.database.transaction() as session:
        order = ledger.lock_by_reference(session, reference)
    if order.intent_id is not None:
        snapshot = till.gateway.retrieve_payment(order.intent_id).snapshot
        deciding = snapshot.event is PaymentEvent.PROCESSING
        challenged = snapshot.event is PaymentEvent.ACTION_REQUIRED and order.extensions < MOST_EXTENSIONS
        if deciding or challenged:
            with till.database.transaction() as session:
                payments.record(session, till, snapshot, Told(Teller.UPKEEP, now))
                _extend(session, reference, now)
            return
    payments.close(till, reference, CancelReason.EXPIRED, now)


def _extend(session: Session, reference: str, now: datetime) -> None:
    order = ledger.lock_by_reference(session, reference)
    if order.state is not OrderState.AWAITING_PAYMENT or order.payment_state in payments.DECIDED:
        return
    session.execute(
        update(Order).where(Order.id == order.id).values(expires_at=now + EXTENSION, extensions=Order.extensions + 1)
    )
    ledger.write(session, order.id, "order.extended", Told(Teller.UPKEEP, now), detail={"because": order.payment_state})


def _claim_overdue(session: Session, now: datetime) -> list[str]:
    due = (
        select(Order.id)
        .where(Order.state == OrderState.AWAITING_PAYMENT, Order.expires_at <= now)
        .where((Order.claimed_until.is_(None)) | (Order.claimed_until <= now))
        .order_by(Order.expires_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    return list(
        session.scalars(
            update(Order).where(Order.id.in_(due)).values(claimed_until=now + CLAIM).returning(Order.reference)
        )
    )


def _refunds_due(session: Session, now: datetime) -> list[str]:
    due = (
        select(Order.id)
        .join(Payment, Payment.order_id == Order.id)
        .where(Payment.refund_due, (Order.claimed_until.is_(None)) | (Order.claimed_until <= now))
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=Order)
    )
    return list(
        session.scalars(
            update(Order).where(Order.id.in_(due)).values(claimed_until=now + CLAIM).returning(Order.reference)
        )
    )
