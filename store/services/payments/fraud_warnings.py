"""What the staff does about an early fraud warning: the money is returned before the cardholder disputes it, which
costs a fee and counts against the shop. Whoever is sure that the payment is good resolves the review with a note.
"""

from __future__ import annotations

from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Order, Review
from store.domain.errors import OrderClosed, ReviewNotResolved, ReviewRefusal
from store.domain.states import OrderState, RefundState
from store.gateway.port import CancelReason, RefundReason
from store.services.history import Origin
from store.services.orders import lookup, reviews
from store.services.orders.access import STAFF
from store.services.payments import closing, refunds
from store.services.payments.risk import WARNING
from store.services.services import Services

NOTE = "The payment was returned."


def return_money(services: Services, reference: str, review_id: int, origin: Origin) -> RefundState | None:
    """Return all that is left of an order's money because of a warning, and resolve that, both once however often
    somebody asks. The payment service is told that the payment was fraudulent. Where nothing was charged yet, the order
    is cancelled and its authorisation released: None.

    Raises ReviewNotResolved where the warning is not open any more; RefundRefused, OrderClosed and NotFound; and
    PaymentUnavailable and PaymentMisconfigured, after which a refund that was asked for is made by the worker.
    """
    resolve = partial(_resolve, review_id=review_id, origin=origin)
    with services.database.reading() as session:
        order = lookup.peek(session, reference, STAFF)
    if order.is_authorised:
        if closing.close(services, reference, CancelReason.BY_SHOPPER, origin.at, origin) is not OrderState.CANCELLED:
            raise OrderClosed(reference)
        reviews.resolve(services, reference, NOTE, origin, review_id)
        return None
    key = refunds.request(services, reference, None, origin, reason=RefundReason.FRAUDULENT, also=resolve)
    return refunds.submit(services, reference, None, key, origin)


def _resolve(session: Session, order: Order, *, review_id: int, origin: Origin) -> None:
    warned = select(Review.id).where(Review.id == review_id, Review.reason == WARNING)
    if session.scalar(warned) is None:
        raise ReviewNotResolved(ReviewRefusal.NOT_IN_REVIEW, reviews.LONGEST_NOTE)
    reviews.resolve_of(session, order, NOTE, origin, review_id)
