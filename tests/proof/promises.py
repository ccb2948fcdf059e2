"""What the store promises about money and orders, each promise one function that looks at a picture of a shop.

They hold after every step of every history, whatever was lost, late, told twice or cut off in the middle. `Memory` is
what a history remembers beside: what Stripe has told and the store has acknowledged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from models import Order
from store.domain.states import ORDER, OrderEvent, OrderState, Outcome, PaymentState, RefundState, ReservationState
from tests.proof.picture import Picture, entries

PAID_ORDERS = (OrderState.PAID, OrderState.FULFILLED, OrderState.REFUNDED)
GONE_ORDERS = (OrderState.CANCELLED, OrderState.EXPIRED)
RECEIVED = (PaymentState.PAID, PaymentState.REFUNDED)
RETURNING, FAILED = (RefundState.PENDING, RefundState.SUCCEEDED), (RefundState.FAILED, RefundState.CANCELLED)

# Where a dispute stands in the store once Stripe's status was told to it.
DISPUTE_STATES = {
    "warning_needs_response": "inquiry",
    "warning_under_review": "inquiry",
    "warning_closed": "closed",
    "needs_response": "needs_response",
    "under_review": "under_review",
    "won": "won",
    "lost": "lost",
}


@dataclass
class Memory:
    """`told` holds what was acknowledged, as an object's id and its status; `shown` the payments whose secret a
    browser has seen; `let_go` the orders that a person gave up by hand, without asking Stripe; `declined` the events of
    declined attempts, by payment.
    """

    stock: dict[str, int]
    origin: set[tuple[str, str]] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    let_go: set[str] = field(default_factory=set)
    declined: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def nothing_is_oversold_and_nothing_leaks(picture: Picture, memory: Memory) -> None:
    pieces: dict[ReservationState, Counter[int]] = {where: Counter() for where in ReservationState}
    for order in picture.orders:
        for line in order.lines:
            pieces[order.reservation][line.product_id] += line.quantity
    for product in picture.products:
        assert 0 <= product.reserved <= product.stock, product.slug
        assert product.reserved == pieces[ReservationState.RESERVED][product.id], (
            f"{product.slug}: held is not what open orders were promised"
        )
        sold = pieces[ReservationState.COMMITTED][product.id]
        assert product.stock + sold == memory.stock[product.slug], f"{product.slug}: pieces came or went"


def goods_are_where_the_orders_state_says(picture: Picture, _memory: Memory) -> None:
    """At every moment, also between a crash and whatever mends it."""
    for order in picture.orders:
        if order.state is OrderState.AWAITING_PAYMENT:
            assert order.reservation is ReservationState.RESERVED, (
                f"order {order.reference} waits for money, and its goods may be gone"
            )
        elif order.state in GONE_ORDERS:
            assert order.reservation is ReservationState.RELEASED
        elif order.state is not OrderState.REFUNDED:
            assert order.reservation is ReservationState.COMMITTED or order.needs_review


def every_payment_has_its_order(picture: Picture, memory: Memory) -> None:
    for intent in picture.intents.values():
        if intent["status"] != "succeeded":
            continue
        [order] = [order for order in picture.orders if order.reference == intent["metadata"]["order_reference"]]
        payment = picture.payment_of(order, intent["id"])
        if payment is None or payment.state not in RECEIVED:
            assert (intent["id"], "succeeded") not in memory.origin, "the store was told of money and forgot it"
            continue
        assert payment.received_minor == intent["amount_received"] == order.total_minor
        assert order.currency == intent["currency"]
        goes_back = payment.refund_due or order.needs_review or payment.state is PaymentState.REFUNDED
        kept = payment.live and order.state in PAID_ORDERS
        assert kept or goes_back, "paid, and nobody sees it"


def no_order_is_paid_without_its_payment(picture: Picture, _memory: Memory) -> None:
    for order in picture.orders:
        if order.state in PAID_ORDERS or order.payment.state in RECEIVED:
            intent = picture.intents[order.payment.provider_payment_id or ""]
            assert intent["status"] == "succeeded"
            assert intent["amount_received"] == order.total_minor


def an_order_keeps_one_payment(picture: Picture, _memory: Memory) -> None:
    for order in picture.orders:
        kept = [
            payment
            for payment in order.payments
            if payment.state is PaymentState.PAID and not payment.refund_due and not order.needs_review
        ]
        assert len(kept) <= 1, f"order {order.reference} was paid twice, and both payments were kept"
    taken = Counter(charge["payment_intent"] for charge in picture.charges if charge["status"] == "succeeded")
    assert all(times == 1 for times in taken.values())


def a_declined_attempt_counts_once(picture: Picture, memory: Memory) -> None:
    for order in picture.orders:
        for payment in order.payments:
            assert payment.declines <= len(memory.declined[payment.provider_payment_id or ""])
        assert sum(payment.declines for payment in order.payments) == len(entries(order, "payment.declined"))


def a_cart_has_at_most_one_open_order(picture: Picture, _memory: Memory) -> None:
    waiting = Counter(order.cart_id for order in picture.orders if order.state is OrderState.AWAITING_PAYMENT)
    assert all(times == 1 for times in waiting.values())


def an_order_that_was_given_up_cannot_be_paid_any_more(picture: Picture, memory: Memory) -> None:
    for order in picture.orders:
        if order.state in GONE_ORDERS and order.payment.provider_payment_id in memory.shown - memory.let_go:
            assert picture.intents[order.payment.provider_payment_id]["status"] in ("canceled", "succeeded")


def refunds_are_what_stripe_told(picture: Picture, memory: Memory) -> None:
    rows = {row.provider_refund_id: row for rows in picture.refunds.values() for row in rows if row.provider_refund_id}
    for refund in picture.refunds_at_stripe:
        if (refund["id"], refund["status"]) in memory.origin and refund["payment_intent"] in known(picture):
            assert rows[refund["id"]].state == refund["status"]
            assert rows[refund["id"]].amount_minor == refund["amount"]
    there = {refund["id"] for refund in picture.refunds_at_stripe}
    for order in picture.orders:
        for payment in order.payments:
            mine = picture.refunds.get(payment.id, [])
            unknown = [row for row in mine if row.provider_refund_id and row.provider_refund_id not in there]
            assert unknown == [], "a refund that Stripe does not have"
            back = sum(row.amount_minor for row in mine if row.state in RETURNING)
            if payment.state in RECEIVED:
                # More than came in is thinkable only until Stripe tells that one of the refunds has failed.
                assert back <= payment.received_minor or order.needs_review
                assert payment.refunded_minor == min(back, payment.received_minor)
                assert (payment.state is PaymentState.REFUNDED) == (back >= payment.received_minor)
        assert (order.state is OrderState.REFUNDED) == (order.payment.state is PaymentState.REFUNDED)


def a_refund_that_failed_is_seen_by_a_person(picture: Picture, _memory: Memory) -> None:
    for order in picture.orders:
        rows = [row for payment in order.payments for row in picture.refunds.get(payment.id, [])]
        failed = [row for row in rows if row.state in FAILED]
        assert order.needs_review or not failed, f"the shopper of {order.reference} waits for money that does not come"


def what_the_store_asks_back_is_asked_once(picture: Picture, _memory: Memory) -> None:
    keys = Counter(refund["metadata"].get("refund_key") for refund in picture.refunds_at_stripe)
    assert all(times == 1 for key, times in keys.items() if key is not None)


def disputes_are_what_stripe_told(picture: Picture, memory: Memory) -> None:
    for dispute in picture.disputes_at_stripe:
        if (dispute["id"], dispute["status"]) in memory.origin and dispute["payment_intent"] in known(picture):
            assert picture.disputes[dispute["id"]].state == DISPUTE_STATES[dispute["status"]]
    flagged = {picture.order_of(d.payment_id) for d in picture.disputes.values() if d.state not in ("closed", "won")}
    for order in picture.orders:
        assert order.disputed == (order.id in flagged)


def the_history_leads_to_the_state(picture: Picture, _memory: Memory) -> None:
    for order in picture.orders:
        state: OrderState | None = None
        for entry in entries(order, "order."):
            if entry.to_state is None:
                continue
            assert entry.from_state == state, f"the history of {order.reference} has a gap before {entry.type}"
            if state is not None:
                event = OrderEvent(entry.type.removeprefix("order."))
                assert ORDER.decide(state, event) == (Outcome.APPLIED, OrderState(entry.to_state))
            state = OrderState(entry.to_state)
        assert state is order.state


def a_letter_is_written_once_for_each_happening(picture: Picture, memory: Memory) -> None:
    for order in picture.orders:
        written = Counter(email.kind for email in picture.emails if email.order_id == order.id)
        assert written["order_paid"] == (1 if entries(order, "order.payment_received") else 0)
        if order.payment.provider_payment_id not in memory.let_go:
            assert written["order_expired"] == len(entries(order, "order.expired"))
        assert written["dispute_opened"] == sum(
            1 for d in picture.disputes.values() if picture.order_of(d.payment_id) == order.id
        )
        returned = written["refunded"] + written["late_payment_returned"] + written["second_payment_returned"]
        assert returned == len(entries(order, "refund.succeeded"))


def an_order_is_set_aside_only_for_a_reason(picture: Picture, _memory: Memory) -> None:
    for order in picture.orders:
        said = [entry.data["reason"] for entry in entries(order, "review.opened")]
        assert bool(said) == order.needs_review
        for reason in said:
            assert REASONS[reason](picture, order), f"order {order.reference} was set aside for nothing: {reason}"


def known(picture: Picture) -> set[str | None]:
    """The payments that the store has heard of. What is told of another is kept until it has."""
    return {payment.provider_payment_id for order in picture.orders for payment in order.payments}


def _a_refund_failed(picture: Picture, order: Order) -> bool:
    return any(
        refund["payment_intent"] in ids_of(order) and refund["status"] == "failed"
        for refund in picture.refunds_at_stripe
    )


def _somebody_else_has_the_money(picture: Picture, order: Order) -> bool:
    """It was given back in the dashboard, or the bank has taken it back."""
    elsewhere = [refund for refund in picture.refunds_at_stripe if "refund_key" not in refund["metadata"]]
    return any(thing["payment_intent"] in ids_of(order) for thing in elsewhere + picture.disputes_at_stripe)


def ids_of(order: Order) -> set[str | None]:
    """The ids of an order's payments at Stripe."""
    return {payment.provider_payment_id for payment in order.payments}


# Why an order may be set aside for a person, and what must be true at Stripe for that.
REASONS: dict[str, Callable[[Picture, Order], bool]] = {
    "refund_failed": _a_refund_failed,
    "returned_more_than_received": _a_refund_failed,
    "refund_refused": _somebody_else_has_the_money,
}

PROMISES: tuple[Callable[[Picture, Memory], None], ...] = (
    nothing_is_oversold_and_nothing_leaks,
    goods_are_where_the_orders_state_says,
    every_payment_has_its_order,
    no_order_is_paid_without_its_payment,
    an_order_keeps_one_payment,
    a_declined_attempt_counts_once,
    a_cart_has_at_most_one_open_order,
    an_order_that_was_given_up_cannot_be_paid_any_more,
    refunds_are_what_stripe_told,
    a_refund_that_failed_is_seen_by_a_person,
    what_the_store_asks_back_is_asked_once,
    disputes_are_what_stripe_told,
    the_history_leads_to_the_state,
    a_letter_is_written_once_for_each_happening,
    an_order_is_set_aside_only_for_a_reason,
)
