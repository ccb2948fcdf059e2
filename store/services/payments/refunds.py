"""Refunds: those the store requests and those made elsewhere, reported in any order and any number of times.

Each refund is a machine of its own that only goes forward. What was returned of a payment is always the sum of its
refunds that are on their way or done, so the order of events does not matter.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import Dispute, Order, Payment, Refund, Review
from store.domain.errors import PaymentMissing, PaymentServiceFailed, RefundRefusal, RefundRefused
from store.domain.money import Money, smallest_step
from store.domain.states import (
    OrderEvent,
    OrderState,
    PaymentEvent,
    PaymentState,
    RefundEvent,
    RefundState,
    ReservationState,
)
from store.gateway.port import RefundSnapshot
from store.services import history, mail, stock, transitions
from store.services.history import Origin, Source
from store.services.orders import reviews
from store.services.payments import accounts
from store.services.payments.disputes import CHARGED_BACK
from store.services.services import Services

RETURNING = (RefundState.PENDING, RefundState.SUCCEEDED)
CLAIMED = (RefundState.REQUESTED, *RETURNING)
FAILED = (RefundState.FAILED, RefundState.CANCELLED)
RECEIVED = (PaymentState.PAID, PaymentState.REFUNDED)


def request(services: Services, reference: str, amount: Money | None, origin: Origin, *, another: bool = False) -> str:
    """Note that `amount` of an order's live payment, or what is left of it, is to be returned, as a refund of its own;
    the key to `submit` it with. The worker submits it, too.

    Raises RefundRefused as `submit` does, while the payment is charged back, when it is of another account, and while
    an earlier request of this order is not answered, unless `another` says that this one is wanted besides; NotFound.
    """
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        if accounts.is_foreign(order.payment, accounts.known(services)):
            raise RefundRefused(RefundRefusal.OTHER_ACCOUNT)
        _refuse_while_charged_back(session, order)
        if not another:
            _refuse_beside_unanswered(session, order)
        # Under the order's lock, so that two who request at once do not get one key.
        key = next_key(session, order)
        _request(session, order, order.payment, amount, key, origin)
    return key


def submit(services: Services, reference: str, amount: Money | None, key: str, origin: Origin) -> RefundState:
    """Return `amount` of an order's live payment, or what is left of it; the same `key` again is the same refund.

    The request is written first, so that a crash at any point is repaired by submitting it again. Raises RefundRefused
    when it is more than is left, or nothing is, or no amount that the currency has, or the key names a refund of
    another amount or order; NotFound; and PaymentUnavailable and PaymentMisconfigured, after which the request stays
    and the worker submits it again.
    """
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        refund = _request(session, order, order.payment, amount, key, origin)
        payment = session.get_one(Payment, refund.payment_id)
    return _ask(services, order, payment, refund, origin)


def resubmit(services: Services, reference: str, now: datetime) -> None:
    """Submit every refund of an order that was requested and not answered. Raises as `submit` does."""
    with services.database.reading() as session:
        keys = session.scalars(
            select(Refund.key)
            .join(Payment, Payment.id == Refund.payment_id)
            .join(Order, Order.id == Payment.order_id)
            .where(Order.reference == reference, Refund.state == RefundState.REQUESTED)
        ).all()
    for key in keys:
        if key is not None:
            submit(services, reference, None, key, Origin(Source.WORKER, now))


def note_unreachable(services: Services, reference: str, now: datetime) -> None:
    """Have a person look at the refunds of an order that cannot be asked for, for they are of payments of another
    account or mode. They stay requested, and are made once the keys of that account are back.
    """
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        for payment in session.scalars(select(Payment).where(Payment.order_id == order.id)):
            if accounts.is_foreign(payment, accounts.known(services)):
                accounts.note_unreachable(session, order, payment, Origin(Source.WORKER, now), missing=False)


def return_unowed(services: Services, reference: str, now: datetime) -> None:
    """Refund, once and whole, every payment of an order that it has no claim to: one that came when the order was gone
    and its stock sold, one that was received beside another. Raises as `submit` does.
    """
    with services.database.reading() as session:
        due = session.scalars(
            select(Payment)
            .join(Order, Order.id == Payment.order_id)
            .where(Order.reference == reference, Payment.refund_due)
        ).all()
    origin = Origin(Source.WORKER, now)
    for payment in due:
        with services.database.transaction() as session:
            order = transitions.lock_by_reference(session, reference)
            locked = session.get_one(Payment, payment.id)
            session.refresh(locked)
            refund = _request(session, order, locked, None, unowed_key(locked), origin)
        _ask(services, order, locked, refund, origin)


def record(session: Session, snapshot: RefundSnapshot, origin: Origin) -> Order | None:
    """Record what a snapshot says of a refund, and what follows for its order; returns the order, locked, or None when
    the refund is not of this store.
    """
    found = transitions.lock_payment(session, snapshot.provider_payment_id)
    if found is None:
        return None
    order, payment = found
    record_of(session, order, payment, snapshot, origin)
    return order


def record_of(session: Session, order: Order, payment: Payment, snapshot: RefundSnapshot, origin: Origin) -> None:
    """Record a refund of a payment whose order is locked."""
    refund = _find_or_add(session, payment, snapshot, origin)
    data = {"amount": snapshot.amount.minor}
    values = {"provider_refund_id": snapshot.provider_refund_id}
    moved = transitions.apply(session, order, refund, snapshot.event, origin, values=values, data=data)
    if not moved.applied:
        return
    recompute(session, order, payment, origin)
    if moved.after in FAILED:
        _not_returned(session, order, payment, snapshot.provider_refund_id, origin)
        dedupe_key = f"refund-failed:{snapshot.provider_refund_id}"
        mail.write(session, order, mail.Kind.REFUND_FAILED, origin.at, dedupe_key=dedupe_key, **data)
    if moved.after is RefundState.SUCCEEDED:
        dedupe_key = f"refund:{snapshot.provider_refund_id}"
        mail.write(session, order, _mail_of(order, payment, refund), origin.at, dedupe_key=dedupe_key, **data)


def recompute(session: Session, order: Order, payment: Payment, origin: Origin) -> None:
    """Bring amounts, states and stock in line with the payment's refunds. Does nothing before it was received."""
    if payment.state not in RECEIVED:
        return
    returned = _sum(session, payment, RETURNING)
    if returned > payment.received_minor:
        reviews.open_review(session, order, "returned_more_than_received", origin, returned=returned)
    refunded = min(returned, payment.received_minor)
    if refunded == payment.refunded_minor:
        return
    transitions.write(session, payment, {"refunded_minor": refunded})
    if refunded == payment.received_minor:
        _all_returned(session, order, payment, origin)
    elif payment.state is PaymentState.REFUNDED:
        _no_longer_all_returned(session, order, payment, origin)


def requested(
    order_id: ColumnElement[int] | InstrumentedAttribute[int], of_payment: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether an order has a refund that was requested and is not known to have reached the payment service, of a
    payment of which `of_payment` holds.
    """
    return exists().where(
        Refund.payment_id == Payment.id,
        Payment.order_id == order_id,
        Refund.state == RefundState.REQUESTED,
        of_payment,
    )


def out_of_reach(
    order_id: ColumnElement[int] | InstrumentedAttribute[int], foreign: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether an order waits for a refund of a `foreign` payment, and no person was told."""
    told = exists().where(
        Review.order_id == order_id,
        Review.reason == accounts.REVIEW,
        Review.subject == Payment.provider_payment_id,
    )
    waits = exists().where(Refund.payment_id == Payment.id, Refund.state == RefundState.REQUESTED)
    return exists().where(Payment.order_id == order_id, foreign, or_(Payment.refund_due, waits), ~told)


def due(order_id: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Whether an order has a payment that is to be returned whole."""
    return exists().where(Payment.order_id == order_id, Payment.refund_due)


def unowed_key(payment: Payment) -> str:
    """The key of the one refund of a payment that the shop must not keep."""
    return f"{payment.provider_payment_id}-refund-unowed"


def next_key(session: Session, order: Order) -> str:
    """A key for one more refund of an order."""
    count = session.scalar(
        select(func.count(Refund.id)).join(Payment, Payment.id == Refund.payment_id).where(Payment.order_id == order.id)
    )
    return f"order-{order.reference}-refund-{(count or 0) + 1}"


def _ask(services: Services, order: Order, payment: Payment, refund: Refund, origin: Origin) -> RefundState:
    """Ask the payment service for a refund that was requested, unless it has answered already."""
    if refund.state is not RefundState.REQUESTED or payment.provider_payment_id is None or refund.key is None:
        return refund.state
    amount = Money(refund.amount_minor, order.currency)
    try:
        snapshot = services.gateway.refund_payment(payment.provider_payment_id, amount, refund.key, refund.attempt)
    except PaymentMissing as missing:
        with services.database.transaction() as session:
            locked = transitions.lock_by_reference(session, order.reference)
            of_order = session.get_one(Payment, payment.id)
            accounts.note_unreachable(session, locked, of_order, origin, missing=True)
        raise RefundRefused(RefundRefusal.OTHER_ACCOUNT) from missing
    except RefundRefused:
        with services.database.transaction() as session:
            _refused(session, order.reference, refund.id, origin)
        raise
    except PaymentServiceFailed:
        with services.database.transaction() as session:
            _count_attempt(session, refund.id, refund.attempt)
        raise
    with services.database.transaction() as session:
        record(session, snapshot, origin)
        return session.scalars(select(Refund.state).where(Refund.id == refund.id)).one()


def _refuse_while_charged_back(session: Session, order: Order) -> None:
    of_payment = select(Dispute).where(Dispute.payment_id == order.payment.id, Dispute.state.in_(CHARGED_BACK))
    dispute = session.scalars(of_payment.order_by(Dispute.opened_at)).first()
    if dispute is not None:
        amount = Money(dispute.amount_minor, order.currency)
        raise RefundRefused(RefundRefusal.DISPUTED, amount, dispute.opened_at)


def _refuse_beside_unanswered(session: Session, order: Order) -> None:
    unanswered = session.scalars(
        select(Refund)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.order_id == order.id, Refund.state == RefundState.REQUESTED)
        .order_by(Refund.id)
    ).first()
    if unanswered is not None:
        amount = Money(unanswered.amount_minor, order.currency)
        raise RefundRefused(RefundRefusal.EARLIER_UNANSWERED, amount, unanswered.requested_at)


def _request(
    session: Session, order: Order, payment: Payment, amount: Money | None, key: str, origin: Origin
) -> Refund:
    known = session.scalars(select(Refund).where(Refund.key == key)).one_or_none()
    if known is not None:
        if session.get_one(Payment, known.payment_id).order_id != order.id:
            raise RefundRefused(RefundRefusal.KEY_OF_ANOTHER_ORDER)
        if amount not in (None, Money(known.amount_minor, order.currency)):
            raise RefundRefused(RefundRefusal.KEY_OF_ANOTHER_AMOUNT)
        return known
    left = payment.received_minor - _sum(session, payment, CLAIMED)
    wanted = amount.minor if amount is not None else left
    if payment.state is not PaymentState.PAID or not 0 < wanted <= left:
        raise RefundRefused(RefundRefusal.TOO_MUCH, Money(max(left, 0), order.currency))
    if amount is not None and amount.currency != order.currency:
        raise RefundRefused(RefundRefusal.OTHER_CURRENCY, Money(left, order.currency))
    step = smallest_step(order.currency)
    if amount is not None and amount.minor % step:
        raise RefundRefused(RefundRefusal.NOT_A_WHOLE_STEP, Money(step, order.currency))
    refund = Refund(
        payment_id=payment.id, state=RefundState.REQUESTED, key=key, amount_minor=wanted, requested_at=origin.at
    )
    session.add(refund)
    session.flush()
    history.add(session, order, "refund.requested", origin, None, refund.state, {"amount": wanted})
    return refund


def _count_attempt(session: Session, refund_id: int, attempt: int) -> None:
    """Have the next request carry a new idempotency key: the failure is remembered under the old one. The payment
    service is asked for a refund of this key first, and those who failed together count once, so that it is made once.
    """
    session.execute(update(Refund).where(Refund.id == refund_id, Refund.attempt == attempt).values(attempt=attempt + 1))


def _refused(session: Session, reference: str, refund_id: int, origin: Origin) -> None:
    """The payment service will not return this money; a person must find out why. Nothing, where the refund was
    reported in the meantime.
    """
    order = transitions.lock_by_reference(session, reference)
    refund = session.get_one(Refund, refund_id)
    if refund.state is not RefundState.REQUESTED:
        return
    payment = session.get_one(Payment, refund.payment_id)
    data = {"amount": refund.amount_minor}
    transitions.apply(session, order, refund, RefundEvent.FAILED, origin, data=data)
    transitions.write(session, payment, {"refund_due": False})
    reviews.open_review(session, order, "refund_refused", origin)


def _find_or_add(session: Session, payment: Payment, snapshot: RefundSnapshot, origin: Origin) -> Refund:
    """The row of this refund: by its id, by the key that the store requested it with, or a new one for a refund made
    elsewhere.
    """
    of_payment = select(Refund).where(Refund.payment_id == payment.id)
    found = session.scalars(of_payment.where(Refund.provider_refund_id == snapshot.provider_refund_id)).one_or_none()
    if found is None and snapshot.key is not None:
        by_key = of_payment.where(Refund.key == snapshot.key, Refund.provider_refund_id.is_(None))
        found = session.scalars(by_key).one_or_none()
    if found is None:
        found = Refund(
            payment_id=payment.id,
            state=RefundState.REQUESTED,
            provider_refund_id=snapshot.provider_refund_id,
            amount_minor=snapshot.amount.minor,
            requested_at=origin.at,
        )
        session.add(found)
        session.flush()
    return found


def _sum(session: Session, payment: Payment, states: tuple[RefundState, ...]) -> int:
    total = select(func.sum(Refund.amount_minor)).where(Refund.payment_id == payment.id, Refund.state.in_(states))
    return int(session.scalar(total) or 0)  # PostgreSQL sums big integers into a decimal


def _mail_of(order: Order, payment: Payment, refund: Refund) -> mail.Kind:
    """Which e-mail the customer gets about a refund that succeeded."""
    if not payment.live:
        return mail.Kind.SECOND_PAYMENT_RETURNED
    late = order.reservation is ReservationState.RELEASED and refund.key == unowed_key(payment)
    return mail.Kind.LATE_PAYMENT_RETURNED if late else mail.Kind.REFUNDED


def _all_returned(session: Session, order: Order, payment: Payment, origin: Origin) -> None:
    """Nothing of the money is left. Where it was the order's own, stock that was not sent is released."""
    no_longer_due = {"refund_due": False}
    transitions.apply(session, order, payment, PaymentEvent.REFUNDED, origin, values=no_longer_due, recorded=True)
    if not payment.live:
        return
    shipped, reservation = order.state is OrderState.FULFILLED, order.reservation
    values = {} if shipped else {"reservation": ReservationState.RELEASED}
    moved = transitions.apply(session, order, order, OrderEvent.MONEY_RETURNED, origin, values=values)
    if moved.applied and not shipped:
        stock.release(session, order.id, reservation)


def _no_longer_all_returned(session: Session, order: Order, payment: Payment, origin: Origin) -> None:
    """A refund failed after all: the store has the money again. Where it is the order's own, the stock is owed
    again.
    """
    transitions.apply(session, order, payment, PaymentEvent.REFUND_FAILED, origin, recorded=True)
    if not payment.live:
        return
    committed = stock.commit(session, order.id, order.reservation)
    values = {"reservation": ReservationState.COMMITTED} if committed else {}
    transitions.apply(session, order, order, OrderEvent.REFUND_FAILED, origin, values=values)


def _not_returned(session: Session, order: Order, payment: Payment, provider_refund_id: str, origin: Origin) -> None:
    """The bank did not take a refund, be it a part or all: the shopper waits for money, so a person finds another
    way. Submitting it again under the same key would find the same failed refund.
    """
    transitions.write(session, payment, {"refund_due": False})
    reviews.open_review(
        session, order, "refund_failed", origin, subject=provider_refund_id, reservation=order.reservation
    )
