"""What the store can tell a cardholder's bank by itself: a draft that a person reads, corrects and adds to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from models import Dispute, Mail, Order, Shipment
from store.domain.money import Money
from store.gateway.port import DisputeEvidence
from store.services import mail
from store.services.orders.whole import WholeOrder
from store.web.addresses import postal_lines
from store.web.presentation.messages import brand_name


def draft(whole: WholeOrder, dispute: Dispute) -> DisputeEvidence:
    """The evidence that follows from the order, its tracking and its mails."""
    order = whole.order
    lines = [f"{line.quantity} x {line.name}, {line.total.text()}" for line in order.lines]
    lines += [f"{each.label}, {each.amount.text()}" for each in order.adjustments if each.amount_minor]
    return DisputeEvidence(
        explanation=" ".join(_sentences(whole, dispute)),
        product_description="\n".join([*lines, f"Total: {order.total.text()}"]),
        customer_name=order.billing.full_name or order.addressee,
        customer_email=order.email,
        billing_address="\n".join(postal_lines(order.billing)) if order.billing.country else "",
        shipping_address="\n".join(postal_lines(order.shipping)) if order.is_shipped else "",
        shipped_on=", ".join(_distinct(f"{each.shipped_at:%Y-%m-%d}" for each in order.shipments)),
        tracking=", ".join(_distinct(each.how for each in order.shipments if each.how)),
    )


def _sentences(whole: WholeOrder, dispute: Dispute) -> Iterator[str]:
    order = whole.order
    payment = next((each for each in order.payments if each.id == dispute.payment_id), order.payment)
    yield f"Order {order.reference} was placed on {_time(order.placed_at)} with the e-mail address {order.email}."
    if order.paid_at is not None:
        card = f" with {brand_name(payment.card_brand)} ending {payment.card_last4}" if payment.card_last4 else ""
        received = Money(payment.received_minor, order.currency).text()
        yield f"It was paid on {_time(order.paid_at)}{card}: {received}."
    if _asked(order):
        yield "The cardholder's bank checked the payment with 3-D Secure."
    whole_of_it = len(order.shipments) == 1 and not any(line.quantity != line.shipped for line in order.lines)
    for shipment in order.shipments:
        how = "sent to the address that was given" if order.is_shipped else "sent by e-mail"
        tracking = f", with the tracking {shipment.how}" if shipment.how else ""
        what = "It was" if whole_of_it else f"{_pieces(shipment)} of it were"
        yield f"{what} {how} on {_time(shipment.shipped_at)}{tracking}."
    for each in whole.mails:
        if each.sent_at is not None and each.kind not in mail.TO_MERCHANT:
            yield f"The customer got the e-mail “{_kind(each)}” on {_time(each.sent_at)}."
    if payment.refunded_minor:
        yield f"{Money(payment.refunded_minor, order.currency).text()} of it was refunded."


def _asked(order: Order) -> bool:
    return any(entry.type == "payment.action_required" for entry in order.history)


def _pieces(shipment: Shipment) -> str:
    return ", ".join(f"{each.quantity} x {each.line.name}" for each in shipment.lines)


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _kind(each: Mail) -> str:
    return each.kind.replace("_", " ")


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d, %H:%M} UTC"
