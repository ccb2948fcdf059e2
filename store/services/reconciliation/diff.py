"""The comparison: what the payment service says of one thing, held against what is written here. Nothing is changed.

A snapshot of None stands for a thing that is here and that the service does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from models import Dispute, Order, Payment, Refund
from store.domain.money import Money
from store.domain.states import OrderState, PaymentEvent, PaymentState
from store.gateway.port import DisputeSnapshot, PaymentSnapshot, RefundSnapshot
from store.services.findings import Finding
from store.services.services import Services

T = TypeVar("T")
# An order's reference, total and currency, its state and its payment's, and the name of its payment.
OrderHere: TypeAlias = Row[str, int, str, OrderState, PaymentState, str | None]
# Compares one thing, by its name at the payment service.
Check = Callable[[Session, str, T | None], Iterator[Finding]]

RECEIVED = (PaymentState.PAID, PaymentState.REFUNDED)
GONE = (OrderState.EXPIRED, OrderState.CANCELLED)

RECONCILE = "Run `flask reconcile`."
_NOT_THERE = "Check that STRIPE_SECRET_KEY is of the account and the mode that took it; else find out who wrote it."


def recheck(
    services: Services, name: str, snapshot: T | None, check: Check[T], find: Callable[[str], T | None]
) -> list[Finding]:
    """What differs, looked at once more before it is told: a snapshot may be older than what the store heard since.

    Raises PaymentUnavailable and PaymentMisconfigured.
    """
    with services.database.reading() as session:
        differs = bool(list(check(session, name, snapshot)))
    if not differs:
        return []
    now = find(name)
    with services.database.reading() as session:
        return list(check(session, name, now))


def order_of(session: Session, snapshot: PaymentSnapshot) -> OrderHere | None:
    """The order that a payment is of: by the payment, else by the reference it carries."""
    order = (
        select(
            Order.reference,
            Order.total_minor,
            Order.currency,
            Order.state.label("order_state"),
            Payment.state.label("payment_state"),
            Payment.provider_payment_id,
        )
        .join(Payment)
    )  # fmt: skip
    found = session.execute(order.where(Payment.provider_payment_id == snapshot.provider_payment_id)).one_or_none()
    if found is None and snapshot.order_reference is not None:
        found = session.execute(order.where(Order.reference == snapshot.order_reference)).one_or_none()
    return found


def payment(session: Session, provider_payment_id: str, snapshot: PaymentSnapshot | None) -> Iterator[Finding]:
    """A payment and its order."""
    if snapshot is None:
        reference = _reference(session, provider_payment_id)
        yield Finding(
            f"order {reference}", f"has a payment, {provider_payment_id}, that Stripe does not have.", _NOT_THERE
        )
        return
    order = order_of(session, snapshot)
    if order is None:
        yield from _without_order(snapshot)
        return
    if order.provider_payment_id in (None, provider_payment_id):
        yield from _disagreement(order, snapshot)
    elif snapshot.event is PaymentEvent.PAID:
        wrong = f"was paid a second time, by {provider_payment_id}."
        yield Finding(f"order {order.reference}", wrong, "Refund one in Stripe's dashboard.")
    elif snapshot.event is not PaymentEvent.CANCELLED:
        yield Finding(
            f"order {order.reference}", f"has a second payment that is open, {provider_payment_id}.", RECONCILE
        )


def refund(session: Session, provider_refund_id: str, snapshot: RefundSnapshot | None) -> Iterator[Finding]:
    """A refund, at Stripe and here. One of a payment that is not of this store is nobody's business here."""
    row = session.execute(
        select(Refund.state, Refund.amount_minor, Order.reference, Order.currency)
        .join(Order)
        .where(Refund.provider_refund_id == provider_refund_id)
    ).one_or_none()
    if row is not None:
        about, here = f"order {row.reference}", Money(row.amount_minor, row.currency)
        if snapshot is None:
            wrong = f"has a refund of {here.text()}, {provider_refund_id}, that Stripe does not have."
            yield Finding(about, wrong, _NOT_THERE)
        elif snapshot.amount != here:
            wrong = (
                f"has a refund, {provider_refund_id}, of {here.text()} here and of {snapshot.amount.text()} at Stripe."
            )
            yield Finding(about, wrong, "Settle the difference.")
        elif snapshot.event != row.state:
            yield Finding(
                about, f"has a refund, {provider_refund_id}, {row.state} here, {snapshot.event} at Stripe.", RECONCILE
            )
    elif snapshot is not None and (reference := _reference(session, snapshot.provider_payment_id)) is not None:
        wrong = f"has a refund of {snapshot.amount.text()} at Stripe, {provider_refund_id}, that is not here."
        yield Finding(f"order {reference}", wrong, RECONCILE)


def dispute(session: Session, provider_dispute_id: str, snapshot: DisputeSnapshot | None) -> Iterator[Finding]:
    """A dispute, at Stripe and here."""
    row = session.execute(
        select(Dispute.state, Dispute.amount_minor, Order.reference, Order.currency)
        .join(Order)
        .where(Dispute.provider_dispute_id == provider_dispute_id)
    ).one_or_none()
    if row is not None:
        about, here = f"order {row.reference}", Money(row.amount_minor, row.currency)
        if snapshot is None:
            yield Finding(about, f"has a dispute, {provider_dispute_id}, that Stripe does not have.", _NOT_THERE)
        elif snapshot.amount != here:
            there = snapshot.amount.text()
            wrong = f"has a dispute, {provider_dispute_id}, of {here.text()} here and of {there} at Stripe."
            yield Finding(about, wrong, "Go by Stripe's dashboard.")
        elif snapshot.event != row.state:
            wrong = f"has a dispute, {provider_dispute_id}, {row.state} here, {snapshot.event} at Stripe."
            yield Finding(about, wrong, RECONCILE)
    elif snapshot is not None and (reference := _reference(session, snapshot.provider_payment_id)) is not None:
        wrong = f"has a dispute of {snapshot.amount.text()} at Stripe, {provider_dispute_id}, that is not here."
        yield Finding(f"order {reference}", wrong, RECONCILE)


def _disagreement(order: OrderHere, snapshot: PaymentSnapshot) -> Iterator[Finding]:
    """What an order and its own payment disagree about: one thing at the most."""
    about, fact = f"order {order.reference}", snapshot.event
    if fact is PaymentEvent.PAID:
        if order.payment_state not in RECEIVED:
            yield Finding(about, "is paid at Stripe and not here.", RECONCILE)
        elif (snapshot.received.minor, snapshot.received.currency) != (order.total_minor, order.currency):
            yield Finding(about, f"was paid {snapshot.received.text()} at Stripe.", "Settle the difference.")
    elif order.payment_state in RECEIVED:
        yield Finding(about, "is paid here and not at Stripe.", "Send nothing out; find out who wrote it.")
    elif fact is PaymentEvent.CANCELLED:
        if order.order_state is OrderState.AWAITING_PAYMENT:
            yield Finding(about, "waits here for a payment that is cancelled at Stripe.", RECONCILE)
    elif fact is not PaymentEvent.PROCESSING and order.order_state in GONE:
        yield Finding(about, f"is {order.order_state}, and can still be paid at Stripe.", RECONCILE)


def _reference(session: Session, provider_payment_id: str) -> str | None:
    """The order that has this payment here."""
    return session.scalar(
        select(Order.reference)
        .join(Payment)
        .where(Payment.provider_payment_id == provider_payment_id)
    )  # fmt: skip


def _without_order(snapshot: PaymentSnapshot) -> Iterator[Finding]:
    """Money that names an order which is not here. A payment without such a name is another program's."""
    if snapshot.event is PaymentEvent.PAID and snapshot.order_reference is not None:
        yield Finding(
            f"payment {snapshot.provider_payment_id}",
            f"{snapshot.received.text()} came in for order {snapshot.order_reference}, which this store does not have.",
            "Refund it in Stripe's dashboard, or find out which store took it.",
        )
