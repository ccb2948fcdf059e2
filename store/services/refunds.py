"""Refunds: those the store asks for and those made elsewhere, told in any order and any number of times.

Each refund is a machine of its own that only goes forward; what was returned of a payment is always the sum of its
refunds that are on their way or done, so the order of events does not matter.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import Order, Payment, Refund
from store.domain.errors import PaymentServiceFailed, RefundRefused
from store.domain.money import Money
from store.domain.states import (
    REFUND,
    GoodsState,
    Moves,
    OrderEvent,
    OrderState,
    PaymentEvent,
    PaymentState,
    RefundState,
)
from store.gateway.port import RefundSnapshot
from store.services import ledger, mail, stock
from store.services.ledger import Answer, LockedOrder, Teller, Told
from store.services.till import Till

RETURNING = (RefundState.PENDING, RefundState.SUCCEEDED)
CLAIMED = (RefundState.REQUESTED, *RETURNING)
FAILED = (RefundState.FAILED, RefundState.CANCELLED)


def ask(till: Till, reference: str, amount: Money | None, key: str, told: Told) -> RefundState:
    """Return `amount` of an order's payment, or what is left of it; asking again with the same `key` is the same
    refund.

    The request is written down first, so that a crash at any point is mended by asking again. Raises RefundRefused when
    it is more than is left, or nothing is, or the key names a refund of another amount or order; NotFound; and
    PaymentUnavailable and PaymentMisconfigured, after which the request stays written down and upkeep asks again.
    """
    with till.database.transaction() as session:
        order = ledger.lock_by_reference(session, reference)
        request = _request(session, order, amount, key, told)
    if request.state is not RefundState.REQUESTED or order.intent_id is None:
        return request.state
    try:
        snapshot = till.gateway.refund_payment(
            order.intent_id, Money(request.amount_minor, order.total.currency), key, request.attempt
        )
    except RefundRefused:
        with till.database.transaction() as session:
            _refused(session, order.reference, request, told)
        raise
    except PaymentServiceFailed:
        with till.database.transaction() as session:
            _count_attempt(session, request.id, request.attempt)
        raise
    with till.database.transaction() as session:
        record(session, snapshot, told)
        return session.scalars(select(Refund.state).where(Refund.id == request.id)).one()


def write_down(till: Till, reference: str, amount: Money | None, told: Told, *, another: bool = False) -> str:
    """Note that `amount` of an order's payment, or what is left of it, shall be returned, as a refund of its own; the
    key to `ask` with. Upkeep asks, too.

    Raises RefundRefused as `ask` does, and while an earlier request of this order is not answered, unless `another`
    says that this one is wanted besides; NotFound.
    """
    with till.database.transaction() as session:
        order = ledger.lock_by_reference(session, reference)
        if not another:
            _refuse_beside_unanswered(session, order)
        # Under the order's lock, so that two who ask at once do not go under one name.
        key = next_key(session, reference)
        _request(session, order, amount, key, told)
    return key


def record(session: Session, snapshot: RefundSnapshot, told: Told) -> bool:
    """Write down what a snapshot says of a refund, and what follows for the order. False when it is not of this
    store.
    """
    order = ledger.lock(session, Payment.intent_id == snapshot.payment_id)
    if order is None:
        return False
    refund = _find_or_add(session, order, snapshot, told)
    before = refund.state  # the update below reaches the object, too
    answer = REFUND.answer(before, snapshot.event)
    if isinstance(answer, Moves):
        detail = {"amount": snapshot.amount.minor}
        session.execute(
            update(Refund).where(Refund.id == refund.id).values(state=answer.to, refund_id=snapshot.refund_id)
        )
        ledger.write(session, order.id, f"refund.{snapshot.event}", told, before, answer.to, detail)
        settle(session, order, told)
        if answer.to in FAILED:
            _not_returned(session, order, told)
        if answer.to is RefundState.SUCCEEDED:
            late = order.goods is GoodsState.FREE and refund.key == late_key(order.reference)
            kind = mail.Kind.LATE_PAYMENT_RETURNED if late else mail.Kind.REFUNDED
            mail.write(session, order.id, kind, told.at, once=f"refund:{snapshot.refund_id}", **detail)
    return True


def settle(session: Session, order: LockedOrder, told: Told) -> None:
    """Bring the order's amounts, state and goods in line with its refunds. Does nothing before the payment came in."""
    if order.payment_state not in (PaymentState.PAID, PaymentState.REFUNDED):
        return
    returned = _sum(session, order, RETURNING)
    if returned == order.refunded_minor:
        return
    values: dict[str, object] = {"refunded_minor": returned}
    if returned > order.received_minor:
        ledger.flag_for_review(session, order, "returned_more_than_received", told, returned=returned)
        values["refunded_minor"] = order.received_minor
    session.execute(update(Payment).where(Payment.order_id == order.id).values(values))
    order.refunded_minor = returned
    if returned >= order.received_minor:
        _all_returned(session, order, told)
    elif order.payment_state is PaymentState.REFUNDED:
        _no_longer_all_returned(session, order, told)


def requested(order_id: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Whether an order has a refund that was asked for and is not known to have reached the payment service."""
    return exists().where(Refund.order_id == order_id, Refund.state == RefundState.REQUESTED)


def ask_again(till: Till, reference: str, now: datetime) -> None:
    """Ask for every refund of an order that was written down and not answered. Raises as `ask` does."""
    with till.database.reading() as session:
        keys = session.scalars(
            select(Refund.key).join(Order).where(Order.reference == reference, Refund.state == RefundState.REQUESTED)
        ).all()
    for key in keys:
        if key is not None:
            ask(till, reference, None, key, Told(Teller.UPKEEP, now))


def late_key(reference: str) -> str:
    """The name of the one refund of money that came when the order was gone."""
    return f"order-{reference}-refund-late"


def next_key(session: Session, reference: str) -> str:
    """A name for one more refund of an order."""
    count = session.scalar(select(func.count(Refund.id)).join(Order).where(Order.reference == reference))
    return f"order-{reference}-refund-{(count or 0) + 1}"


def return_late_money(till: Till, reference: str, now: datetime) -> None:
    """Refund, once, a payment that came for an order that was gone and whose goods are sold. Raises as `ask` does."""
    ask(till, reference, None, late_key(reference), Told(Teller.UPKEEP, now))


def _refuse_beside_unanswered(session: Session, order: LockedOrder) -> None:
    unanswered = session.scalars(
        select(Refund).where(Refund.order_id == order.id, Refund.state == RefundState.REQUESTED).order_by(Refund.id)
    ).first()
    if unanswered is not None:
        amount = Money(unanswered.amount_minor, order.total.currency).text()
        asked_at = f"{unanswered.asked_at:%Y-%m-%d %H:%M} UTC"
        raise RefundRefused(
            f"A refund of {amount} of this order, asked for at {asked_at}, is not answered "
            "yet. Upkeep asks for it until it is made; `flask refund --another` asks for one besides."
        )


def _request(session: Session, order: LockedOrder, amount: Money | None, key: str, told: Told) -> Refund:
    known = session.scalars(select(Refund).where(Refund.key == key)).one_or_none()
    if known is not None:
        if known.order_id != order.id:
            raise RefundRefused("This refund was asked for under the name of another order's.")
        if amount not in (None, Money(known.amount_minor, order.total.currency)):
            raise RefundRefused("This refund was asked for before, with another amount.")
        return known
    left = order.received_minor - _sum(session, order, CLAIMED)
    wanted = amount.minor if amount is not None else left
    if order.payment_state is not PaymentState.PAID or not 0 < wanted <= left:
        remaining = Money(max(left, 0), order.total.currency)
        raise RefundRefused(f"Up to {remaining.text()} of this order can be refunded.")
    if amount is not None and amount.currency != order.total.currency:
        raise RefundRefused(f"This order was paid in {order.total.currency.upper()}.")
    refund = Refund(order_id=order.id, state=RefundState.REQUESTED, key=key, amount_minor=wanted, asked_at=told.at)
    session.add(refund)
    session.flush()
    ledger.write(session, order.id, "refund.requested", told, None, refund.state, {"amount": wanted})
    return refund


def _count_attempt(session: Session, refund_row: int, attempt: int) -> None:
    """Have the next request carry a new name: the failure is remembered under the old one. The payment service is asked
    for a refund of this key first, and those who failed together count once, so that it is made once.
    """
    session.execute(
        update(Refund).where(Refund.id == refund_row, Refund.attempt == attempt).values(attempt=attempt + 1)
    )


def _refused(session: Session, reference: str, request: Refund, told: Told) -> None:
    """The payment service will not return this money; a person must find out why. Nothing, where the refund was told of
    in the meantime.
    """
    order = ledger.lock_by_reference(session, reference)
    still_requested = update(Refund).where(Refund.id == request.id, Refund.state == RefundState.REQUESTED)
    moved = session.scalar(still_requested.values(state=RefundState.FAILED).returning(Refund.id))
    if moved is None:
        return
    detail = {"amount": request.amount_minor}
    ledger.write(session, order.id, "refund.failed", told, RefundState.REQUESTED, RefundState.FAILED, detail)
    session.execute(update(Payment).where(Payment.order_id == order.id).values(refund_due=False))
    ledger.flag_for_review(session, order, "refund_refused", told)


def _find_or_add(session: Session, order: LockedOrder, snapshot: RefundSnapshot, told: Told) -> Refund:
    """The row of this refund: by its id, by the key the store asked with, or a new one for a refund made elsewhere."""
    of_order = select(Refund).where(Refund.order_id == order.id)
    found = session.scalars(of_order.where(Refund.refund_id == snapshot.refund_id)).one_or_none()
    if found is None and snapshot.key is not None:
        found = session.scalars(of_order.where(Refund.key == snapshot.key, Refund.refund_id.is_(None))).one_or_none()
    if found is None:
        found = Refund(
            order_id=order.id,
            state=RefundState.REQUESTED,
            refund_id=snapshot.refund_id,
            amount_minor=snapshot.amount.minor,
            asked_at=told.at,
        )
        session.add(found)
        session.flush()
    return found


def _sum(session: Session, order: LockedOrder, states: tuple[RefundState, ...]) -> int:
    total = select(func.sum(Refund.amount_minor))
    # PostgreSQL sums big integers into a decimal.
    return int(session.scalar(total.where(Refund.order_id == order.id, Refund.state.in_(states))) or 0)


def _all_returned(session: Session, order: LockedOrder, told: Told) -> None:
    """Nothing of the money is left: goods that were not sent go back to the shelf."""
    shipped = order.state is OrderState.FULFILLED
    ledger.move_payment(session, order, PaymentEvent.REFUNDED, told, noted=True)
    moved = ledger.move_order(session, order, OrderEvent.MONEY_RETURNED, told)
    session.execute(update(Payment).where(Payment.order_id == order.id).values(refund_due=False))
    if moved is Answer.MOVED and not shipped:
        stock.free(session, order)


def _not_returned(session: Session, order: LockedOrder, told: Told) -> None:
    """The bank did not take a refund, be it a part or all: the shopper waits for money, so a person finds another
    way. Asking again under the same name would find the same failed refund.
    """
    session.execute(update(Payment).where(Payment.order_id == order.id).values(refund_due=False))
    ledger.flag_for_review(session, order, "refund_failed", told, goods=order.goods)


def _no_longer_all_returned(session: Session, order: LockedOrder, told: Told) -> None:
    """A refund failed after all: the money is here, so the goods are owed again."""
    ledger.move_payment(session, order, PaymentEvent.REFUND_FAILED, told, noted=True)
    ledger.move_order(session, order, OrderEvent.REFUND_FAILED, told)
    stock.sell(session, order)
