"""What waits for somebody of the staff: everything that the store has set aside, and cannot finish by itself or has not
finished in time. Each list is a few rows that an index has, the most urgent first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from models import Dispute, Endpoint, Heartbeat, InboxEvent, Mail, Order, Payment, Product, Reconciliation, Refund
from store.domain.states import RefundState
from store.services.mail.outbox import TO_SEND
from store.services.notifications import endpoints
from store.services.orders import listing, reviews
from store.services.orders.listing import OrderFilter, OrderPart, Show
from store.services.orders.reviews import OpenReview
from store.services.partial_indexes import one_written_out, written_out
from store.services.payments.disputes import UNANSWERED, UNDECIDED

MOST = 25  # of one kind
SHIPPED_FROM_HERE = 10  # orders
LATE = timedelta(minutes=10)  # after which what a machine should have done waits for a person
FEW_TRIES = 3  # of a mail
SCARCE = 5  # pieces


@dataclass(frozen=True, slots=True)
class Health:
    """When each was there last: a webhook, the worker, and the moment up to which the payment service was compared with
    the store. None where that never was. `worker_missing`: it should have been there since.
    """

    last_webhook: datetime | None
    worker_at: datetime | None
    compared_until: datetime | None
    worker_missing: bool


@dataclass(frozen=True, slots=True)
class WorkList:
    """`authorised` are orders to ship, and to capture the money of, before their authorisation ends, the oldest first.
    `returning` is money that the store owes back and has not asked anybody to return yet, `unanswered` are refunds that
    it has asked for without an answer. `scarce` are products of which few pieces are left, `stopped` the endpoints of
    other programs that are told nothing any more, for they have taken nothing for days.
    """

    reviews: Sequence[OpenReview]
    disputes: Sequence[Row[Order, Dispute]]
    to_ship: OrderPart
    authorised: OrderPart
    returning: Sequence[Row[Order, Payment]]
    unanswered: Sequence[Row[Order, Refund]]
    mails: Sequence[Row[Order, Mail]]
    events: Sequence[InboxEvent]
    scarce: Sequence[Product]
    stopped: Sequence[Endpoint]
    health: Health


def read(session: Session, now: datetime) -> WorkList:
    """What waits at `now`, at most 25 of each kind."""
    late = now - LATE
    return WorkList(
        reviews=reviews.waiting(session)[:MOST],
        disputes=_disputes(session),
        to_ship=listing.find(
            session, OrderFilter(Show.TO_SHIP, oldest_first=True), most=SHIPPED_FROM_HERE, shipments=True
        ),
        authorised=listing.find(
            session, OrderFilter(Show.AUTHORISED, oldest_first=True), most=SHIPPED_FROM_HERE, shipments=True
        ),
        returning=_returning(session),
        unanswered=_unanswered(session, late),
        mails=_mails(session),
        events=_events(session, late),
        scarce=_scarce(session),
        stopped=endpoints.stopped(session),
        health=_health(session, now),
    )


def _disputes(session: Session) -> Sequence[Row[Order, Dispute]]:
    waiting = (
        select(Order, Dispute)
        .select_from(Dispute)
        .join(Payment)
        .join(Order)
        # The index has the undecided ones; those that are under review are few.
        .where(Dispute.state.in_(written_out(UNDECIDED)), Dispute.state.in_(UNANSWERED))
        .order_by(Dispute.due_by.asc().nulls_last(), Dispute.opened_at)
    )
    return session.execute(waiting.limit(MOST)).all()


def _returning(session: Session) -> Sequence[Row[Order, Payment]]:
    due = select(Order, Payment).join(Payment).where(Payment.refund_due)
    return session.execute(due.order_by(Payment.order_id).limit(MOST)).all()


def _unanswered(session: Session, late: datetime) -> Sequence[Row[Order, Refund]]:
    requested = (
        select(Order, Refund)
        .select_from(Refund)
        .join(Payment)
        .join(Order)
        .where(Refund.state == one_written_out(RefundState.REQUESTED), Refund.requested_at <= late)
    )
    return session.execute(requested.order_by(Refund.requested_at).limit(MOST)).all()


def _mails(session: Session) -> Sequence[Row[Order, Mail]]:
    """Those that the mail server refused for good, then those that it has not taken after a few tries."""
    of_order = select(Order, Mail).join(Mail)
    refused = of_order.where(Mail.failed_at.is_not(None)).order_by(Mail.failed_at)
    stuck = of_order.where(*TO_SEND, Mail.attempts >= FEW_TRIES).order_by(Mail.due_at, Mail.id)
    found = [*session.execute(refused.limit(MOST)), *session.execute(stuck.limit(MOST))]
    return found[:MOST]


def _events(session: Session, late: datetime) -> Sequence[InboxEvent]:
    """One that has just come may be handled at this moment, or be delivered again."""
    failed = select(InboxEvent).where(InboxEvent.handled_at.is_(None), InboxEvent.received_at <= late)
    return session.scalars(failed.order_by(InboxEvent.received_at).limit(MOST)).all()


def _scarce(session: Session) -> Sequence[Product]:
    available = Product.stock - Product.reserved
    few = select(Product).where(available <= SCARCE, ~Product.hidden)
    return session.scalars(few.order_by(available, Product.id).limit(MOST)).all()


def _health(session: Session, now: datetime) -> Health:
    newest = (
        select(InboxEvent.received_at)
        .where(InboxEvent.received_at <= now)
        .order_by(InboxEvent.received_at.desc(), InboxEvent.id.desc())
        .limit(1)
    )
    worker_at = session.scalar(select(Heartbeat.at).where(Heartbeat.name == "worker"))
    compared_until = session.scalar(select(Reconciliation.compared_until))
    return Health(session.scalar(newest), worker_at, compared_until, worker_at is None or worker_at < now - LATE)
