"""Refunds: those the store asks for and those made elsewhere, told in any order and any number of times.

Each refund is a machine of its own that only goes forward; what was returned of a payment is always the sum of its
refunds that are on their way or done, so the order of events does not matter.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import Order, Payment, Refund
from store.domain.errors import PaymentServiceFailed, RefundRefusal, RefundRefused
from store.domain.money import Money
from store.domain.states import (
    REFUND,
    Moves,
    OrderEvent,
    OrderState,
    PaymentEvent,
    PaymentState,
    RefundState,
    ReservationState,
)
from store.gateway.port import RefundSnapshot
from store.services import mail, stock, transitions
from store.services.services import Services
from store.services.transitions import Answer, LockedOrder, Origin, Source

RETURNING = (RefundState.PENDING, RefundState.SUCCEEDED)
CLAIMED = (RefundState.REQUESTED, *RETURNING)
FAILED = (RefundState.FAILED, RefundState.CANCELLED)


def ask(services: Services, reference: str, amount: Money | None, key: str, origin: Origin) -> RefundState:
    """Return `amount` of an order's payment, or what is left of it; asking again with the same `key` is the same
    refund.

    The request is written down first, so that a crash at any point is mended by asking again. Raises RefundRefused when
    it is more than is left, or nothing is, or the key names a refund of another amount or order; NotFound; and
    PaymentUnavailable and PaymentMisconfigured, after which the request stays written down and upkeep asks again.
    """
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        request = _request(session, order, amount, key, origin)
    if request.state is not RefundState.REQUESTED or order.provider_payment_id is None:
        return request.state
    try:
        snapshot = services.gateway.refund_payment(
            order.provider_payment_id, Money(request.amount_minor, order.total.currency), key, request.attempt
        )
    except RefundRefused:
        with services.database.transaction() as session:
            _refused(session, order.reference, request, origin)
        raise
    except PaymentServiceFailed:
        with services.database.transaction() as session:
            _count_attempt(session, request.id, request.attempt)
        raise
    with services.database.transaction() as session:
        record(session, snapshot, origin)
        return session.scalars(select(Refund.state).where(Refund.id == request.id)).one()


def request(services: Services, reference: str, amount: Money | None, origin: Origin, *, another: bool = False) -> str:
    """Note that `amount` of an order's payment, or what is left of it, shall be returned, as a refund of its own; the
    key to `ask` with. Upkeep asks, too.

    Raises RefundRefused as `ask` does, and while an earlier request of this order is not answered, unless `another`
    says that this one is wanted besides; NotFound.
    """
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        if not another:
            _refuse_beside_unanswered(session, order)
        # Under the order's lock, so that two who ask at once do not go under one name.
        key = next_key(session, reference)
        _request(session, order, amount, key, origin)
    return key


def record(session: Session, snapshot: RefundSnapshot, origin: Origin) -> bool:
    """Write down what a snapshot says of a refund, and what follows for the order. False when it is not of this
    store.
    """
    order = transitions.lock(session, Payment.provider_payment_id == snapshot.provider_payment_id)
    if order is None:
        return False
    refund = _find_or_add(session, order, snapshot, origin)
    before = refund.state  # the update below reaches the object, too
    answer = REFUND.answer(before, snapshot.event)
    if isinstance(answer, Moves):
        detail = {"amount": snapshot.amount.minor}
        session.execute(
            update(Refund)
            .where(Refund.id == refund.id)
            .values(state=answer.to, provider_refund_id=snapshot.provider_refund_id)
        )
        transitions.write(session, order.id, f"refund.{snapshot.event}", origin, before, answer.to, detail)
        settle(session, order, origin)
        if answer.to in FAILED:
            _not_returned(session, order, origin)
        if answer.to is RefundState.SUCCEEDED:
            late = order.reservation is ReservationState.RELEASED and refund.key == late_key(order.reference)
            kind = mail.Kind.LATE_PAYMENT_RETURNED if late else mail.Kind.REFUNDED
            mail.write(session, order.id, kind, origin.at, dedupe_key=f"refund:{snapshot.provider_refund_id}", **detail)
    return True


def settle(session: Session, order: LockedOrder, origin: Origin) -> None:
    """Bring the order's amounts, state and goods in line with its refunds. Does nothing before the payment came in."""
    if order.payment_state not in (PaymentState.PAID, PaymentState.REFUNDED):
        return
    returned = _sum(session, order, RETURNING)
    if returned == order.refunded_minor:
        return
    values: dict[str, object] = {"refunded_minor": returned}
    if returned > order.received_minor:
        transitions.flag_for_review(session, order, "returned_more_than_received", origin, returned=returned)
        values["refunded_minor"] = order.received_minor
    session.execute(update(Payment).where(Payment.order_id == order.id).values(values))
    order.refunded_minor = returned
    if returned >= order.received_minor:
        _all_returned(session, order, origin)
    elif order.payment_state is PaymentState.REFUNDED:
        _no_longer_all_returned(session, order, origin)


def requested(order_id: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Whether an order has a refund that was asked for and is not known to have reached the payment service."""
    return exists().where(Refund.order_id == order_id, Refund.state == RefundState.REQUESTED)


def resubmit(services: Services, reference: str, now: datetime) -> None:
    """Ask for every refund of an order that was written down and not answered. Raises as `ask` does."""
    with services.database.reading() as session:
        keys = session.scalars(
            select(Refund.key).join(Order).where(Order.reference == reference, Refund.state == RefundState.REQUESTED)
        ).all()
    for key in keys:
        if key is not None:
            ask(services, reference, None, key, Origin(Source.WORKER, now))


def late_key(reference: str) -> str:
    """The name of the one refund of money that came when the order was gone."""
    return f"order-{reference}-refund-late"


def next_key(session: Session, reference: str) -> str:
    """A name for one more refund of an order."""
    count = session.scalar(select(func.count(Refund.id)).join(Order).where(Order.reference == reference))
    return f"order-{reference}-refund-{(count or 0) + 1}"


def return_late_money(services: Services, reference: str, now: datetime) -> None:
    """Refund, once, a payment that came for an order that was gone and whose goods are sold. Raises as `ask` does."""
    ask(services, reference, None, late_key(reference), Origin(Source.WORKER, now))


def _refuse_beside_unanswered(session: Session, order: LockedOrder) -> None:
    unanswered = session.scalars(
        select(Refund).where(Refund.order_id == order.id, Refund.state == RefundState.REQUESTED).order_by(Refund.id)
    ).first()
    if unanswered is not None:
        amount = Money(unanswered.amount_minor, order.total.currency)
        raise RefundRefused(RefundRefusal.EARLIER_UNANSWERED, amount, unanswered.asked_at)


def _request(session: Session, order: LockedOrder, amount: Money | None, key: str, origin: Origin) -> Refund:
    known = session.scalars(select(Refund).where(Refund.key == key)).one_or_none()
    if known is not None:
        if known.order_id != order.id:
            raise RefundRefused(RefundRefusal.KEY_OF_ANOTHER_ORDER)
        if amount not in (None, Money(known.amount_minor, order.total.currency)):
            raise RefundRefused(RefundRefusal.KEY_OF_ANOTHER_AMOUNT)
        return known
    left = order.received_minor - _sum(session, order, CLAIMED)
    wanted = amount.minor if amount is not None else left
    if order.payment_state is not PaymentState.PAID or not 0 < wanted <= left:
        raise RefundRefused(RefundRefusal.TOO_MUCH, Money(max(left, 0), order.total.currency))
    if amount is not None and amount.currency != order.total.currency:
        raise RefundRefused(RefundRefusal.OTHER_CURRENCY, Money(left, order.total.currency))
    refund = Refund(order_id=order.id, state=RefundState.REQUESTED, key=key, amount_minor=wanted, asked_at=origin.at)
    session.add(refund)
    session.flush()
    transitions.write(session, order.id, "refund.requested", origin, None, refund.state, {"amount": wanted})
    return refund


def _count_attempt(session: Session, refund_row: int, attempt: int) -> None:
    """Have the next request carry a new name: the failure is remembered under the old one. The payment service is asked
    for a refund of this key first, and those who failed together count once, so that it is made once.
    """
    session.execute(
        update(Refund).where(Refund.id == refund_row, Refund.attempt == attempt).values(attempt=attempt + 1)
    )


def _refused(session: Session, reference: str, request: Refund, origin: Origin) -> None:
    """The payment service will not return this money; a person must find out why. Nothing, where the refund was told of
    in the meantime.
    """
    order = transitions.lock_by_reference(session, reference)
    still_requested = update(Refund).where(Refund.id == request.id, Refund.state == RefundState.REQUESTED)
    moved = session.scalar(still_requested.values(state=RefundState.FAILED).returning(Refund.id))
    if moved is None:
        return
    detail = {"amount": request.amount_minor}
    transitions.write(session, order.id, "refund.failed", origin, RefundState.REQUESTED, RefundState.FAILED, detail)
    session.execute(update(Payment).where(Payment.order_id == order.id).values(refund_due=False))
    transitions.flag_for_review(session, order, "refund_refused", origin)


def _find_or_add(session: Session, order: LockedOrder, snapshot: RefundSnapshot, origin: Origin) -> Refund:
    """The row of this refund: by its id, by the key the store asked with, or a new one for a refund made elsewhere."""
    of_order = select(Refund).where(Refund.order_id == order.id)
    found = session.scalars(of_order.where(Refund.provider_refund_id == snapshot.provider_refund_id)).one_or_none()
    if found is None and snapshot.key is not None:
        found = session.scalars(
            of_order.where(Refund.key == snapshot.key, Refund.provider_refund_id.is_(None))
        ).one_or_none()
    if found is None:
        found = Refund(
            order_id=order.id,
            state=RefundState.REQUESTED,
            provider_refund_id=snapshot.provider_refund_id,
            amount_minor=snapshot.amount.minor,
            asked_at=origin.at,
        )
        session.add(found)
        session.flush()
    return found


def _sum(session: Session, order: LockedOrder, states: tuple[RefundState, ...]) -> int:
    total = select(func.sum(Refund.amount_minor))
    # PostgreSQL sums big integers into a decimal.
    return int(session.scalar(total.where(Refund.order_id == order.id, Refund.state.in_(states))) or 0)


def _all_returned(session: Session, order: LockedOrder, origin: Origin) -> None:
    """Nothing of the money is left: goods that were not sent go back to the shelf."""
    shipped = order.state is OrderState.FULFILLED
    transitions.move_payment(session, order, PaymentEvent.REFUNDED, origin, noted=True)
    moved = transitions.move_order(session, order, OrderEvent.MONEY_RETURNED, origin)
    session.execute(update(Payment).where(Payment.order_id == order.id).values(refund_due=False))
    if moved is Answer.MOVED and not shipped:
        stock.free(session, order)


def _not_returned(session: Session, order: LockedOrder, origin: Origin) -> None:
    """The bank did not take a refund, be it a part or all: the shopper waits for money, so a person finds another
    way. Asking again under the same name would find the same failed refund.
    """
    session.execute(update(Payment).where(Payment.order_id == order.id).values(refund_due=False))
    transitions.flag_for_review(session, order, "refund_failed", origin, reservation=order.reservation)


def _no_longer_all_returned(session: Session, order: LockedOrder, origin: Origin) -> None:
    """A refund failed after all: the money is here, so the goods are owed again."""
    transitions.move_payment(session, order, PaymentEvent.REFUND_FAILED, origin, noted=True)
    transitions.move_order(session, order, OrderEvent.REFUND_FAILED, origin)
    stock.sell(session, order)
