"""Reconciliation: the payment service and the store compared both ways over a window of time.

What the service says is written down through the same doors as a webhook, which mends all that is safe to mend. The
rest is listed, with what a person should do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models import HistoryEntry, Order, Payment
from store.domain.states import OrderState, PaymentEvent, PaymentState
from store.gateway.port import CancelReason, Snapshot
from store.services import audit, disputes, payments, refunds
from store.services.findings import Finding
from store.services.ledger import Teller, Told
from store.services.till import Till

RECEIVED = (PaymentState.PAID, PaymentState.REFUNDED)


@dataclass(slots=True)
class Report:
    """`mended` says what was written down that was not known, `left` what only a person can settle."""

    compared: int = 0
    mended: list[str] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)


def run(till: Till, since: datetime, now: datetime) -> Report:
    """Compare everything since then, write down what was not known, and audit what results.

    Raises PaymentUnavailable and PaymentMisconfigured; what was written down before that stays.
    """
    told = Told(Teller.RECONCILIATION, now)
    report = Report()
    for snapshot in _payments(till, since):
        report.compared += 1
        snapshot = _closed_if_given_up(till, snapshot)  # noqa: PLW2901  # the same payment, as it is by then
        door = partial(payments.record, till=till, snapshot=snapshot, told=told)
        if not _write_down(till, report, snapshot.payment_id, door):
            report.left += _without_order(snapshot)
    for refund in till.gateway.refunds_since(since):
        _write_down(till, report, refund.payment_id, partial(refunds.record, snapshot=refund, told=told))
    for dispute in till.gateway.disputes_since(since):
        _write_down(till, report, dispute.payment_id, partial(disputes.record, snapshot=dispute, told=told))
    with till.database.reading() as session:
        report.left += audit.run(session, now)
    return report


def compare(till: Till, since: datetime) -> list[Finding]:
    """What the payment service and the store disagree about since then. Nothing is written. Raises as `run` does."""
    return [finding for snapshot in _payments(till, since) for finding in _disagreements(till, snapshot)]


def _payments(till: Till, since: datetime) -> Iterator[Snapshot]:
    """Every payment of the window that the service lists, then every other one that the store knows from it."""
    seen: set[str] = set()
    for snapshot in till.gateway.payments_since(since):
        seen.add(snapshot.payment_id)
        yield snapshot
    with till.database.reading() as session:
        known = session.scalars(
            select(Payment.intent_id)
            .join(Order, Order.id == Payment.order_id)
            .where(Payment.intent_id.is_not(None))
            .where(or_(Order.placed_at >= since, Order.state == OrderState.AWAITING_PAYMENT))
        ).all()
    for payment_id in known:
        if payment_id is not None and payment_id not in seen:
            yield till.gateway.retrieve_payment(payment_id).snapshot


def _closed_if_given_up(till: Till, snapshot: Snapshot) -> Snapshot:
    """Cancel a payment that is still open though its order was given up: the store had not heard that it was opened
    when it gave the order up, so nobody else closes it.
    """
    if snapshot.event in (PaymentEvent.PAID, PaymentEvent.CANCELLED):
        return snapshot
    with till.database.reading() as session:
        state = session.scalar(
            select(Order.state)
            .join(Payment, Payment.order_id == Order.id)
            .where(or_(Payment.intent_id == snapshot.payment_id, Order.reference == (snapshot.order_reference or "")))
        )
    if state not in audit.GONE_ORDERS:
        return snapshot
    reason = CancelReason.EXPIRED if state is OrderState.EXPIRED else CancelReason.REPLACED
    return till.gateway.cancel_payment(snapshot.payment_id, reason)


def _write_down(till: Till, report: Report, payment_id: str, door: Callable[[Session], bool]) -> bool:
    """Let a snapshot in by its door, and note what that added to an order's history."""
    with till.database.transaction() as session:
        last = session.scalar(select(func.max(HistoryEntry.id))) or 0
        ours = door(session)
        added = session.execute(
            select(Order.reference, HistoryEntry.what)
            .join(HistoryEntry, HistoryEntry.order_id == Order.id)
            .join(Payment, Payment.order_id == Order.id)
            .where(Payment.intent_id == payment_id, HistoryEntry.id > last)
            .order_by(HistoryEntry.id)
        ).all()
    report.mended += [f"order {row.reference}: {row.what}" for row in added]
    return ours


def _without_order(snapshot: Snapshot) -> Iterator[Finding]:
    """Money that names an order which is not here. A payment without such a name is another program's."""
    if snapshot.event is PaymentEvent.PAID and snapshot.order_reference is not None:
        yield Finding(
            f"payment {snapshot.payment_id}",
            f"{snapshot.received.text()} came in for order {snapshot.order_reference}, which this store does not have.",
            "Refund it in Stripe's dashboard, or find out which store took it.",
        )


def _disagreements(till: Till, snapshot: Snapshot) -> Iterator[Finding]:
    with till.database.reading() as session:
        row = session.execute(
            select(Order.reference, Order.total_minor, Order.currency, Payment.state, Payment.intent_id)
            .join(Payment, Payment.order_id == Order.id)
            .where(or_(Payment.intent_id == snapshot.payment_id, Order.reference == (snapshot.order_reference or "")))
        ).one_or_none()
    if row is None:
        yield from _without_order(snapshot)
        return
    about, paid = f"order {row.reference}", snapshot.event is PaymentEvent.PAID
    if paid and row.intent_id not in (None, snapshot.payment_id):
        yield Finding(about, f"was paid a second time, by {snapshot.payment_id}.", "Refund one in Stripe's dashboard.")
    elif paid and row.state not in RECEIVED:
        yield Finding(about, "is paid at Stripe and not here.", "Run `flask reconcile`.")
    elif not paid and row.state in RECEIVED:
        yield Finding(about, "is paid here and not at Stripe.", "Send nothing out; find out who wrote it.")
    elif paid and (snapshot.received.minor, snapshot.received.currency) != (row.total_minor, row.currency):
        yield Finding(about, f"was paid {snapshot.received.text()} at Stripe.", "Settle the difference.")
