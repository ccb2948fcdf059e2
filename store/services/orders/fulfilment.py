"""Fulfilling an order: it was sent, and its customer gets an e-mail. What is authorised for it is captured first."""

from __future__ import annotations

from functools import partial

from sqlalchemy.orm import Session

from models import Order
from store.domain.errors import FulfilmentRefusal, OrderNotFulfilled
from store.domain.money import Money
from store.domain.states import OrderEvent, OrderState
from store.services import mail, transitions
from store.services.history import Origin
from store.services.orders import reviews
from store.services.payments import capturing
from store.services.services import Services

LONGEST_TRACKING = 120  # characters


def fulfil(
    services: Services,
    reference: str,
    tracking: str | None,
    origin: Origin,
    *,
    disputed: bool = False,
    capture: Money | None = None,
) -> bool:
    """Note that a paid order was sent, with the carrier's `tracking` number or address if there is one. The
    customer gets an e-mail. False, and nothing changed, for an order that was fulfilled before.

    Of an order whose card is authorised the money is captured first: all of it, or as much as `capture` says. Raises
    CaptureRefused, PaymentUnavailable and PaymentMisconfigured as `capturing.capture_for_shipment` does; nothing is
    noted as sent then.

    Raises NotFound; OrderNotFulfilled for an order that is not paid, that waits for a person (a review is open), whose
    payment is disputed unless `disputed` says that it is sent all the same, and for a tracking text that is not one
    line of at most 120 characters.
    """
    tracking = (tracking or "").strip() or None
    if tracking is not None and not (tracking.isprintable() and len(tracking) <= LONGEST_TRACKING):
        raise OrderNotFulfilled(FulfilmentRefusal.TRACKING_INVALID, LONGEST_TRACKING)
    check = partial(_check, disputed=disputed)
    capturing.capture_for_shipment(services, reference, capture, origin, check)
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        if order.state is OrderState.FULFILLED:
            return False
        check(session, order)
        values = {"fulfilled_at": origin.at, "tracking": tracking}
        data = {"tracking": tracking} if tracking else {}
        moved = transitions.apply(session, order, order, OrderEvent.FULFILLED, origin, values=values, data=data)
        if not moved.applied:
            raise OrderNotFulfilled(FulfilmentRefusal.NOT_PAID, LONGEST_TRACKING)
        mail.write(session, order, mail.Kind.ORDER_FULFILLED, origin.at)
    return True


def _check(session: Session, order: Order, *, disputed: bool) -> None:
    """Whether the order may be sent, as far as its payment is not what keeps it. Raises OrderNotFulfilled."""
    if reviews.is_open(session, order):
        raise OrderNotFulfilled(FulfilmentRefusal.REVIEW_OPEN, LONGEST_TRACKING)
    if order.disputed and not disputed:
        raise OrderNotFulfilled(FulfilmentRefusal.DISPUTED, LONGEST_TRACKING)
