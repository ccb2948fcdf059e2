"""Reconciliation: the payment service and the store compared both ways over a window of time.

What the service says is written down through the same doors as a webhook, which mends all that is safe to mend. The
rest is listed, with what a person should do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import HistoryEntry, Order, Payment
from store.domain.states import OrderState, PaymentEvent
from store.gateway.port import CancelReason, PaymentSnapshot
from store.services import payments
from store.services.findings import Finding
from store.services.operations import audit
from store.services.payments import disputes, refunds
from store.services.reconciliation import collect, diff
from store.services.services import Services
from store.services.transitions import Origin, Source

BY_HAND = "Compare its timeline with Stripe's dashboard, and settle it by hand."


@dataclass(slots=True)
class Report:
    """`mended` says what was written down that was not known, `left` what only a person can settle."""

    compared: int = 0
    repaired: list[str] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)


def repair(services: Services, since: datetime, now: datetime) -> Report:
    """Compare everything since then, write down what was not known, and list what disagrees all the same.

    Raises PaymentUnavailable and PaymentMisconfigured; what was written down before that stays.
    """
    origin, report, gateway = Origin(Source.RECONCILIATION, now), Report(), services.gateway
    still: list[Finding] = []
    for name, payment in collect.payments(services, since):
        report.compared += 1
        if payment is not None:
            payment = _closed_if_needless(services, payment)  # noqa: PLW2901  # the same payment, as it is by then
            _write_down(
                services, report, name, partial(payments.record, services=services, snapshot=payment, origin=origin)
            )
        still += diff.recheck(services, name, payment, diff.payment, gateway.find_payment)
    for name, refund in collect.refunds(services, since):
        if refund is not None:
            _write_down(
                services, report, refund.provider_payment_id, partial(refunds.record, snapshot=refund, origin=origin)
            )
        still += diff.recheck(services, name, refund, diff.refund, gateway.find_refund)
    for name, dispute in collect.disputes(services, since):
        if dispute is not None:
            _write_down(
                services, report, dispute.provider_payment_id, partial(disputes.record, snapshot=dispute, origin=origin)
            )
        still += diff.recheck(services, name, dispute, diff.dispute, gateway.find_dispute)
    with services.database.reading() as session:
        report.left = _for_a_person(still) + audit.run(session, now)
    return report


def compare(services: Services, since: datetime) -> list[Finding]:
    """What the payment service and the store disagree about since then. Nothing is written. Raises as `run` does."""
    gateway, found = services.gateway, list[Finding]()
    for name, payment in collect.payments(services, since):
        found += diff.recheck(services, name, payment, diff.payment, gateway.find_payment)
    for name, refund in collect.refunds(services, since):
        found += diff.recheck(services, name, refund, diff.refund, gateway.find_refund)
    for name, dispute in collect.disputes(services, since):
        found += diff.recheck(services, name, dispute, diff.dispute, gateway.find_dispute)
    return found


def _closed_if_needless(services: Services, snapshot: PaymentSnapshot) -> PaymentSnapshot:
    """Cancel a payment that is still open though nobody shall pay it: its order was given up before the store heard
    that it was opened, or has another payment.
    """
    if snapshot.event in (PaymentEvent.PAID, PaymentEvent.CANCELLED):
        return snapshot
    with services.database.reading() as session:
        order = diff.order_of(session, snapshot)
    spare = order is not None and order.provider_payment_id not in (None, snapshot.provider_payment_id)
    if order is None or not (spare or order.order_state in diff.GONE):
        return snapshot
    expired = order.order_state is OrderState.EXPIRED and not spare
    return services.gateway.cancel_payment(
        snapshot.provider_payment_id, CancelReason.EXPIRED if expired else CancelReason.REPLACED
    )  # fmt: skip


def _write_down(services: Services, report: Report, provider_payment_id: str, door: Callable[[Session], bool]) -> None:
    """Let a snapshot in by its door, and note what that added to an order's history."""
    with services.database.transaction() as session:
        last = session.scalar(select(func.max(HistoryEntry.id))) or 0
        door(session)
        added = session.execute(
            select(Order.reference, HistoryEntry.what)
            .join(HistoryEntry)
            .join(Payment)
            .where(Payment.provider_payment_id == provider_payment_id, HistoryEntry.id > last)
            .order_by(HistoryEntry.id)
        ).all()
    report.repaired += [f"order {row.reference}: {row.what}" for row in added]


def _for_a_person(still: list[Finding]) -> list[Finding]:
    """What reconciling did not mend will not be mended by reconciling again."""
    return [replace(found, remedy=BY_HAND) if found.remedy == diff.RECONCILE else found for found in still]
