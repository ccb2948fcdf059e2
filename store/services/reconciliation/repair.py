"""The comparison of the payment service and the store, both ways, and the repair of what is safe to repair.

What the service says is recorded by the same functions as a webhook. The rest is listed, with what a person should do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models import HistoryEntry, Order, Payment
from store.domain.states import OrderState, PaymentEvent
from store.gateway.port import (
    CancelReason,
    DisputeSnapshot,
    HostedPageSnapshot,
    PaymentSnapshot,
    RefundSnapshot,
)
from store.services import payments
from store.services.findings import Finding
from store.services.history import Origin, Source
from store.services.operations import audit
from store.services.payments import disputes, refunds
from store.services.reconciliation import collect, diff
from store.services.services import Services

T = TypeVar("T")


@dataclass(slots=True)
class Report:
    """`repaired` says what was recorded that was not known, `unresolved` what only a person can resolve."""

    compared: int = 0
    repaired: list[str] = field(default_factory=list)
    unresolved: list[Finding] = field(default_factory=list)


def repair(services: Services, since: datetime, now: datetime) -> Report:
    """Compare everything since then, record what was not known, and list what disagrees all the same, and what the
    audit finds in the orders that changed since then.

    Raises PaymentUnavailable and PaymentMisconfigured; what was recorded before that stays.
    """
    origin, report, gateway = Origin(Source.RECONCILIATION, now), Report(), services.gateway
    still: list[Finding] = []
    for name, shown in collect.hosted_pages(services, since):  # first, for a payment on one ends with it
        report.compared += 1
        page = _expired_if_needless(services, shown) if shown is not None else None
        if page is not None:
            _record(services, report, Payment.provider_page_id == name, _payment_recorder(services, page, origin))
        still += diff.recheck(services, name, page, diff.hosted_page, gateway.find_hosted_page)
    for name, listed in collect.payments(services, since):
        report.compared += 1
        payment = _cancelled_if_needless(services, listed) if listed is not None else None
        if payment is not None:
            _record(services, report, Payment.provider_payment_id == name, _payment_recorder(services, payment, origin))
        still += diff.recheck(services, name, payment, diff.payment, gateway.find_payment)
    for name, refund in collect.refunds(services, since):
        if refund is not None:
            _record(services, report, _is_of(refund), _recorder(refunds.record, refund, origin))
        still += diff.recheck(services, name, refund, diff.refund, gateway.find_refund)
    for name, dispute in collect.disputes(services, since):
        if dispute is not None:
            _record(services, report, _is_of(dispute), _recorder(disputes.record, dispute, origin))
        still += diff.recheck(services, name, dispute, diff.dispute, gateway.find_dispute)
    with services.database.reading() as session:
        report.unresolved = _for_a_person(still) + audit.run(session, now, since)
    return report


def compare(services: Services, since: datetime) -> list[Finding]:
    """What the payment service and the store disagree about since then. Nothing is written. Raises as `repair` does."""
    gateway, found = services.gateway, list[Finding]()
    for name, page in collect.hosted_pages(services, since):
        found += diff.recheck(services, name, page, diff.hosted_page, gateway.find_hosted_page)
    for name, payment in collect.payments(services, since):
        found += diff.recheck(services, name, payment, diff.payment, gateway.find_payment)
    for name, refund in collect.refunds(services, since):
        found += diff.recheck(services, name, refund, diff.refund, gateway.find_refund)
    for name, dispute in collect.disputes(services, since):
        found += diff.recheck(services, name, dispute, diff.dispute, gateway.find_dispute)
    return found


def _expired_if_needless(services: Services, page: HostedPageSnapshot) -> HostedPageSnapshot:
    """Expire a page that is open though nobody may pay on it, as `_cancelled_if_needless` does with a payment."""
    if not page.open:
        return page
    with services.database.reading() as session:
        here = diff.order_of_page(session, page)
    if here is None or (here.live and here.order.state not in diff.GONE):
        return page
    return services.gateway.expire_hosted_page(page.provider_page_id)


def _cancelled_if_needless(services: Services, snapshot: PaymentSnapshot) -> PaymentSnapshot:
    """Cancel a payment that is still open though nobody may pay it: its order was closed before the store knew that
    it was created, or has another payment.
    """
    if snapshot.event in (PaymentEvent.PAID, PaymentEvent.CANCELLED) or snapshot.payment_number is not None:
        return snapshot  # what is made on a hosted page ends with that
    with services.database.reading() as session:
        here = diff.order_of(session, snapshot)
    if here is None or not (not here.live or here.order.state in diff.GONE):
        return snapshot
    expired = here.order.state is OrderState.EXPIRED and here.live
    reason = CancelReason.EXPIRED if expired else CancelReason.REPLACED
    return services.gateway.cancel_payment(snapshot.provider_payment_id, reason)


def _is_of(thing: RefundSnapshot | DisputeSnapshot) -> ColumnElement[bool]:
    return Payment.provider_payment_id == thing.provider_payment_id


def _payment_recorder(
    services: Services, snapshot: PaymentSnapshot | HostedPageSnapshot, origin: Origin
) -> Callable[[Session], object]:
    return lambda session: payments.record(session, services, snapshot, origin)


def _recorder(
    record: Callable[[Session, T, Origin], object], snapshot: T, origin: Origin
) -> Callable[[Session], object]:
    return lambda session: record(session, snapshot, origin)


def _record(
    services: Services, report: Report, of_payment: ColumnElement[bool], recorder: Callable[[Session], object]
) -> None:
    """Record a snapshot, and note what that added to an order's history."""
    with services.database.transaction() as session:
        last = session.scalar(select(func.max(HistoryEntry.id))) or 0
        recorder(session)
        added = session.execute(
            select(Order.reference, HistoryEntry.type)
            .join(HistoryEntry)
            .join(Payment)
            .where(of_payment, HistoryEntry.id > last)
            .order_by(HistoryEntry.id)
        ).all()
    report.repaired += [f"order {row.reference}: {row.type}" for row in added]


def _for_a_person(still: list[Finding]) -> list[Finding]:
    """What reconciling did not repair will not be repaired by reconciling again."""
    return [replace(found, unrepaired=True) for found in still]
