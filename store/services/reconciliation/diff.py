"""The difference: what the payment service says of one thing, compared with what is recorded here. Nothing is changed.

A snapshot of None stands for a thing that is here and that the service does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeVar

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from models import Dispute, Order, Payment, Refund
from store.domain.money import Money
from store.domain.states import OrderState, PaymentEvent, PaymentKind, PaymentState
from store.gateway.port import DisputeSnapshot, HostedPageSnapshot, PaymentSnapshot, RefundSnapshot
from store.services.findings import Finding
from store.services.services import Services

T = TypeVar("T")
# Compares one thing, by its id at the payment service.
Check: TypeAlias = Callable[[Session, str, T | None], Iterator[Finding]]

RECEIVED = (PaymentState.PAID, PaymentState.REFUNDED)
GONE = (OrderState.EXPIRED, OrderState.CANCELLED)


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
    """What differs, asked for once more before it is reported: a snapshot may be older than what was
    reported since.

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
        select(Order, Payment).join(Payment).where(Payment.provider_payment_id == name)
    ).one_or_none()
    if found is not None:
        return OrderHere(found.Order, found.Payment, found.Payment.live)
    if snapshot.payment_number is not None:
        return _numbered(session, snapshot.order_reference, snapshot.payment_number)
    if snapshot.order_reference is None:
        return None
    order = session.scalars(select(Order).where(Order.reference == snapshot.order_reference)).one_or_none()
    if order is None:
        return None
    waits = order.payment.kind is PaymentKind.CARD and order.payment.provider_payment_id is None
    return OrderHere(order, None, waits)


def order_of_page(session: Session, snapshot: HostedPageSnapshot) -> OrderHere | None:
    """The order that a hosted page is for: by the page, else by the number that it carries. `payment` is None for a
    page that is not known here; `live` is then whether the order has yet to learn its id.
    """
    found = session.execute(
        select(Order, Payment).join(Payment).where(Payment.provider_page_id == snapshot.provider_page_id)
    ).one_or_none()
    if found is not None:
        return OrderHere(found.Order, found.Payment, found.Payment.live)
    here = _numbered(session, snapshot.order_reference, snapshot.payment_number)
    if here is None or here.payment is None:
        return here
    return OrderHere(here.order, None, here.live and here.payment.provider_page_id is None)


def _numbered(session: Session, reference: str | None, number: int | None) -> OrderHere | None:
    """The order and its payment by the store's own number of that, which is another's in another store."""
    found = session.execute(
        select(Order, Payment).join(Payment).where(Order.reference == reference, Payment.id == number)
    ).one_or_none()
    return OrderHere(found.Order, found.Payment, found.Payment.live) if found is not None else None


def payment(session: Session, provider_payment_id: str, snapshot: PaymentSnapshot | None) -> Iterator[Finding]:
    """A payment and its order."""
    named = {"payment": provider_payment_id}
    if snapshot is None:
        yield Finding(f"order {_reference(session, provider_payment_id)}", "payment_not_there", named)
        return
    here = order_of(session, snapshot)
    if here is None:
        yield from _without_order(snapshot)
    elif here.payment is not None or here.live:
        yield from _disagreement(here, snapshot)
    elif snapshot.event is PaymentEvent.PAID:
        yield Finding(f"order {here.order.reference}", "paid_twice", named)
    elif snapshot.event is not PaymentEvent.CANCELLED:
        yield Finding(f"order {here.order.reference}", "second_payment_open", named)


def hosted_page(session: Session, provider_page_id: str, snapshot: HostedPageSnapshot | None) -> Iterator[Finding]:
    """A hosted page and its order. What was paid on it, a payment says; here is whether anybody can pay, or has to."""
    named = {"payment": provider_page_id}
    if snapshot is None:
        of_page = select(Order.reference).join(Payment).where(Payment.provider_page_id == provider_page_id)
        yield Finding(f"order {session.scalar(of_page)}", "payment_not_there", named)
        return
    here = order_of_page(session, snapshot)
    if here is None:
        return
    order, subject = here.order, f"order {here.order.reference}"
    if snapshot.open and order.state in GONE:
        yield Finding(subject, "still_payable", {"state": str(order.state)})
    elif snapshot.open and not here.live:
        yield Finding(subject, "second_payment_open", named)
    elif not snapshot.open and here.payment is not None and snapshot.payment is None:
        waits = here.live and order.state is OrderState.AWAITING_PAYMENT
        if waits and here.payment.state is not PaymentState.PROCESSING:
            yield Finding(subject, "cancelled_only_there")


def refund(session: Session, provider_refund_id: str, snapshot: RefundSnapshot | None) -> Iterator[Finding]:
    """A refund, at the payment service and here. One of a payment that is not of this store concerns nobody here."""
    row = session.execute(
        select(Refund.state, Refund.amount_minor, Order.reference, Order.currency)
        .select_from(Refund)
        .join(Payment)
        .join(Order)
        .where(Refund.provider_refund_id == provider_refund_id)
    ).one_or_none()
    return _both_sides(session, "refund", provider_refund_id, row, snapshot)


def dispute(session: Session, provider_dispute_id: str, snapshot: DisputeSnapshot | None) -> Iterator[Finding]:
    """A dispute, at the payment service and here."""
    row = session.execute(
        select(Dispute.state, Dispute.amount_minor, Order.reference, Order.currency)
        .select_from(Dispute)
        .join(Payment)
        .join(Order)
        .where(Dispute.provider_dispute_id == provider_dispute_id)
    ).one_or_none()
    return _both_sides(session, "dispute", provider_dispute_id, row, snapshot)


def _both_sides(
    session: Session,
    kind: str,
    name: str,
    row: Row[StrEnum, int, str, str] | None,
    snapshot: RefundSnapshot | DisputeSnapshot | None,
) -> Iterator[Finding]:
    """A refund or a dispute on both sides: there or not, the amount, the state; one difference at the most."""
    data: dict[str, object] = {"id": name}
    if snapshot is not None:
        data |= {"there": snapshot.amount.text(), "event": str(snapshot.event)}
    if row is not None:
        subject, amount = f"order {row.reference}", Money(row.amount_minor, row.currency)
        data |= {"here": amount.text(), "state": str(row.state)}
        if snapshot is None:
            yield Finding(subject, f"{kind}_not_there", data)
        elif snapshot.amount != amount:
            yield Finding(subject, f"{kind}_amount_differs", data)
        elif snapshot.event != row.state:
            yield Finding(subject, f"{kind}_state_differs", data)
    elif snapshot is not None and (reference := _reference(session, snapshot.provider_payment_id)) is not None:
        yield Finding(f"order {reference}", f"{kind}_not_here", data)


def _disagreement(here: OrderHere, snapshot: PaymentSnapshot) -> Iterator[Finding]:
    """What an order and a payment of it disagree about: one thing at the most."""
    order, subject, event = here.order, f"order {here.order.reference}", snapshot.event
    state = here.payment.state if here.payment is not None else PaymentState.UNOPENED
    if event is PaymentEvent.PAID:
        if state not in RECEIVED:
            yield Finding(subject, "paid_only_there")
        elif snapshot.received.minor != _captured(here):
            yield Finding(subject, "received_differs", {"there": snapshot.received.text()})
    elif state in RECEIVED:
        yield Finding(subject, "paid_only_here")
    elif event is PaymentEvent.AUTHORISED and here.live and order.state is OrderState.AWAITING_PAYMENT:
        yield from _authorisation(subject, state)
    elif snapshot.payment_number is not None:
        pass  # whether it can be paid is its page's to say
    elif event is PaymentEvent.CANCELLED:
        if here.live and order.state is OrderState.AWAITING_PAYMENT:
            yield Finding(subject, "cancelled_only_there")
    elif event is not PaymentEvent.PROCESSING and (order.state in GONE or not here.live):
        yield Finding(subject, "still_payable", {"state": str(order.state)})


def _captured(here: OrderHere) -> int:
    """How much should have come in: the order's total, or what was captured of it, in minor units."""
    captured = here.payment.capture_minor if here.payment is not None else None
    return captured if captured is not None else here.order.total_minor


def _authorisation(subject: str, state: PaymentState) -> Iterator[Finding]:
    if state is not PaymentState.AUTHORISED:
        yield Finding(subject, "authorised_only_there")


def _reference(session: Session, provider_payment_id: str) -> str | None:
    """The order that has this payment here."""
    return session.scalar(
        select(Order.reference).join(Payment).where(Payment.provider_payment_id == provider_payment_id)
    )


def _without_order(snapshot: PaymentSnapshot) -> Iterator[Finding]:
    """Money that names an order which is not here. A payment without such a name is another program's."""
    if snapshot.event is PaymentEvent.PAID and snapshot.order_reference is not None:
        data = {"there": snapshot.received.text(), "reference": snapshot.order_reference}
        yield Finding(f"payment {snapshot.provider_payment_id}", "order_not_here", data)
