"""Fulfilling an order: all of it was sent, or a part, and its customer gets an e-mail for each shipment. What is
authorised for it is captured first.
"""

from __future__ import annotations

from functools import partial

from sqlalchemy.orm import Session

from models import Order, Shipment
from store.domain.errors import FulfilmentRefusal, OrderNotFulfilled
from store.domain.money import Money
from store.domain.states import OrderState, ReservationState
from store.services import mail, stock, transitions
from store.services.history import Origin
from store.services.orders import reviews, shipments
from store.services.orders.shipments import ParcelLabel, Pieces
from store.services.payments import capturing
from store.services.payments.refunds import lines
from store.services.services import Services

LONGEST_TRACKING, LONGEST_CARRIER = 120, 60  # characters


def fulfil(
    services: Services,
    reference: str,
    tracking: str | None,
    origin: Origin,
    *,
    carrier: str | None = None,
    pieces: Pieces | None = None,
    number: int | None = None,
    disputed: bool = False,
    capture: Money | None = None,
    leave_rest: bool = False,
) -> bool:
    """Note that `pieces` of a paid order were sent, or all that were left of it, with the carrier's `tracking` number
    or address if there is one. The customer gets an e-mail, and the order is fulfilled once nothing is left to be sent.

    `number` is the one that the shipment is to have, so that it is sent once however often somebody says so. False,
    and nothing changed, where there is one of that number, and for an order that was fulfilled before.

    Of an order whose card is authorised the money is captured first: all of it, or as much as `capture` says. Raises
    CaptureRefused, PaymentUnavailable and PaymentMisconfigured as `capturing.capture_for_shipment` does; nothing is
    noted as sent then. Where less is charged than was authorised, `leave_rest` says that nothing else is sent: what is
    left goes back into stock.

    Raises NotFound; OrderNotFulfilled for an order that is not paid, that waits for a person (a review is open), whose
    payment is disputed unless `disputed` says that it is sent all the same; where fewer pieces are left; and for texts
    that are not one line of at most 120 characters, 60 for the carrier.
    """
    label = _label(carrier, tracking)
    check = partial(_to_send, pieces=pieces, disputed=disputed, capture=capture, leave_rest=leave_rest)
    capturing.capture_for_shipment(services, reference, capture, origin, check)
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        if order.state is OrderState.FULFILLED or _is_sent(session, order, number):
            return False
        sent = check(session, order)
        _have_stock(session, order)
        shipment = shipments.add(session, order, sent, label, origin)
        if leave_rest:
            lines.leave_rest(session, order, origin)
        _tell(session, order, shipment, origin)
    return True


def _to_send(
    session: Session, order: Order, *, pieces: Pieces | None, disputed: bool, capture: Money | None, leave_rest: bool
) -> Pieces:
    """What is to be sent now, of an order that is locked and paid, or authorised. Raises OrderNotFulfilled."""
    if reviews.is_open(session, order):
        raise _refused(FulfilmentRefusal.REVIEW_OPEN)
    if order.disputed and not disputed:
        raise _refused(FulfilmentRefusal.DISPUTED)
    if order.state is not OrderState.PAID and not order.is_authorised:
        raise _refused(FulfilmentRefusal.NOT_PAID)
    if leave_rest and not _is_charged_in_part(order, capture):
        raise _refused(FulfilmentRefusal.REST_IS_PAID)
    left = shipments.left(session, order)
    wanted = left if pieces is None else {product_id: count for product_id, count in pieces.items() if count}
    if not wanted:
        raise _refused(FulfilmentRefusal.NOTHING_CHOSEN)
    if any(not 0 < count <= left.get(product_id, 0) for product_id, count in wanted.items()):
        raise _refused(FulfilmentRefusal.FEWER_LEFT)
    return wanted


def _is_charged_in_part(order: Order, capture: Money | None) -> bool:
    """Whether less is charged than was authorised, once `capture` is."""
    charged = order.payment.capture_minor or (capture.minor if capture is not None else order.total_minor)
    return charged < order.total_minor


def _tell(session: Session, order: Order, shipment: Shipment, origin: Origin) -> None:
    """A mail for each shipment, the last of which says that nothing else follows."""
    kind = mail.Kind.ORDER_FULFILLED if order.state is OrderState.FULFILLED else mail.Kind.ORDER_PARTLY_SHIPPED
    dedupe_key = f"shipment:{shipment.number}"
    mail.write(session, order, kind, origin.at, dedupe_key=dedupe_key, shipment=shipment.number)


def _have_stock(session: Session, order: Order) -> None:
    """A refund that failed has brought the money back, and perhaps not the stock: take that now, if it is there."""
    if order.state is not OrderState.PAID:
        raise _refused(FulfilmentRefusal.NOT_PAID)
    if order.reservation is ReservationState.COMMITTED:
        return
    if not stock.commit(session, order.id, order.reservation):
        raise _refused(FulfilmentRefusal.STOCK_GONE)
    transitions.write(session, order, {"reservation": ReservationState.COMMITTED})


def _is_sent(session: Session, order: Order, number: int | None) -> bool:
    return number is not None and number < shipments.next_number(session, order)


def _label(carrier: str | None, tracking: str | None) -> ParcelLabel:
    carrier, tracking = ((text or "").strip() or None for text in (carrier, tracking))
    if not _is_line(tracking, LONGEST_TRACKING):
        raise _refused(FulfilmentRefusal.TRACKING_INVALID)
    if not _is_line(carrier, LONGEST_CARRIER):
        raise _refused(FulfilmentRefusal.CARRIER_INVALID)
    return ParcelLabel(carrier, tracking)


def _is_line(text: str | None, longest: int) -> bool:
    return text is None or (text.isprintable() and len(text) <= longest)


def _refused(reason: FulfilmentRefusal) -> OrderNotFulfilled:
    return OrderNotFulfilled(reason, LONGEST_TRACKING, LONGEST_CARRIER)
