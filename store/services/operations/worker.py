"""The worker: what must happen though nobody asks for it. Any number of workers may run at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import Order, Payment
from store.domain.errors import StoreError
from store.domain.states import OrderState, PaymentEvent
from store.gateway.port import CancelReason
from store.services import history, mail, payments, transitions
from store.services.history import Origin, Source
from store.services.payments import refunds, unmatched_events
from store.services.services import Services

log = structlog.get_logger(__name__)

BATCH = 50
# A claimed order is left to the claimer for this long, so that two processes do not ask about the same one.
CLAIM = timedelta(minutes=1)
# A shopper in the middle of a 3-D Secure challenge is given this much more time, this often.
EXTENSION, MOST_EXTENSIONS = timedelta(minutes=5), 3

Work = Callable[[Services, str, datetime], object]


def run(services: Services, now: datetime) -> int:
    """Do all that is due at `now`; returns how many things were done. What fails is logged and comes up again."""
    waiting = Order.state == OrderState.AWAITING_PAYMENT
    declined_too_often = _payment(Payment.live, Payment.declines >= services.settings.max_declines)
    left_over = _payment(~Payment.live, Payment.state.not_in(payments.DECIDED))
    done = _each(services, now, and_(waiting, Order.expires_at <= now), _expire)
    done += _each(services, now, and_(waiting, declined_too_often), payments.stop_card_testing)
    done += _each(services, now, left_over, payments.cancel_leftovers)
    done += _each(services, now, _payment(Payment.refund_due), refunds.return_unowed)
    done += _each(services, now, refunds.requested(Order.id), refunds.resubmit)
    with services.database.transaction() as session:
        unmatched_events.delete_old(session, now)
    return done + mail.send_due(services, now)


def _payment(*conditions: ColumnElement[bool] | InstrumentedAttribute[bool]) -> ColumnElement[bool]:
    """Whether an order has a payment for which all of it holds."""
    return exists().where(Payment.order_id == Order.id, *conditions)


def _each(services: Services, now: datetime, due: ColumnElement[bool], work: Work) -> int:
    """Claim the orders for which `due` holds and do `work` for each."""
    with services.database.transaction() as session:
        references = _claim(session, due, now)
    return sum(_attempt(services, work, reference, now) for reference in references)


def _attempt(services: Services, work: Work, reference: str, now: datetime) -> bool:
    with structlog.contextvars.bound_contextvars(order=reference):
        try:
            work(services, reference, now)
        except StoreError as failure:
            log.warning("worker put off", order=reference, work=work.__name__, failure=type(failure).__name__)
            return False
        except Exception:  # whatever is wrong with one order, the others are not to wait for it
            log.exception("worker failed", order=reference, work=work.__name__)
            return False
        return True


def _claim(session: Session, due: ColumnElement[bool], now: datetime) -> list[str]:
    orders = (
        select(Order.id)
        .where(due, or_(Order.claimed_until.is_(None), Order.claimed_until <= now))
        .order_by(Order.claimed_until.nulls_first(), Order.expires_at)  # what failed before comes after what is new
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=Order)
    )
    claim = update(Order).where(Order.id.in_(orders)).values(claimed_until=now + CLAIM).returning(Order.reference)
    return list(session.scalars(claim.execution_options(synchronize_session=False)))


def _expire(services: Services, reference: str, now: datetime) -> None:
    """Close an order whose time is over, unless money is on its way: then it is recorded, or waited for."""
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
    if order.payment.provider_payment_id is not None:
        snapshot = services.gateway.retrieve_payment(order.payment.provider_payment_id).snapshot
        deciding = snapshot.event is PaymentEvent.PROCESSING
        challenged = snapshot.event is PaymentEvent.ACTION_REQUIRED and order.extensions < MOST_EXTENSIONS
        if deciding or challenged:
            origin = Origin(Source.WORKER, now)
            with services.database.transaction() as session:
                recorded = payments.record(session, services, snapshot, origin)
                if recorded is not None:
                    _extend(session, recorded, origin)
            return
    payments.close(services, reference, CancelReason.EXPIRED, now)


def _extend(session: Session, order: Order, origin: Origin) -> None:
    if order.state is OrderState.AWAITING_PAYMENT:
        values = {"expires_at": origin.at + EXTENSION, "extensions": order.extensions + 1}
        transitions.write(session, order, values)
        history.add(session, order, "order.extended", origin, data={"because": order.payment.state})
