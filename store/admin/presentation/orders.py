"""What the staff reads of an order's state, of its payments, and of why a person has to look at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models import Dispute, Mail, Order, OrderLine, Payment, Refund, Review, Shipment
from store.domain.states import DisputeState, OrderState, PaymentState, RefundState
from store.services.orders.listing import Show
from store.services.payments.risk import WARNING
from store.web.presentation.states import Tone


@dataclass(frozen=True, slots=True)
class Label:
    """A few words with a tone and an icon of `templates/components/icon.html`."""

    text: str
    tone: Tone
    icon: str


SHOWN: Mapping[Show, str] = {
    Show.ALL: "All orders",
    Show.TO_SHIP: "To ship",
    Show.AUTHORISED: "Authorised, to ship",
    Show.REVIEW: "In review",
    Show.DISPUTED: "Disputed, undecided",
    Show.AWAITING_PAYMENT: "Awaiting payment",
    Show.PAID: "Paid",
    Show.FULFILLED: "Shipped",
    Show.REFUNDED: "Refunded",
    Show.CANCELLED: "Cancelled",
    Show.EXPIRED: "Expired",
}

# By what an address says of the sorting.
SORTED: Mapping[str, str] = {
    "": "Newest first",
    "oldest": "Oldest first",
    "highest": "Highest total",
    "lowest": "Lowest total",
    "state": "State",
}

_STATES: Mapping[OrderState, Label] = {
    OrderState.AWAITING_PAYMENT: Label("Awaiting payment", Tone.CALM, "clock"),
    OrderState.PAID: Label("To ship", Tone.GOOD, "parcel"),
    OrderState.FULFILLED: Label("Shipped", Tone.CALM, "check"),
    OrderState.REFUNDED: Label("Refunded", Tone.CALM, "back"),
    OrderState.CANCELLED: Label("Cancelled", Tone.CALM, "cross"),
    OrderState.EXPIRED: Label("Expired", Tone.CALM, "clock"),
}


def labels(order: Order) -> list[Label]:
    """What stands beside an order, the most urgent first."""
    found = []
    if order.needs_review:
        found.append(Label("In review", Tone.BAD, "eye"))
    if order.disputed:
        found.append(Label("Disputed", Tone.BAD, "shield"))
    if order.payment.refund_due:
        found.append(Label("Money to return", Tone.WAIT, "back"))
    state = _STATES[order.state]
    if order.state is OrderState.AWAITING_PAYMENT and order.payment.state is PaymentState.DECLINED:
        state = Label("Declined, may try again", Tone.WAIT, "card")
    elif order.is_authorised:
        state = Label("Authorised, to ship", Tone.GOOD, "parcel")
    elif order.state is OrderState.PAID and order.shipped_at is not None:
        state = Label("Shipped in part", Tone.WAIT, "parcel")
    elif order.state is OrderState.FULFILLED and order.shipped_at is None:
        state = Label("Nothing to ship", Tone.CALM, "check")
    elif order.state is OrderState.PAID and found:
        state = Label("Paid", Tone.GOOD, "check")
    found.append(state)
    if order.payment.state is PaymentState.PAID and order.payment.refunded_minor:
        found.append(Label("Partly refunded", Tone.CALM, "back"))
    return found


_PAYMENT_STATES: Mapping[PaymentState, str] = {
    PaymentState.UNOPENED: "not opened",
    PaymentState.OPEN: "open",
    PaymentState.DECLINED: "declined",
    PaymentState.ACTION_REQUIRED: "the bank is asking",
    PaymentState.PROCESSING: "the bank is deciding",
    PaymentState.AUTHORISED: "authorised, not charged",
    PaymentState.PAID: "received",
    PaymentState.CANCELLED: "cancelled",
    PaymentState.REFUNDED: "returned",
}


def pieces_sent(line: OrderLine) -> str:
    """What became of the pieces of a line, where anything has: `2 shipped, 1 not sent`."""
    counts = {
        "shipped": line.shipped,
        "not sent, refunded": line.refunded_unsent,
        "refunded": line.refunded_sent,
        "back in stock": line.restocked,
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def packed_pieces(order: Order, shipment: Shipment | None) -> list[tuple[str, int]]:
    """What is in a parcel: in one that was sent, or else what is left to be sent; of an order of which nothing is,
    all of it.
    """
    if shipment is not None:
        return [(each.line.name, each.quantity) for each in shipment.lines]
    left = [(line.name, line.to_ship) for line in order.lines if line.to_ship]
    return left or [(line.name, line.quantity) for line in order.lines]


def refunded_pieces(refund: Refund) -> str:
    """What a refund is for, where it says so."""
    parts = [f"{row.quantity} × {row.line.name}" for row in refund.lines if row.line is not None]
    return ", ".join(parts + ["shipping" for row in refund.lines if row.line is None])


def payment_state(payment: Payment) -> str:
    return _PAYMENT_STATES[payment.state]


REFUND_STATES: Mapping[RefundState, Label] = {
    RefundState.REQUESTED: Label("asked for, not answered yet", Tone.WAIT, "clock"),
    RefundState.PENDING: Label("on its way", Tone.WAIT, "clock"),
    RefundState.SUCCEEDED: Label("sent to the card", Tone.GOOD, "check"),
    RefundState.FAILED: Label("failed", Tone.BAD, "cross"),
    RefundState.CANCELLED: Label("called off", Tone.BAD, "cross"),
}


def refund_state(refund: Refund) -> Label:
    return REFUND_STATES[refund.state]


_DISPUTE_STATES: Mapping[DisputeState, Label] = {
    DisputeState.NEW: Label("new", Tone.WAIT, "shield"),
    DisputeState.INQUIRY: Label("the bank asks; no money was taken", Tone.WAIT, "shield"),
    DisputeState.CLOSED: Label("the bank’s question came to nothing", Tone.GOOD, "check"),
    DisputeState.NEEDS_RESPONSE: Label("waits for your answer", Tone.BAD, "shield"),
    DisputeState.UNDER_REVIEW: Label("the bank looks at your answer", Tone.WAIT, "clock"),
    DisputeState.WON: Label("won", Tone.GOOD, "check"),
    DisputeState.LOST: Label("lost", Tone.BAD, "cross"),
}


def dispute_state(dispute: Dispute) -> Label:
    return _DISPUTE_STATES[dispute.state]


def mail_state(mail: Mail) -> Label:
    if mail.sent_at is not None:
        return Label("sent", Tone.GOOD, "check")
    if mail.failed_at is not None:
        return Label("refused by the mail server for good", Tone.BAD, "cross")
    if mail.dropped_because is not None:
        return Label(f"not sent: {mail.dropped_because.replace('_', ' ')}", Tone.CALM, "cross")
    tries = f" after {mail.attempts} tries" if mail.attempts else ""
    return Label(f"waits to be sent{tries}", Tone.WAIT, "clock")


# Why an order waits for a person, and what that person does next.
REVIEWS: Mapping[str, tuple[str, str]] = {
    "refund_failed": (
        "The bank did not take a refund, so the shopper waits for the money.",
        "Find another way to return it, then say how.",
    ),
    "refund_refused": ("Stripe refused to make a refund.", "Find out why in its dashboard."),
    "returned_more_than_received": ("More was returned than was received.", "Compare the refunds with Stripe’s."),
    "tax_not_recorded": (
        "Stripe Tax does not record the tax of this order, or of a refund of it.",
        "Record it in Stripe’s dashboard.",
    ),
    "early_fraud_warning": (
        "A card network takes the payment for fraud.",
        "Refund it before it is disputed, or be sure that it is good.",
    ),
    "risk_review": ("Stripe Radar asks you to look at the payment.", "Approve or refund it in Stripe’s dashboard."),
    "dispute_contradicted": (
        "Two reports about a dispute contradict each other.",
        "Look at it in Stripe’s dashboard, and go by that.",
    ),
    "paid_after_cancel": (
        "A payment was received after it was reported as cancelled.",
        "Look at it in Stripe’s dashboard: ship it, or refund it.",
    ),
    "other_amount_captured": (
        "Another amount was charged than the store had asked for.",
        "Look in Stripe’s dashboard who charged it; then ship it, or settle the difference.",
    ),
    "cancelled_after_paid": (
        "A payment was reported as cancelled after it was received.",
        "Send nothing out before you have looked in Stripe’s dashboard.",
    ),
    "wrong_mode": ("A payment of the other mode names this order.", "Send nothing out for it."),
    "wrong_currency": ("A payment in another currency names this order.", "Refund it at Stripe."),
    "wrong_amount": ("A payment of another amount names this order.", "Refund it at Stripe."),
    "wrong_amount_received": ("Another amount was received than was asked for.", "Settle the difference."),
    "payment_of_another_account": (
        "Its payment belongs to another Stripe account or mode than the store’s keys.",
        "Look there whether money came in or has to go back.",
    ),
}


def is_warning(review: Review) -> bool:
    """Whether a refund may still prevent the dispute that it warns of."""
    return review.reason == WARNING and bool(review.data.get("actionable"))


def review_words(review: Review) -> tuple[str, str]:
    """Why a person has to look, and what to do next."""
    unknown = (
        f"Something did not add up: {review.reason.replace('_', ' ')}.",
        "Compare the order with Stripe’s dashboard.",
    )
    return REVIEWS.get(review.reason, unknown)
