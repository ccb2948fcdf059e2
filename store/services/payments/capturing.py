"""Capturing what was authorised: the money is taken before an order is told as shipped.

Write, ask, write. A payment is captured once: what is left of it then is released. A crash between any two is
repaired by asking again, under a key that is derived from what is asked; the worker does so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from models import Order, Payment
from store.domain.errors import CaptureRefusal, CaptureRefused, PaymentMissing, PaymentServiceFailed
from store.domain.money import Money, smallest_step
from store.domain.states import PaymentState
from store.services import history, transitions
from store.services.history import Origin, Source
from store.services.orders import lookup
from store.services.orders.access import STAFF
from store.services.payments import accounts
from store.services.payments.recording import RECEIVED, record
from store.services.services import Services

# Raises whatever keeps an order from being shipped; it is called with the order under lock.
Check = Callable[[Session, Order], object]


def capture_for_shipment(
    services: Services, reference: str, amount: Money | None, origin: Origin, check: Check
) -> None:
    """Capture what an order that is about to be shipped has authorised: `amount` of it, or all, or what was asked for
    before and is not answered. Nothing, where its money has come in already.

    Nothing is asked before `check` has passed. Raises CaptureRefused where nothing is captured, and where an `amount`
    is given of which nothing is to be captured, unless it was captured before; NotFound; PaymentUnavailable and
    PaymentMisconfigured, after which it is not known whether it was captured: the same may be asked again, and the
    worker asks, too.
    """
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        if not order.is_authorised:
            if amount not in (None, _captured(order)):
                raise CaptureRefused(CaptureRefusal.NOT_AUTHORISED)
            return
        check(session, order)
        _request(session, services, order, amount, origin)
    _ask(services, order, origin)


def resubmit(services: Services, reference: str, now: datetime) -> None:
    """Ask once more for what was asked for and not answered. Raises as `capture_for_shipment` does."""
    with services.database.reading() as session:
        order = lookup.peek(session, reference, STAFF)
    if order.is_authorised and order.payment.capture_minor is not None:
        _ask(services, order, Origin(Source.WORKER, now))


def _captured(order: Order) -> Money | None:
    """What was captured of an order that was authorised first; None of any other."""
    captured = order.payment.capture_minor if order.payment.state in RECEIVED else None
    return Money(captured, order.currency) if captured is not None else None


def _request(session: Session, services: Services, order: Order, amount: Money | None, origin: Origin) -> None:
    payment, authorised = order.payment, Money(order.payment.amount_minor, order.currency)
    if payment.state is not PaymentState.AUTHORISED:
        raise CaptureRefused(CaptureRefusal.NOT_AUTHORISED)
    if accounts.is_foreign(payment, accounts.known(services)):
        raise CaptureRefused(CaptureRefusal.OTHER_ACCOUNT)
    if payment.capture_minor is not None:
        asked_for = Money(payment.capture_minor, order.currency)
        if amount not in (None, asked_for):
            raise CaptureRefused(CaptureRefusal.EARLIER_UNANSWERED, asked_for)
        return
    wanted = amount or authorised
    if wanted.currency != order.currency:
        raise CaptureRefused(CaptureRefusal.OTHER_CURRENCY, authorised)
    if not 0 < wanted.minor <= authorised.minor:
        raise CaptureRefused(CaptureRefusal.TOO_MUCH, authorised)
    step = smallest_step(order.currency)
    if amount is not None and amount.minor % step:
        raise CaptureRefused(CaptureRefusal.NOT_A_WHOLE_STEP, Money(step, order.currency))
    transitions.write(session, payment, {"capture_minor": wanted.minor, "capture_requested_at": origin.at})
    history.add(session, order, "payment.capture_requested", origin, data={"amount": wanted.minor})


def _ask(services: Services, order: Order, origin: Origin) -> None:
    """Ask for what was requested, and record what the payment service answers."""
    payment = order.payment
    if payment.provider_payment_id is None or payment.capture_minor is None:
        raise LookupError(payment.id)
    amount = Money(payment.capture_minor, order.currency)
    key = f"order-{order.reference}-capture-{payment.id}-{amount.minor}-{payment.capture_attempt}"
    try:
        snapshot = services.gateway.capture_payment(payment.provider_payment_id, amount, key)
    except PaymentMissing as missing:
        _take_back(services, order, CaptureRefusal.OTHER_ACCOUNT, origin)
        raise CaptureRefused(CaptureRefusal.OTHER_ACCOUNT) from missing
    except CaptureRefused as refused:
        _take_back(services, order, refused.reason, origin)
        raise
    except PaymentServiceFailed:
        with services.database.transaction() as session:
            _count_attempt(session, order)
        raise
    with services.database.transaction() as session:
        recorded = record(session, services, snapshot, origin)
        # One that does not fit its order is in review by now; nothing is shipped.
        captured = recorded is not None and recorded.payment.state in RECEIVED
    if not captured:
        _take_back(services, order, CaptureRefusal.ENDED, origin)
        raise CaptureRefused(CaptureRefusal.ENDED)


def _count_attempt(session: Session, asked: Order) -> Payment | None:
    """Have the next request carry a new key: the failure is remembered under the old one. Those who failed together
    count once. Returns the payment, while it waits for the answer.
    """
    payment = transitions.lock_by_reference(session, asked.reference).payment
    if payment.id != asked.payment.id or payment.capture_attempt != asked.payment.capture_attempt:
        return None
    transitions.write(session, payment, {"capture_attempt": payment.capture_attempt + 1})
    return payment if payment.state is PaymentState.AUTHORISED else None


def _take_back(services: Services, asked: Order, reason: CaptureRefusal, origin: Origin) -> None:
    """Nothing was captured: the request is taken back, so that it may be made again, for another amount as well."""
    with services.database.transaction() as session:
        payment = _count_attempt(session, asked)
        if payment is None:
            return
        order = transitions.lock_by_reference(session, asked.reference)
        if reason is CaptureRefusal.OTHER_ACCOUNT:
            accounts.note_unreachable(session, order, payment, origin, missing=True)
        data = {"amount": payment.capture_minor, "reason": reason}
        transitions.write(session, payment, {"capture_minor": None, "capture_requested_at": None})
        history.add(session, order, "payment.capture_refused", origin, data=data)
