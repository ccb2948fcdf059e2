"""What there is to compare over a span of time: all that the payment service lists, then all that the store knows and
the service did not list. What belongs to another account or mode is left out: the store's keys cannot ask about it.

Each thing comes with the service's id for it, and as the service described it: None when it does not have it. All of
these raise PaymentUnavailable and PaymentMisconfigured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, select, union

from models import Dispute, Order, Payment, Refund, Review
from store.domain.states import OrderState, RefundState
from store.gateway.port import DisputeSnapshot, HostedPageSnapshot, PaymentSnapshot, RefundSnapshot
from store.services.partial_indexes import written_out
from store.services.payments import accounts
from store.services.payments.disputes import UNDECIDED
from store.services.payments.recording import DECIDED
from store.services.services import Services

T = TypeVar("T")


def payments(services: Services, since: datetime) -> Iterator[tuple[str, PaymentSnapshot | None]]:
    """Of the store's own, those of orders placed since then, and of every order that waits for its payment."""
    ours = (
        select(Payment.provider_payment_id).join(Order).where(Payment.provider_payment_id.is_not(None), _ours(services))
    )
    known = _any_of(ours, Order.placed_at >= since, Order.state == OrderState.AWAITING_PAYMENT)
    listed = ((snapshot.provider_payment_id, snapshot) for snapshot in services.gateway.list_payments(since))
    return _both(services, listed, known, services.gateway.find_payment)


def hosted_pages(services: Services, since: datetime) -> Iterator[tuple[str, HostedPageSnapshot | None]]:
    """Those that are open, and of the store's own every one whose payment is not decided."""
    ours = select(Payment.provider_page_id).join(Order).where(Payment.provider_page_id.is_not(None), _ours(services))
    undecided = Payment.state.not_in(written_out(DECIDED))
    known = _any_of(ours, Order.state == OrderState.AWAITING_PAYMENT, and_(~Payment.live, undecided))
    listed = ((page.provider_page_id, page) for page in services.gateway.list_open_pages(since))
    return _both(services, listed, known, services.gateway.find_hosted_page)


def refunds(services: Services, since: datetime) -> Iterator[tuple[str, RefundSnapshot | None]]:
    """Of the store's own, those requested since then, and every one that is on its way."""
    ours = (
        select(Refund.provider_refund_id).join(Payment).where(Refund.provider_refund_id.is_not(None), _ours(services))
    )
    known = _any_of(ours, Refund.requested_at >= since, Refund.state == RefundState.PENDING)
    listed = ((snapshot.provider_refund_id, snapshot) for snapshot in services.gateway.list_refunds(since))
    return _both(services, listed, known, services.gateway.find_refund)


def disputes(services: Services, since: datetime) -> Iterator[tuple[str, DisputeSnapshot | None]]:
    """Of the store's own, those opened since then, and every one that is not decided, which takes months, or that may
    have been decided anew: those of orders in review.
    """
    ours = select(Dispute.provider_dispute_id).join(Payment).join(Order).where(_ours(services))
    in_review = Order.id.in_(select(Review.order_id).where(Review.resolved_at.is_(None)))
    known = _any_of(ours, Dispute.opened_at >= since, Dispute.state.in_(written_out(UNDECIDED)), in_review)
    listed = ((snapshot.provider_dispute_id, snapshot) for snapshot in services.gateway.list_disputes(since))
    return _both(services, listed, known, services.gateway.find_dispute)


def _any_of(rows: Select[Any], *conditions: ColumnElement[bool]) -> CompoundSelect[Any]:
    """The rows for which any of these holds. Each is a query of its own, that goes by its index; one query for all of
    them would read every row.
    """
    return union(*(rows.where(condition) for condition in conditions))


def _ours(services: Services) -> ColumnElement[bool]:
    return ~accounts.foreign(accounts.ask(services))


def _both(
    services: Services,
    listed: Iterable[tuple[str, T]],
    known: CompoundSelect[Any],
    find: Callable[[str], T | None],
) -> Iterator[tuple[str, T | None]]:
    seen: set[str] = set()
    for name, snapshot in listed:
        seen.add(name)
        yield name, snapshot
    with services.database.reading() as session:
        unlisted = [name for name in session.scalars(known) if name not in seen]
    for name in unlisted:
        yield name, find(name)
