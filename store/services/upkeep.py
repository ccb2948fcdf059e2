"""Upkeep: what must happen though nobody asks for it. Any number of upkeep processes may run at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from models import Order, Payment
from store.domain.errors import StoreError
from store.domain.states import OrderState, PaymentEvent
from store.gateway.port import CancelReason
from store.services import early_news, ledger, mail, payments, refunds
from store.services.ledger import Teller, Told
from store.services.till import Till

log = structlog.get_logger(__name__)

BATCH = 50
# A claimed order is left to the claimer for this long, so that two processes do not ask about the same one.
CLAIM = timedelta(minutes=1)
# A shopper in the middle of a 3-D Secure challenge is given this much more time, this often.
EXTENSION, MOST_EXTENSIONS = timedelta(minutes=5), 3


def run(till: Till, now: datetime) -> int:
    """Do all that is due at `now`; returns how many things were done. What fails is logged and comes up again."""
    awaiting = Order.state == OrderState.AWAITING_PAYMENT
    done = _each(till, now, and_(awaiting, Order.expires_at <= now), _expire)
    done += _each(till, now, and_(awaiting, Payment.declines >= till.settings.max_declines), payments.stop_card_testing)
    done += _each(till, now, Payment.refund_due.is_(True), refunds.return_late_money)
    done += _each(till, now, refunds.requested(Order.id), refunds.ask_again)
    with till.database.transaction() as session:
        early_news.forget_old(session, now)
    return done + mail.send_due(till, now)


def _each(till: Till, now: datetime, due: ColumnElement[bool], work: Callable[[Till, str, datetime], object]) -> int:
    """Claim the orders for which `due` holds and do `work` for each."""
    with till.database.transaction() as session:
        references = _claim(session, due, now)
    return sum(_attempt(till, work, reference, now) for reference in references)


def _attempt(till: Till, work: Callable[[Till, str, datetime], object], reference: str, now: datetime) -> bool:
    with structlog.contextvars.bound_contextvars(order=reference):
        try:
            work(till, reference, now)
        except StoreError as failure:
            log.warning("upkeep put off", order=reference, work=work.__name__, failure=type(failure).__name__)
            return False
        except Exception:  # whatever is wrong with one order, the others are not to wait for it
            log.exception("upkeep failed", order=reference, work=work.__name__)
            return False
        return True


def _claim(session: Session, due: ColumnElement[bool], now: datetime) -> list[str]:
    orders = (
        select(Order.id)
        .join(Payment)
        .where(due, or_(Order.claimed_until.is_(None), Order.claimed_until <= now))
        .order_by(Order.claimed_until.nulls_first(), Order.expires_at)  # what failed before comes after what is new
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=Order)
    )
    claim = update(Order).where(Order.id.in_(orders)).values(claimed_until=now + CLAIM).returning(Order.reference)
    return list(session.scalars(claim.execution_options(synchronize_session=False)))


def _expire(till: Till, reference: str, now: datetime) -> None:
    """Give up an order whose time is over, unless money is on its way: then it is recorded, or waited for."""
    with till.database.transaction() as session:
        order = ledger.lock_by_reference(session, reference)
    if order.intent_id is not None:
        snapshot = till.gateway.retrieve_payment(order.intent_id).snapshot
        deciding = snapshot.event is PaymentEvent.PROCESSING
        challenged = snapshot.event is PaymentEvent.ACTION_REQUIRED and order.extensions < MOST_EXTENSIONS
        if deciding or challenged:
            told = Told(Teller.UPKEEP, now)
            with till.database.transaction() as session:
                payments.record(session, till, snapshot, told)
                _extend(session, reference, told)
            return
    payments.close(till, reference, CancelReason.EXPIRED, now)


def _extend(session: Session, reference: str, told: Told) -> None:
    order = ledger.lock_by_reference(session, reference)
    if order.state is not OrderState.AWAITING_PAYMENT:
        return
    session.execute(
        update(Order)
        .where(Order.id == order.id)
        .values(expires_at=told.at + EXTENSION, extensions=Order.extensions + 1)
    )
    ledger.write(session, order.id, "order.extended", told, detail={"because": order.payment_state})
