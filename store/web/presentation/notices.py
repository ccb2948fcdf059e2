"""What one order's state means to its shopper, with its own amounts and its own card."""

from __future__ import annotations

from dataclasses import dataclass

from models import Order
from store.domain.money import Money
from store.domain.states import OrderState
from store.gateway.port import CancelReason
from store.web.presentation.declines import decline_message
from store.web.presentation.states import Told, Tone, meaning_of


def told_of(order: Order, *, confirming: bool = False, unreachable: bool = False) -> Told:
    """Everything beside the two states that changes what an order means."""
    told = Told.CONFIRMING if confirming else Told.NOTHING
    if confirming and unreachable:
        told |= Told.UNREACHABLE
    if order.needs_review:
        told |= Told.NEEDS_REVIEW
    if order.disputed:
        told |= Told.DISPUTED
    if 0 < order.payment.refunded_minor < order.payment.amount_minor:
        told |= Told.PARTLY_REFUNDED
    if order.state is OrderState.CANCELLED:
        told |= _told_by_closing(order)
    return told


def _told_by_closing(order: Order) -> Told:
    """Why the order was closed, as its history has it."""
    reasons = {entry.detail.get("reason") for entry in order.history if entry.what == "order.cancelled"}
    if CancelReason.REPLACED in reasons:
        return Told.REPLACED
    return Told.CARD_TESTING if CancelReason.CARD_TESTING in reasons else Told.NOTHING


@dataclass(frozen=True, slots=True)
class Notice:
    """A meaning with the order's own amounts in it, ready to print."""

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


def notice(order: Order, told: Told) -> Notice:
    """What `order` means, with its amounts and card filled in."""
    meaning = meaning_of(order.state, order.payment.state, told)
    payment = order.payment
    words = {
        "total": order.total.text(),
        "refunded": Money(payment.refunded_minor, order.currency).text(),
        "card": f" with {brand_name(payment.card_brand)} ending {payment.card_last4}" if payment.card_last4 else "",
        "decline": decline_message(payment.last_decline).text,
        "email": order.email,
    }
    return Notice(
        meaning.heading,
        meaning.money.format_map(words),
        meaning.message.format_map(words),
        meaning.icon,
        meaning.tone,
        meaning.waiting,
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
