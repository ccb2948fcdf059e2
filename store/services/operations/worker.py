"""The worker: what must happen though nobody asks for it. Any number of workers may run at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, Select, and_, exists, false, literal, or_, select, union_all, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import Order, Payment
from store.domain.errors import PaymentMissing, PaymentServiceFailed, PaymentUnavailable, StoreError
from store.domain.states import OrderState, PaymentEvent, PaymentState
from store.gateway.port import CancelReason, HostedPageSnapshot
from store.services import (
    card_testing,
    documents,
    history,
    mail,
    notifications,
    payments,
    repetition,
    taxes,
    transitions,
)
from store.services.database import ROWS_ALONE
from store.services.history import Origin, Source
from store.services.operations import health
from store.services.orders import search
from store.services.partial_indexes import written_out
from store.services.payments import accounts, capturing, refunds, reminders, unmatched_events
from store.services.services import Services

log = structlog.get_logger(__name__)

BATCH = 50
# A claimed order is left to the claimer for this long, so that two processes do not ask about the same one.
CLAIM = timedelta(minutes=1)
# A shopper in the middle of a 3-D Secure challenge is given this much more time, this often.
EXTENSION, MOST_EXTENSIONS = timedelta(minutes=5), 3

# A question that is not answered takes some 13 seconds. After so many in a row the round asks no more, for mail waits.
MOST_UNANSWERED = 3

Work = Callable[[Services, str, datetime], object]


@dataclass(frozen=True)
class _Task:
    """What is done for each order for which `due` holds."""

    due: ColumnElement[bool]
    work: Work


def run(services: Services, now: datetime) -> int:
    """Do all that is due at `now`; returns how many things were done. What fails is logged and comes up again.

    Once the payment service has not answered a few times in a row, what needs it is left to the next round.
    """
    expired = and_(Order.state == OrderState.AWAITING_PAYMENT, Order.expires_at <= now)
    # The payment service is not asked about these. They are found by their order: there are many more that expired.
    unopened = and_(Payment.provider_payment_id.is_(None), Payment.provider_page_id.is_(None))
    never_opened = exists().where(Payment.order_id == Order.id, Payment.live, unopened)
    foreign = _foreign(services)
    left_over = _payment(~Payment.live, Payment.state.not_in(written_out(payments.DECIDED)), ~foreign)
    authorised = Payment.state == PaymentState.AUTHORISED
    to_capture = _payment(authorised, Payment.capture_minor.is_not(None), ~foreign)
    to_release = and_(Order.state != OrderState.AWAITING_PAYMENT, _payment(Payment.live, authorised, ~foreign))
    tasks = (
        _Task(to_capture, capturing.resubmit),  # before what was asked for expires
        _Task(and_(expired, never_opened), _expire),
        _Task(expired, _expire),
        _Task(payments.tested_with_cards(services), payments.stop_card_testing),
        _Task(left_over, payments.cancel_leftovers),
        _Task(to_release, payments.release),
        _Task(_payment(Payment.refund_due, ~foreign), refunds.return_unowed),
        _Task(refunds.requested(Order.id, ~foreign), refunds.resubmit),
        _Task(refunds.out_of_reach(Order.id, foreign), refunds.note_unreachable),
        _Task(taxes.due(foreign), taxes.record),
        _Task(reminders.due(services, now, foreign), reminders.remind),
    )
    done = _Round(services, now).go_through(tasks)
    documents.issue_due(services, now)
    while search.write_keys(services, now):
        pass
    with services.database.transaction() as session:
        health.beat(session, "worker", now)
        unmatched_events.delete_old(session, now)
        card_testing.forget(session, now)
        repetition.forget(session, now)
        notifications.forget(session, now)
    done += mail.send_due(services, now)
    notifications.write(services, now)
    return done + notifications.send_due(services, now)  # last: it waits for other people's servers


def _foreign(services: Services) -> ColumnElement[bool]:
    """Whether a payment is of another account or mode; none is while it cannot be found out which one is ours."""
    try:
        return accounts.foreign(accounts.ask(services))
    except Exception:  # whatever it is, the orders and the mail are not to wait for it
        log.exception("worker failed", work="foreign")
        return false()


def _payment(*conditions: ColumnElement[bool] | InstrumentedAttribute[bool]) -> ColumnElement[bool]:
    """Whether an order has a payment for which all of it holds: a few payments, which an index has."""
    return Order.id.in_(select(Payment.order_id).where(*conditions))


@dataclass
class _Round:
    """One round of the worker. `unanswered` counts the questions in a row that got no answer."""

    services: Services
    now: datetime
    unanswered: int = 0

    def go_through(self, tasks: Sequence[_Task]) -> int:
        """Do what is due of each task, in this order; says how many things were done. Mostly nothing is due, and one
        statement that takes no lock says so. What becomes due meanwhile is left to the next round, as is an order that
        one task has claimed and another one is due for.
        """
        waiting = self._waiting(tasks)
        return sum(self._each(task) for number, task in enumerate(tasks) if number in waiting)

    def _waiting(self, tasks: Sequence[_Task]) -> set[int]:
        """The numbers of the tasks for which an order can be claimed."""
        parts = [
            select(literal(number)).select_from(_claimable(task.due, self.now).limit(1).subquery())
            for number, task in enumerate(tasks)
        ]
        with self.services.database.reading() as session:
            return set(session.scalars(union_all(*parts)))

    def _each(self, task: _Task) -> int:
        """Claim the orders for which the task is due and do it for each; says for how many it was done."""
        if self._is_silent():
            return 0
        with self.services.database.transaction() as session:
            references = _claim(session, task.due, self.now)
        done = 0
        for number, reference in enumerate(references):
            if self._is_silent():
                with self.services.database.transaction() as session:
                    _give_back(session, references[number:], self.now)
                break
            done += self._attempt(task.work, reference)
        return done

    def _is_silent(self) -> bool:
        return self.unanswered >= MOST_UNANSWERED

    def _attempt(self, work: Work, reference: str) -> bool:
        with structlog.contextvars.bound_contextvars(order=reference):
            try:
                work(self.services, reference, self.now)
            except StoreError as failure:
                log.warning("worker put off", order=reference, work=work.__name__, failure=type(failure).__name__)
                # That one request failed says nothing about the next one.
                silence = isinstance(failure, PaymentUnavailable) and not isinstance(failure, PaymentServiceFailed)
                self.unanswered = self.unanswered + 1 if silence else 0
                return False
            except Exception:  # whatever is wrong with one order, the others are not to wait for it
                log.exception("worker failed", order=reference, work=work.__name__)
                return False
            self.unanswered = 0
            return True


def _claimable(due: ColumnElement[bool], now: datetime) -> Select[int]:
    return (
        select(Order.id)
        .where(due, or_(Order.claimed_until.is_(None), Order.claimed_until <= now))
        .order_by(Order.claimed_until.nulls_first(), Order.expires_at)  # what failed before comes after what is new
    )


def _claim(session: Session, due: ColumnElement[bool], now: datetime) -> list[str]:
    orders = _claimable(due, now).limit(BATCH).with_for_update(skip_locked=True, of=Order)
    claim = update(Order).where(Order.id.in_(orders)).values(claimed_until=now + CLAIM).returning(Order.reference)
    return list(session.scalars(claim, execution_options=ROWS_ALONE))


def _give_back(session: Session, references: list[str], now: datetime) -> None:
    """Leave claimed orders to whoever comes next; they come before those that failed."""
    ours = update(Order).where(Order.reference.in_(references), Order.claimed_until == now + CLAIM)
    session.execute(ours.values(claimed_until=None), execution_options=ROWS_ALONE)


def _expire(services: Services, reference: str, now: datetime) -> None:
    """Close an order whose time is over, unless money is on its way: then it is recorded, or waited for."""
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
    payment = order.payment
    if payment.is_opened and not accounts.is_foreign(payment, accounts.known(services)):
        try:
            snapshot = payments.retrieve(services, payment)
        except PaymentMissing:
            payments.close(services, reference, CancelReason.EXPIRED, now)
            return
        made = snapshot.payment if isinstance(snapshot, HostedPageSnapshot) else snapshot
        event = made.event if made is not None else None
        deciding = event is PaymentEvent.PROCESSING
        challenged = event is PaymentEvent.ACTION_REQUIRED and order.extensions < MOST_EXTENSIONS
        authorised = event is PaymentEvent.AUTHORISED and order.authorised_at is None  # and nobody has told it yet
        if deciding or challenged or authorised:
            origin = Origin(Source.WORKER, now)
            with services.database.transaction() as session:
                recorded = payments.record(session, services, snapshot, origin)
                if recorded is not None and not authorised:
                    _extend(session, recorded, origin)
            if recorded is not None and (not authorised or recorded.authorised_at is not None):
                return
    payments.close(services, reference, CancelReason.EXPIRED, now)


def _extend(session: Session, order: Order, origin: Origin) -> None:
    if order.state is OrderState.AWAITING_PAYMENT:
        values = {"expires_at": origin.at + EXTENSION, "extensions": order.extensions + 1}
        transitions.write(session, order, values)
        history.add(session, order, "order.extended", origin, data={"because": order.payment.state})
