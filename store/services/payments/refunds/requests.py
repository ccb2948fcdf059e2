"""Refunds that the store asks for: each is written first, then submitted until the payment service has answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select, union_all, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from models import Dispute, Order, Payment, Refund, Review
from store.domain.errors import PaymentMissing, PaymentServiceFailed, RefundRefusal, RefundRefused
from store.domain.money import Money, smallest_step
from store.domain.states import PaymentState, RefundEvent, RefundState
from store.gateway.port import RefundReason
from store.services import history, transitions
from store.services.history import Origin, Source
from store.services.orders import reviews
from store.services.payments import accounts
from store.services.payments.disputes import CHARGED_BACK
from store.services.payments.refunds import lines
from store.services.payments.refunds.lines import Choice
from store.services.payments.refunds.recording import RETURNING, record, total, unowed_key
from store.services.services import Services

CLAIMED = (RefundState.REQUESTED, *RETURNING)


def request(
    services: Services,
    reference: str,
    what: Money | Choice | None,
    origin: Origin,
    *,
    another: bool = False,
    key: str | None = None,
    reason: RefundReason | None = None,
    also: Callable[[Session, Order], object] = lambda _session, _order: None,
) -> str:
    """Note that an amount of an order's live payment, or what is left of it, is to be returned, as a refund of its own;
    the key to `submit` it with. The worker submits it, too. Who names a `key` may ask again with it after a crash: it
    is the same refund. Where pieces of its lines are chosen, or its shipping, the refund is of what they are worth, and
    they are not to be sent any more. `reason` is what the payment service is told, and `also` is called with the locked
    order: what it writes is written together with the request.

    Raises RefundRefused as `submit` does, while the payment is charged back, when it is of another account, and while
    an earlier request of this order is not answered, unless `another` says that this one is wanted besides; where fewer
    pieces are left than were chosen, where they cost nothing, and where the order has not its stock; NotFound.
    """
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        if key is not None and session.scalar(select(Refund.id).where(Refund.key == key)) is not None:
            _request(session, order, order.payment, what if isinstance(what, Money) else None, key, origin)
            return key
        also(session, order)
        if accounts.is_foreign(order.payment, accounts.known(services)):
            raise RefundRefused(RefundRefusal.OTHER_ACCOUNT)
        _refuse_while_charged_back(session, order)
        if not another:
            _refuse_beside_unanswered(session, order)
        # Under the order's lock, so that two who request at once do not get one key.
        key = key or next_key(session, order)
        if isinstance(what, Choice):
            _request_lines(session, order, what, key, origin)
        else:
            _request(session, order, order.payment, what, key, origin)
        if reason is not None:
            session.execute(update(Refund).where(Refund.key == key).values(reason=reason))
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
            .join(Payment)
            .join(Order)
            .where(Order.reference == reference, Refund.state == RefundState.REQUESTED)
        ).all()
    for key in keys:
        if key is not None:
            submit(services, reference, None, key, Origin(Source.WORKER, now))


def return_unowed(services: Services, reference: str, now: datetime) -> None:
    """Refund, once and whole, every payment of an order that it has no claim to: one that came when the order was gone
    and its stock sold, one that was received beside another. Raises as `submit` does.
    """
    with services.database.reading() as session:
        due = session.scalars(select(Payment).join(Order).where(Order.reference == reference, Payment.refund_due)).all()
    origin = Origin(Source.WORKER, now)
    for payment in due:
        with services.database.transaction() as session:
            order = transitions.lock_by_reference(session, reference)
            locked = session.get_one(Payment, payment.id)
            session.refresh(locked)
            refund = _request(session, order, locked, None, unowed_key(locked), origin)
        _ask(services, order, locked, refund, origin)


def note_unreachable(services: Services, reference: str, now: datetime) -> None:
    """Have a person look at the refunds of an order that cannot be asked for, for they are of payments of another
    account or mode. They stay requested, and are made once the keys of that account are back.
    """
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        for payment in session.scalars(select(Payment).where(Payment.order_id == order.id)):
            if accounts.is_foreign(payment, accounts.known(services)):
                accounts.note_unreachable(session, order, payment, Origin(Source.WORKER, now), missing=False)


def requested(
    order_id: ColumnElement[int] | InstrumentedAttribute[int], of_payment: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether an order has a refund that was requested and is not known to have reached the payment service, of a
    payment of which `of_payment` holds.
    """
    refunds = select(Payment.order_id).join(Refund)
    return order_id.in_(refunds.where(Refund.state == RefundState.REQUESTED, of_payment))


def out_of_reach(
    order_id: ColumnElement[int] | InstrumentedAttribute[int], foreign: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Whether an order waits for a refund of a `foreign` payment, and no person was told."""
    told = exists().where(
        Review.order_id == Payment.order_id,
        Review.reason == accounts.REVIEW,
        Review.subject == Payment.provider_payment_id,
    )
    waiting = select(Payment.order_id).where(foreign, ~told)
    requested = waiting.join(Refund).where(Refund.state == RefundState.REQUESTED)
    # Two queries, each of which goes by its index: one for both would read every payment.
    return order_id.in_(union_all(waiting.where(Payment.refund_due), requested))


def due(order_id: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Whether an order has a payment that is to be returned whole."""
    return exists().where(Payment.order_id == order_id, Payment.refund_due)


def by_key(session: Session, key: str) -> Refund:
    """The refund that was requested with this key."""
    return session.scalars(select(Refund).where(Refund.key == key)).one()


def next_key(session: Session, order: Order) -> str:
    """A key for one more refund of an order."""
    count = session.scalar(select(func.count(Refund.id)).join(Payment).where(Payment.order_id == order.id))
    return f"order-{order.reference}-refund-{(count or 0) + 1}"


def _ask(services: Services, order: Order, payment: Payment, refund: Refund, origin: Origin) -> RefundState:
    """Ask the payment service for a refund that was requested, unless it has answered already."""
    if refund.state is not RefundState.REQUESTED or payment.provider_payment_id is None or refund.key is None:
        return refund.state
    amount = Money(refund.amount_minor, order.currency)
    try:
        reason = RefundReason(refund.reason) if refund.reason is not None else None
        snapshot = services.gateway.refund_payment(
            payment.provider_payment_id, amount, refund.key, refund.attempt, reason
        )
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
        .join(Payment)
        .where(Payment.order_id == order.id, Refund.state == RefundState.REQUESTED)
        .order_by(Refund.id)
    ).first()
    if unanswered is not None:
        amount = Money(unanswered.amount_minor, order.currency)
        raise RefundRefused(RefundRefusal.EARLIER_UNANSWERED, amount, unanswered.requested_at)


def _request(
    session: Session,
    order: Order,
    payment: Payment,
    amount: Money | None,
    key: str,
    origin: Origin,
    data: Mapping[str, Any] | None = None,
) -> Refund:
    known = session.scalars(select(Refund).where(Refund.key == key)).one_or_none()
    if known is not None:
        if session.get_one(Payment, known.payment_id).order_id != order.id:
            raise RefundRefused(RefundRefusal.KEY_OF_ANOTHER_ORDER)
        if amount not in (None, Money(known.amount_minor, order.currency)):
            raise RefundRefused(RefundRefusal.KEY_OF_ANOTHER_AMOUNT)
        return known
    left = payment.received_minor - total(session, payment, CLAIMED)
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
    history.add(session, order, "refund.requested", origin, None, refund.state, {"amount": wanted, **(data or {})})
    return refund


def _request_lines(session: Session, order: Order, choice: Choice, key: str, origin: Origin) -> None:
    chosen = lines.priced(session, order, choice)
    amount = lines.worth_of(order, chosen)
    if not amount.minor:
        raise RefundRefused(RefundRefusal.NOT_CHARGED)
    refund = _request(session, order, order.payment, amount, key, origin, data=lines.named(session, order, choice))
    lines.add(session, order, refund, chosen)


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
    lines.decide(session, order, refund, origin)
    transitions.write(session, payment, {"refund_due": False})
    reviews.open_review(session, order, "refund_refused", origin)
