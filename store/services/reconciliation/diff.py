"""The difference: what the payment service says of one thing, held against what is recorded here. Nothing is changed.

A snapshot of None stands for a thing that is here and that the service does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Dispute, Order, Payment, Refund
from store.domain.money import Money
from store.domain.states import OrderState, PaymentEvent, PaymentState
from store.gateway.port import DisputeSnapshot, PaymentSnapshot, RefundSnapshot
from store.services.findings import Finding
from store.services.services import Services

T = TypeVar("T")
# Compares one thing, by its id at the payment service.
Check: TypeAlias = Callable[[Session, str, T | None], Iterator[Finding]]

RECEIVED = (PaymentState.PAID, PaymentState.REFUNDED)
GONE = (OrderState.EXPIRED, OrderState.CANCELLED)

RECONCILE = "Run `flask reconcile`."
_NOT_THERE = "Check that STRIPE_SECRET_KEY is of the account and the mode that took it; else find out who wrote it."


@dataclass(frozen=True, slots=True)
class OrderHere:
    """The order that a payment is of; `payment` is None while it has no row of its own, and `live` whether the order
    counts on it or has yet to learn its id.
    """

    order: Order
    payment: Payment | None
    live: bool


def recheck(
    services: Services, name: str, snapshot: T | None, check: Check[T], find: Callable[[str], T | None]
) -> list[Finding]:
    """What differs, asked for once more before it is reported: a snapshot may be older than what the store was told
    since.

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
    """The order that a payment is of: by the payment, else by the reference that it carries."""
    name = snapshot.provider_payment_id
    found = session.execute(
        select(Order, Payment).join(Payment, Payment.order_id == Order.id).where(Payment.provider_payment_id == name)
    ).one_or_none()
    if found is not None:
        return OrderHere(found.Order, found.Payment, found.Payment.live)
    if snapshot.order_reference is None:
        return None
    order = session.scalars(select(Order).where(Order.reference == snapshot.order_reference)).one_or_none()
    return OrderHere(order, None, order.payment.provider_payment_id is None) if order is not None else None


def payment(session: Session, provider_payment_id: str, snapshot: PaymentSnapshot | None) -> Iterator[Finding]:
    """A payment and its order."""
    if snapshot is None:
        reference = _reference(session, provider_payment_id)
        wrong = f"has a payment, {provider_payment_id}, that Stripe does not have."
        yield Finding(f"order {reference}", wrong, _NOT_THERE)
        return
    here = order_of(session, snapshot)
    if here is None:
        yield from _without_order(snapshot)
    elif here.payment is not None or here.live:
        yield from _disagreement(here, snapshot)
    elif snapshot.event is PaymentEvent.PAID:
        wrong = f"was paid a second time, by {provider_payment_id}."
        yield Finding(f"order {here.order.reference}", wrong, RECONCILE)
    elif snapshot.event is not PaymentEvent.CANCELLED:
        wrong = f"has a second payment that is open, {provider_payment_id}."
        yield Finding(f"order {here.order.reference}", wrong, RECONCILE)


def refund(session: Session, provider_refund_id: str, snapshot: RefundSnapshot | None) -> Iterator[Finding]:
    """A refund, at Stripe and here. One of a payment that is not of this store concerns nobody here."""
    row = session.execute(
        select(Refund.state, Refund.amount_minor, Order.reference, Order.currency)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(Refund.provider_refund_id == provider_refund_id)
    ).one_or_none()
    if row is not None:
        subject, here = f"order {row.reference}", Money(row.amount_minor, row.currency)
        if snapshot is None:
            wrong = f"has a refund of {here.text()}, {provider_refund_id}, that Stripe does not have."
            yield Finding(subject, wrong, _NOT_THERE)
        elif snapshot.amount != here:
            there = snapshot.amount.text()
            wrong = f"has a refund, {provider_refund_id}, of {here.text()} here and of {there} at Stripe."
            yield Finding(subject, wrong, "Settle the difference.")
        elif snapshot.event != row.state:
            wrong = f"has a refund, {provider_refund_id}, {row.state} here, {snapshot.event} at Stripe."
            yield Finding(subject, wrong, RECONCILE)
    elif snapshot is not None and (reference := _reference(session, snapshot.provider_payment_id)) is not None:
        wrong = f"has a refund of {snapshot.amount.text()} at Stripe, {provider_refund_id}, that is not here."
        yield Finding(f"order {reference}", wrong, RECONCILE)


def dispute(session: Session, provider_dispute_id: str, snapshot: DisputeSnapshot | None) -> Iterator[Finding]:
    """A dispute, at Stripe and here."""
    row = session.execute(
        select(Dispute.state, Dispute.amount_minor, Order.reference, Order.currency)
        .join(Payment, Payment.id == Dispute.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(Dispute.provider_dispute_id == provider_dispute_id)
    ).one_or_none()
    if row is not None:
        subject, here = f"order {row.reference}", Money(row.amount_minor, row.currency)
        if snapshot is None:
            wrong = f"has a dispute, {provider_dispute_id}, that Stripe does not have."
            yield Finding(subject, wrong, _NOT_THERE)
        elif snapshot.amount != here:
            there = snapshot.amount.text()
            wrong = f"has a dispute, {provider_dispute_id}, of {here.text()} here and of {there} at Stripe."
            yield Finding(subject, wrong, "Go by Stripe's dashboard.")
        elif snapshot.event != row.state:
            wrong = f"has a dispute, {provider_dispute_id}, {row.state} here, {snapshot.event} at Stripe."
            yield Finding(subject, wrong, RECONCILE)
    elif snapshot is not None and (reference := _reference(session, snapshot.provider_payment_id)) is not None:
        wrong = f"has a dispute of {snapshot.amount.text()} at Stripe, {provider_dispute_id}, that is not here."
        yield Finding(f"order {reference}", wrong, RECONCILE)


def _disagreement(here: OrderHere, snapshot: PaymentSnapshot) -> Iterator[Finding]:
    """What an order and a payment of it disagree about: one thing at the most."""
    order, subject, event = here.order, f"order {here.order.reference}", snapshot.event
    state = here.payment.state if here.payment is not None else PaymentState.UNOPENED
    if event is PaymentEvent.PAID:
        if state not in RECEIVED:
            yield Finding(subject, "is paid at Stripe and not here.", RECONCILE)
        elif snapshot.received != order.total:
            yield Finding(subject, f"was paid {snapshot.received.text()} at Stripe.", "Settle the difference.")
    elif state in RECEIVED:
        yield Finding(subject, "is paid here and not at Stripe.", "Send nothing out; find out who wrote it.")
    elif event is PaymentEvent.CANCELLED:
        if here.live and order.state is OrderState.AWAITING_PAYMENT:
            yield Finding(subject, "waits here for a payment that is cancelled at Stripe.", RECONCILE)
    elif event is not PaymentEvent.PROCESSING and (order.state in GONE or not here.live):
        yield Finding(subject, f"is {order.state}, and can still be paid at Stripe.", RECONCILE)


def _reference(session: Session, provider_payment_id: str) -> str | None:
    """The order that has this payment here."""
    return session.scalar(
        select(Order.reference)
        .join(Payment, Payment.order_id == Order.id)
        .where(Payment.provider_payment_id == provider_payment_id)
    )


def _without_order(snapshot: PaymentSnapshot) -> Iterator[Finding]:
    """Money that names an order which is not here. A payment without such a name is another program's."""
    if snapshot.event is PaymentEvent.PAID and snapshot.order_reference is not None:
        yield Finding(
            f"payment {snapshot.provider_payment_id}",
            f"{snapshot.received.text()} came in for order {snapshot.order_reference}, which this store does not have.",
            "Refund it in Stripe's dashboard, or find out which store took it.",
        )
