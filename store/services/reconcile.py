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
from store.gateway.port import CancelReason, Snapshot
from store.services import audit, comparison, disputes, payments, refunds, window
from store.services.findings import Finding
from store.services.ledger import Teller, Told
from store.services.till import Till

BY_HAND = "Compare its timeline with Stripe's dashboard, and settle it by hand."


@dataclass(slots=True)
class Report:
    """`mended` says what was written down that was not known, `left` what only a person can settle."""

    compared: int = 0
    mended: list[str] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)


def run(till: Till, since: datetime, now: datetime) -> Report:
    """Compare everything since then, write down what was not known, and list what disagrees all the same.

    Raises PaymentUnavailable and PaymentMisconfigured; what was written down before that stays.
    """
    told, report, gateway = Told(Teller.RECONCILIATION, now), Report(), till.gateway
    still: list[Finding] = []
    for name, payment in window.payments(till, since):
        report.compared += 1
        if payment is not None:
            payment = _closed_if_needless(till, payment)  # noqa: PLW2901  # the same payment, as it is by then
            _write_down(till, report, name, partial(payments.record, till=till, snapshot=payment, told=told))
        still += comparison.twice(till, name, payment, comparison.payment, gateway.find_payment)
    for name, refund in window.refunds(till, since):
        if refund is not None:
            _write_down(till, report, refund.payment_id, partial(refunds.record, snapshot=refund, told=told))
        still += comparison.twice(till, name, refund, comparison.refund, gateway.find_refund)
    for name, dispute in window.disputes(till, since):
        if dispute is not None:
            _write_down(till, report, dispute.payment_id, partial(disputes.record, snapshot=dispute, told=told))
        still += comparison.twice(till, name, dispute, comparison.dispute, gateway.find_dispute)
    with till.database.reading() as session:
        report.left = _for_a_person(still) + audit.run(session, now)
    return report


def compare(till: Till, since: datetime) -> list[Finding]:
    """What the payment service and the store disagree about since then. Nothing is written. Raises as `run` does."""
    gateway, found = till.gateway, list[Finding]()
    for name, payment in window.payments(till, since):
        found += comparison.twice(till, name, payment, comparison.payment, gateway.find_payment)
    for name, refund in window.refunds(till, since):
        found += comparison.twice(till, name, refund, comparison.refund, gateway.find_refund)
    for name, dispute in window.disputes(till, since):
        found += comparison.twice(till, name, dispute, comparison.dispute, gateway.find_dispute)
    return found


def _closed_if_needless(till: Till, snapshot: Snapshot) -> Snapshot:
    """Cancel a payment that is still open though nobody shall pay it: its order was given up before the store heard
    that it was opened, or has another payment.
    """
    if snapshot.event in (PaymentEvent.PAID, PaymentEvent.CANCELLED):
        return snapshot
    with till.database.reading() as session:
        order = comparison.order_of(session, snapshot)
    spare = order is not None and order.intent_id not in (None, snapshot.payment_id)
    if order is None or not (spare or order.order_state in comparison.GONE):
        return snapshot
    expired = order.order_state is OrderState.EXPIRED and not spare
    return till.gateway.cancel_payment(
        snapshot.payment_id, CancelReason.EXPIRED if expired else CancelReason.REPLACED
    )  # fmt: skip


def _write_down(till: Till, report: Report, payment_id: str, door: Callable[[Session], bool]) -> None:
    """Let a snapshot in by its door, and note what that added to an order's history."""
    with till.database.transaction() as session:
        last = session.scalar(select(func.max(HistoryEntry.id))) or 0
        door(session)
        added = session.execute(
            select(Order.reference, HistoryEntry.what)
            .join(HistoryEntry)
            .join(Payment)
            .where(Payment.intent_id == payment_id, HistoryEntry.id > last)
            .order_by(HistoryEntry.id)
        ).all()
    report.mended += [f"order {row.reference}: {row.what}" for row in added]


def _for_a_person(still: list[Finding]) -> list[Finding]:
    """What reconciling did not mend will not be mended by reconciling again."""
    return [replace(found, remedy=BY_HAND) if found.remedy == comparison.RECONCILE else found for found in still]
