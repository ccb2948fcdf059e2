"""What there is to compare over a window of time: all that the payment service lists, then all that the store knows and
the service did not list.

Each thing comes with the service's name for it, and as the service described it: None when it does not have it. All of
these raise PaymentUnavailable and PaymentMisconfigured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Select, or_, select

from models import Dispute, Order, Payment, Refund
from store.domain.states import OrderState, RefundState
from store.gateway.port import DisputeSnapshot, RefundSnapshot, Snapshot
from store.services.disputes import UNDECIDED
from store.services.till import Till

T = TypeVar("T")


def payments(till: Till, since: datetime) -> Iterator[tuple[str, Snapshot | None]]:
    """Of the store's own, those of orders placed since then, and of every order that waits for its payment."""
    known = (
        select(Payment.intent_id)
        .join(Order)
        .where(Payment.intent_id.is_not(None))
        .where(or_(Order.placed_at >= since, Order.state == OrderState.AWAITING_PAYMENT))
    )
    listed = ((snapshot.payment_id, snapshot) for snapshot in till.gateway.payments_since(since))
    return _both(till, listed, known, till.gateway.find_payment)


def refunds(till: Till, since: datetime) -> Iterator[tuple[str, RefundSnapshot | None]]:
    """Of the store's own, those asked for since then, and every one that is on its way."""
    known = select(Refund.refund_id).where(
        Refund.refund_id.is_not(None), or_(Refund.asked_at >= since, Refund.state == RefundState.PENDING)
    )
    listed = ((snapshot.refund_id, snapshot) for snapshot in till.gateway.refunds_since(since))
    return _both(till, listed, known, till.gateway.find_refund)


def disputes(till: Till, since: datetime) -> Iterator[tuple[str, DisputeSnapshot | None]]:
    """Of the store's own, those opened since then, and every one that is not decided, which takes months, or
    that may have been decided anew: those of orders that are set aside.
    """
    known = (
        select(Dispute.dispute_id)
        .join(Order)
        .where(or_(Dispute.opened_at >= since, Dispute.state.in_(UNDECIDED), Order.needs_review))
    )
    listed = ((snapshot.dispute_id, snapshot) for snapshot in till.gateway.disputes_since(since))
    return _both(till, listed, known, till.gateway.find_dispute)


def _both(
    till: Till,
    listed: Iterable[tuple[str, T]],
    known: Select[str | None],
    find: Callable[[str], T | None],
) -> Iterator[tuple[str, T | None]]:
    seen: set[str] = set()
    for name, snapshot in listed:
        seen.add(name)
        yield name, snapshot
    with till.database.reading() as session:
        unlisted = [name for name in session.scalars(known) if name is not None and name not in seen]
    for name in unlisted:
        yield name, find(name)
