"""What an order's state means to the shopper: heading, message, where the money is. One table, first match wins."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, StrEnum, auto

from store.domain.states import OrderState, PaymentState


class Tone(StrEnum):
    """How a panel looks and how urgently it is read out."""

    CALM = "calm"
    WAIT = "wait"
    GOOD = "good"
    BAD = "bad"


class StatusFlag(Flag):
    """What is known beside the two states."""

    NOTHING = 0
    CONFIRMING = auto()  # the browser says it has paid; the store does not know it yet
    UNREACHABLE = auto()  # and the payment service did not answer when it was asked
    NEEDS_REVIEW = auto()
    DISPUTED = auto()
    PARTLY_REFUNDED = auto()
    REPLACED = auto()  # the shopper changed the order, and another one took its place
    CARD_TESTING = auto()  # too many cards were declined on it
    BY_EMAIL = auto()  # nothing of the order is shipped
    NOTHING_DUE = auto()  # the order cost nothing
    RELEASED = auto()  # a card was authorised for it, and not charged
    SHIPPED_IN_PART = auto()  # and the rest of the order follows
    NOTHING_SENT = auto()  # and nothing of the order is left to be sent
    PARTLY_CHARGED = auto()  # less was charged than was authorised


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """`money` says where the money is, `message` what happens next.

    Placeholders: {total} {paid} {refunded} {card} {decline} {email}; {paid} is what was charged of {total}. A `waiting`
    page asks again by itself until this changes.
    """

    heading: str
    money: str
    message: str
    icon: str
    tone: Tone
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    order: frozenset[OrderState]
    payment: frozenset[PaymentState]
    flags: StatusFlag
    message_row: StatusMessage


_O, _P = OrderState, PaymentState
_ANY_PAYMENT = frozenset(PaymentState)
_UNPAID = frozenset({_P.UNOPENED, _P.OPEN, _P.DECLINED, _P.ACTION_REQUIRED})
_NO_MONEY = _UNPAID | {_P.CANCELLED}


def _row(
    order: OrderState | frozenset[OrderState],
    payment: PaymentState | frozenset[PaymentState],
    message_row: StatusMessage,
    flags: StatusFlag = StatusFlag.NOTHING,
) -> _Row:
    return _Row(
        order if isinstance(order, frozenset) else frozenset({order}),
        payment if isinstance(payment, frozenset) else frozenset({payment}),
        flags,
        message_row,
    )


_REFUNDED = StatusMessage(
    "Refunded",
    "You got {refunded} back{card}.",
    "Banks take 5 to 10 days to show a refund on your statement.",
    "back",
    Tone.GOOD,
)

# A row matches when both states are in its sets and its flags are all set.
TABLE: tuple[_Row, ...] = (
    _row(
        frozenset({_O.AWAITING_PAYMENT, _O.CANCELLED, _O.EXPIRED}),
        _ANY_PAYMENT,
        StatusMessage(
            "We are checking your payment",
            "Your money has reached us or is on its way. Do not pay again.",
            "Something about this payment does not add up, so a person is looking at it. "
            "You will get either your order or all of your money back.",
            "eye",
            Tone.WAIT,
        ),
        StatusFlag.NEEDS_REVIEW,
    ),
    _row(
        _O.AWAITING_PAYMENT,
        _UNPAID,
        StatusMessage(
            "Still confirming your payment",
            "Your bank may have been charged. Do not pay again.",
            "The payment service is not answering us right now. Your order is kept, "
            "and this page goes on asking until it knows.",
            "clock",
            Tone.WAIT,
            waiting=True,
        ),
        StatusFlag.CONFIRMING | StatusFlag.UNREACHABLE,
    ),
    _row(
        _O.AWAITING_PAYMENT,
        _UNPAID,
        StatusMessage(
            "Confirming your payment",
            "Your payment of {total} is being confirmed. Do not pay again.",
            "We are waiting for the payment service to confirm it. That takes a few seconds.",
            "clock",
            Tone.WAIT,
            waiting=True,
        ),
        StatusFlag.CONFIRMING,
    ),
    _row(
        _O.AWAITING_PAYMENT,
        _P.DECLINED,
        StatusMessage("Your card was declined", "Nothing was charged.", "{decline}", "cross", Tone.BAD),
    ),
    _row(
        _O.AWAITING_PAYMENT,
        _P.ACTION_REQUIRED,
        StatusMessage(
            "Your bank’s check is not finished",
            "Nothing was charged.",
            "Your bank wanted to make sure that it was you. Enter your card again to start the check anew.",
            "shield",
            Tone.CALM,
        ),
    ),
    _row(
        _O.AWAITING_PAYMENT,
        _UNPAID,
        StatusMessage(
            "Waiting for your payment",
            "Nothing was charged.",
            "Your order is placed and its things are held for you.",
            "card",
            Tone.CALM,
        ),
    ),
    _row(
        _O.AWAITING_PAYMENT,
        _P.PROCESSING,
        StatusMessage(
            "Your bank is deciding",
            "The bank is deciding. Do not pay again.",
            "Some banks take a while. This page shows the answer as soon as there is one, "
            "and your order is kept until then.",
            "clock",
            Tone.WAIT,
            waiting=True,
        ),
    ),
    _row(
        _O.AWAITING_PAYMENT,
        _P.AUTHORISED,
        StatusMessage(
            "Your order is confirmed",
            "Nothing is charged yet: {total} is authorised{card}.",
            "We charge it when what you ordered goes out by e-mail. A confirmation goes to {email}.",
            "check",
            Tone.GOOD,
        ),
        StatusFlag.BY_EMAIL,
    ),
    _row(
        _O.AWAITING_PAYMENT,
        _P.AUTHORISED,
        StatusMessage(
            "Your order is confirmed",
            "Nothing is charged yet: {total} is authorised{card}.",
            "Thank you. We charge your card when we ship your order, and not before. A confirmation goes to {email}.",
            "check",
            Tone.GOOD,
        ),
    ),
    _row(
        _O.AWAITING_PAYMENT,
        _P.CANCELLED,
        StatusMessage(
            "This payment was closed",
            "Nothing was charged.",
            "No more cards can be tried on this order. To buy these things, place the order again.",
            "cross",
            Tone.BAD,
        ),
    ),
    _row(
        frozenset({_O.PAID, _O.FULFILLED}),
        _ANY_PAYMENT,
        StatusMessage(
            "Your bank has questions about this payment",
            "You paid {paid}{card}, and the payment is disputed. Your bank decides where the money goes.",
            "The bank was asked to check this payment. We answer the bank; you need not do anything here.",
            "eye",
            Tone.WAIT,
        ),
        StatusFlag.DISPUTED,
    ),
    _row(
        _O.FULFILLED,
        _ANY_PAYMENT,
        StatusMessage(
            "Nothing of this order is left to be sent",
            "You paid {paid}{card}, of which {refunded} went back.",
            "Banks take 5 to 10 days to show a refund on your statement.",
            "back",
            Tone.GOOD,
        ),
        StatusFlag.NOTHING_SENT,
    ),
    _row(
        frozenset({_O.PAID, _O.FULFILLED}),
        _ANY_PAYMENT,
        StatusMessage(
            "Part of your money is on its way back",
            "You paid {paid}{card}. {refunded} of it was refunded.",
            "Banks take 5 to 10 days to show a refund on your statement.",
            "back",
            Tone.GOOD,
        ),
        StatusFlag.PARTLY_REFUNDED,
    ),
    _row(
        _O.PAID,
        _ANY_PAYMENT,
        StatusMessage(
            "Payment received",
            "You paid {paid}{card}. The rest of the {total} that were authorised is released.",
            "Thank you. We are packing your order. A confirmation goes to {email}.",
            "check",
            Tone.GOOD,
        ),
        StatusFlag.PARTLY_CHARGED,
    ),
    _row(
        _O.FULFILLED,
        _ANY_PAYMENT,
        StatusMessage(
            "Your order is on its way",
            "You paid {paid}{card}. The rest of the {total} that were authorised is released.",
            "It has left our shop.",
            "parcel",
            Tone.GOOD,
        ),
        StatusFlag.PARTLY_CHARGED,
    ),
    _row(
        _O.PAID,
        _ANY_PAYMENT,
        StatusMessage(
            "A part of your order is on its way",
            "You paid {paid}{card}.",
            "The rest follows, and you get a mail when it leaves our shop.",
            "parcel",
            Tone.GOOD,
        ),
        StatusFlag.SHIPPED_IN_PART,
    ),
    _row(
        _O.PAID,
        _ANY_PAYMENT,
        StatusMessage(
            "Your order is confirmed",
            "There was nothing to pay.",
            "Thank you. A confirmation goes to {email}.",
            "check",
            Tone.GOOD,
        ),
        StatusFlag.NOTHING_DUE,
    ),
    _row(
        _O.FULFILLED,
        _ANY_PAYMENT,
        StatusMessage(
            "Your order was sent", "There was nothing to pay.", "We have sent it to you.", "parcel", Tone.GOOD
        ),
        StatusFlag.NOTHING_DUE,
    ),
    _row(
        _O.PAID,
        _ANY_PAYMENT,
        StatusMessage(
            "Payment received",
            "You paid {total}{card}.",
            "Thank you. A confirmation goes to {email}, and what you ordered follows by e-mail.",
            "check",
            Tone.GOOD,
        ),
        StatusFlag.BY_EMAIL,
    ),
    _row(
        _O.FULFILLED,
        _ANY_PAYMENT,
        StatusMessage(
            "Your order was sent", "You paid {total}{card}.", "Look for it in the mail to {email}.", "parcel", Tone.GOOD
        ),
        StatusFlag.BY_EMAIL,
    ),
    _row(
        _O.PAID,
        _ANY_PAYMENT,
        StatusMessage(
            "Payment received",
            "You paid {total}{card}.",
            "Thank you. We are packing your order. A confirmation goes to {email}.",
            "check",
            Tone.GOOD,
        ),
    ),
    _row(
        _O.FULFILLED,
        _ANY_PAYMENT,
        StatusMessage(
            "Your order is on its way", "You paid {total}{card}.", "It has left our shop.", "parcel", Tone.GOOD
        ),
    ),
    _row(
        frozenset({_O.CANCELLED, _O.EXPIRED}),
        _P.PAID,
        StatusMessage(
            "Your payment came too late",
            "We received {total}{card} and are sending all of it back.",
            "The order was closed and its things were sold when your payment arrived. You will not lose anything.",
            "back",
            Tone.WAIT,
            waiting=True,
        ),
    ),
    _row(
        frozenset({_O.CANCELLED, _O.EXPIRED}),
        _P.AUTHORISED,
        StatusMessage(
            "This order is closed",
            "Nothing was charged, and nothing will be.",
            "Your bank may show {total} as pending for some days: we are releasing it.",
            "cross",
            Tone.CALM,
        ),
    ),
    _row(
        frozenset({_O.CANCELLED, _O.EXPIRED}),
        _P.PROCESSING,
        StatusMessage(
            "Your bank is still deciding",
            "The bank is deciding. Do not pay again.",
            "This order was closed meanwhile. If your bank lets the payment through, "
            "you get either your things or all of your money back.",
            "clock",
            Tone.WAIT,
            waiting=True,
        ),
    ),
    _row(
        frozenset({_O.CANCELLED, _O.EXPIRED, _O.REFUNDED, _O.AWAITING_PAYMENT}),
        _P.REFUNDED,
        _REFUNDED,
    ),
    _row(
        _O.REFUNDED,
        _ANY_PAYMENT,
        _REFUNDED,
    ),
    _row(
        _O.CANCELLED,
        _NO_MONEY,
        StatusMessage(
            "You changed this order",
            "Nothing was charged.",
            "Your newer order took its place, so this one is closed.",
            "back",
            Tone.CALM,
        ),
        StatusFlag.REPLACED,
    ),
    _row(
        _O.CANCELLED,
        _NO_MONEY,
        StatusMessage(
            "Too many cards were declined",
            "Nothing was charged.",
            "To keep cards safe, this order is closed and takes no more of them. "
            "You are welcome to order again later, or to ask us for help.",
            "cross",
            Tone.BAD,
        ),
        StatusFlag.CARD_TESTING,
    ),
    _row(
        _O.CANCELLED,
        _NO_MONEY,
        StatusMessage(
            "Order cancelled",
            "Nothing was charged.",
            "What your bank kept for us is released; it can take some days until your bank shows it. "
            "This order is closed and its things are back on the shelf.",
            "cross",
            Tone.CALM,
        ),
        StatusFlag.RELEASED,
    ),
    _row(
        _O.CANCELLED,
        _NO_MONEY,
        StatusMessage(
            "Order cancelled",
            "Nothing was charged.",
            "This order is closed and its things are back on the shelf.",
            "cross",
            Tone.CALM,
        ),
    ),
    _row(
        _O.EXPIRED,
        _NO_MONEY,
        StatusMessage(
            "We could not send your order in time",
            "Nothing was charged.",
            "What your bank kept for us is released, and your order is closed. "
            "It can take some days until your bank shows it. We are sorry; you are welcome to order again.",
            "clock",
            Tone.BAD,
        ),
        StatusFlag.RELEASED,
    ),
    _row(
        _O.EXPIRED,
        _NO_MONEY,
        StatusMessage(
            "The time to pay is over",
            "Nothing was charged.",
            "We could hold your things no longer. They are back on the shelf now; you are welcome to order again.",
            "clock",
            Tone.CALM,
        ),
    ),
    _row(
        _O.AWAITING_PAYMENT,
        _P.PAID,
        StatusMessage(
            "We are checking your payment",
            "We received {total}{card}. Do not pay again.",
            "Your order will be ready in a moment.",
            "clock",
            Tone.WAIT,
            waiting=True,
        ),
    ),
)


def status_message(order: OrderState, payment: PaymentState, flags: StatusFlag) -> StatusMessage:
    """The first row of the table that fits; the table answers every pair of states."""
    for row in TABLE:
        if order in row.order and payment in row.payment and row.flags in flags:
            return row.message_row
    raise LookupError(f"no words for an order that is {order} while its payment is {payment}")
