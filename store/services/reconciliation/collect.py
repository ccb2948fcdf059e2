"""What there is to compare over a span of time: all that the payment service lists, then all that the store knows and
the service did not list. What belongs to another account or mode is left out: the store's keys cannot ask about it.

Each thing comes with the service's id for it, and as the service described it: None when it does not have it. All of
these raise PaymentUnavailable and PaymentMisconfigured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, or_, select

from models import Dispute, Order, Payment, Refund
from store.domain.states import OrderState, RefundState
from store.gateway.port import DisputeSnapshot, PaymentSnapshot, RefundSnapshot
from store.services.payments import accounts
from store.services.payments.disputes import UNDECIDED
from store.services.services import Services

T = TypeVar("T")


def payments(services: Services, since: datetime) -> Iterator[tuple[str, PaymentSnapshot | None]]:
    """Of the store's own, those of orders placed since then, and of every order that waits for its payment."""
    known = (
        select(Payment.provider_payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.provider_payment_id.is_not(None))
        .where(or_(Order.placed_at >= since, Order.state == OrderState.AWAITING_PAYMENT), _ours(services))
    )
    listed = ((snapshot.provider_payment_id, snapshot) for snapshot in services.gateway.list_payments(since))
    return _both(services, listed, known, services.gateway.find_payment)


def refunds(services: Services, since: datetime) -> Iterator[tuple[str, RefundSnapshot | None]]:
    """Of the store's own, those requested since then, and every one that is on its way."""
    known = (
        select(Refund.provider_refund_id)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.provider_refund_id.is_not(None))
        .where(or_(Refund.requested_at >= since, Refund.state == RefundState.PENDING), _ours(services))
    )
    listed = ((snapshot.provider_refund_id, snapshot) for snapshot in services.gateway.list_refunds(since))
    return _both(services, listed, known, services.gateway.find_refund)


def disputes(services: Services, since: datetime) -> Iterator[tuple[str, DisputeSnapshot | None]]:
    """Of the store's own, those opened since then, and every one that is not decided, which takes months, or that may
    have been decided anew: those of orders in review.
    """
    known = (
        select(Dispute.provider_dispute_id)
        .join(Payment, Payment.id == Dispute.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(or_(Dispute.opened_at >= since, Dispute.state.in_(UNDECIDED), Order.needs_review), _ours(services))
    )
    listed = ((snapshot.provider_dispute_id, snapshot) for snapshot in services.gateway.list_disputes(since))
    return _both(services, listed, known, services.gateway.find_dispute)


def _ours(services: Services) -> ColumnElement[bool]:
    return ~accounts.foreign(accounts.ask(services))


def _both(
    services: Services,
    listed: Iterable[tuple[str, T]],
    known: Select[str | None],
    find: Callable[[str], T | None],
) -> Iterator[tuple[str, T | None]]:
    seen: set[str] = set()
    for name, snapshot in listed:
        seen.add(name)
        yield name, snapshot
    with services.database.reading() as session:
        unlisted = [name for name in session.scalars(known) if name is not None and name not in seen]
    for name in unlisted:
        yield name, find(name)
