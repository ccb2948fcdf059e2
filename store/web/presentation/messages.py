"""What one order's state means to its shopper, with its own amounts and its own card."""

from __future__ import annotations

from dataclasses import dataclass

from models import Order
from store.domain.money import Money
from store.domain.states import OrderState
from store.gateway.port import CancelReason
from store.web.presentation.declines import decline_message
from store.web.presentation.states import StatusFlag, Tone, status_message


def status_flags(order: Order, *, confirming: bool = False, unreachable: bool = False) -> StatusFlag:
    """Everything beside the two states that changes what an order means."""
    flags = StatusFlag.CONFIRMING if confirming else StatusFlag.NOTHING
    if confirming and unreachable:
        flags |= StatusFlag.UNREACHABLE
    if order.needs_review:
        flags |= StatusFlag.NEEDS_REVIEW
    if order.disputed:
        flags |= StatusFlag.DISPUTED
    if not order.total_minor:
        flags |= StatusFlag.NOTHING_DUE
    if not order.is_shipped:
        flags |= StatusFlag.BY_EMAIL
    if 0 < order.payment.refunded_minor < order.payment.received_minor:
        flags |= StatusFlag.PARTLY_REFUNDED
    if 0 < order.payment.received_minor < order.total_minor:
        flags |= StatusFlag.PARTLY_CHARGED
    if order.authorised_at is not None:
        flags |= StatusFlag.RELEASED
    if order.state is OrderState.CANCELLED:
        flags |= _closing_flag(order)
    return flags | _shipping_flag(order)


def _shipping_flag(order: Order) -> StatusFlag:
    """What was sent of it, where that is not what its state says."""
    if order.state is OrderState.PAID and order.shipped_at is not None:
        return StatusFlag.SHIPPED_IN_PART
    if order.state is OrderState.FULFILLED and order.shipped_at is None:
        return StatusFlag.NOTHING_SENT
    return StatusFlag.NOTHING


def _closing_flag(order: Order) -> StatusFlag:
    """Why the order was closed."""
    closing = {CancelReason.REPLACED: StatusFlag.REPLACED, CancelReason.CARD_TESTING: StatusFlag.CARD_TESTING}
    return next((flag for reason, flag in closing.items() if order.closed_because == reason), StatusFlag.NOTHING)


@dataclass(frozen=True, slots=True)
class OrderMessage:
    """What a status means, with the order's own amounts in it, ready to show."""

    heading: str
    money: str
    message: str
    icon: str
    tone: Tone
    waiting: bool

    @property
    def text(self) -> str:
        """Money and message as one paragraph; a decline's own words already say where the money is."""
        return self.message if self.money in self.message else f"{self.money} {self.message}"


def order_message(order: Order, flags: StatusFlag) -> OrderMessage:
    """What `order` means, with its amounts and card filled in."""
    message_row = status_message(order.state, order.payment.state, flags)
    payment = order.payment
    words = {
        "total": order.total.text(),
        "paid": Money(payment.received_minor or order.total_minor, order.currency).text(),
        "refunded": Money(payment.refunded_minor, order.currency).text(),
        "card": f" with {brand_name(payment.card_brand)} ending {payment.card_last4}" if payment.card_last4 else "",
        "decline": decline_message(payment.last_decline).text,
        "email": order.email,
    }
    return OrderMessage(
        message_row.heading,
        message_row.money.format_map(words),
        message_row.message.format_map(words),
        message_row.icon,
        message_row.tone,
        message_row.waiting,
    )


_BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "eftpos Australia",
    "jcb": "JCB",
    "link": "Link",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}


def brand_name(brand: str | None) -> str:
    """A card brand as it is written on the card; one we do not know is just a card."""
    return _BRANDS.get(brand or "", "a card")
