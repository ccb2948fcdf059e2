"""What the store promises about money and orders, each promise one function that looks at a picture of a shop.

They hold after every step of every history, whatever was lost, late, told twice or cut off in the middle. `Memory` is
what a history remembers beside: what Stripe has told and the store has acknowledged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from models import Order
from store.domain.states import ORDER, Moves, OrderEvent, OrderState, PaymentState, RefundState, ReservationState
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
        payment = order.payment
        if payment.state in RECEIVED:
            assert payment.provider_payment_id == intent["id"], "another payment than the one that came in"
            assert payment.received_minor == intent["amount_received"] == order.total_minor
            assert order.currency == intent["currency"]
            given_back = payment.refund_due or order.needs_review
            assert order.state in PAID_ORDERS or (order.state in GONE_ORDERS and given_back), "paid, and nobody sees it"
        else:
            assert (intent["id"], "succeeded") not in memory.origin, "the store was told of money and forgot it"


def no_order_is_paid_without_its_payment(picture: Picture, _memory: Memory) -> None:
    for order in picture.orders:
        if order.state in PAID_ORDERS or order.payment.state in RECEIVED:
            intent = picture.intents[order.payment.provider_payment_id or ""]
            assert intent["status"] == "succeeded"
            assert intent["amount_received"] == order.total_minor


def no_order_is_charged_twice(picture: Picture, _memory: Memory) -> None:
    for reference, intents in picture.intents_of.items():
        assert len(intents) == 1, f"order {reference} has more than one payment"
    taken = Counter(charge["payment_intent"] for charge in picture.charges if charge["status"] == "succeeded")
    assert all(times == 1 for times in taken.values())


def a_declined_attempt_counts_once(picture: Picture, memory: Memory) -> None:
    for order in picture.orders:
        assert order.payment.declines <= len(memory.declined[order.payment.provider_payment_id or ""])
        assert order.payment.declines == len(entries(order, "payment.declined"))


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
        mine = picture.refunds.get(order.id, [])
        assert all(row.provider_refund_id in there for row in mine if row.provider_refund_id), (
            "a refund that Stripe does not have"
        )
        back = sum(row.amount_minor for row in mine if row.state in RETURNING)
        if order.payment.state in RECEIVED:
            # More than came in is thinkable only until Stripe tells that one of the refunds has failed.
            assert back <= order.payment.received_minor or order.needs_review
            assert order.payment.refunded_minor == min(back, order.payment.received_minor)
            assert (order.payment.state is PaymentState.REFUNDED) == (back >= order.payment.received_minor)
            assert (order.state is OrderState.REFUNDED) == (order.payment.state is PaymentState.REFUNDED)


def a_refund_that_failed_is_seen_by_a_person(picture: Picture, _memory: Memory) -> None:
    for order in picture.orders:
        failed = [row for row in picture.refunds.get(order.id, []) if row.state in FAILED]
        assert order.needs_review or not failed, f"the shopper of {order.reference} waits for money that does not come"


def what_the_store_asks_back_is_asked_once(picture: Picture, _memory: Memory) -> None:
    keys = Counter(refund["metadata"].get("refund_key") for refund in picture.refunds_at_stripe)
    assert all(times == 1 for key, times in keys.items() if key is not None)


def disputes_are_what_stripe_told(picture: Picture, memory: Memory) -> None:
    for dispute in picture.disputes_at_stripe:
        if (dispute["id"], dispute["status"]) in memory.origin and dispute["payment_intent"] in known(picture):
            assert picture.disputes[dispute["id"]].state == DISPUTE_STATES[dispute["status"]]
    flagged = {d.order_id for d in picture.disputes.values() if d.state not in ("closed", "won")}
    for order in picture.orders:
        assert order.disputed == (order.id in flagged)


def the_history_leads_to_the_state(picture: Picture, _memory: Memory) -> None:
    for order in picture.orders:
        state: OrderState | None = None
        for entry in entries(order, "order."):
            if entry.to_state is None:
                continue
            assert entry.from_state == state, f"the history of {order.reference} has a gap before {entry.what}"
            if state is not None:
                event = OrderEvent(entry.what.removeprefix("order."))
                assert ORDER.answer(state, event) == Moves(OrderState(entry.to_state))
            state = OrderState(entry.to_state)
        assert state is order.state


def a_letter_is_written_once_for_each_happening(picture: Picture, memory: Memory) -> None:
    for order in picture.orders:
        written = Counter(email.kind for email in picture.emails if email.order_id == order.id)
        assert written["order_paid"] == (1 if entries(order, "order.payment_received") else 0)
        if order.payment.provider_payment_id not in memory.let_go:
            assert written["order_expired"] == len(entries(order, "order.expired"))
        assert written["dispute_opened"] == sum(1 for d in picture.disputes.values() if d.order_id == order.id)
        returned = written["refunded"] + written["late_payment_returned"]
        assert returned == len(entries(order, "refund.succeeded"))


def an_order_is_set_aside_only_for_a_reason(picture: Picture, _memory: Memory) -> None:
    for order in picture.orders:
        said = [entry.detail["reason"] for entry in entries(order, "order.needs_review")]
        assert bool(said) == order.needs_review
        for reason in said:
            assert REASONS[reason](picture, order), f"order {order.reference} was set aside for nothing: {reason}"


def known(picture: Picture) -> set[str | None]:
    """The payments that the store has heard of. What is told of another is kept until it has."""
    return {order.payment.provider_payment_id for order in picture.orders}


def _a_refund_failed(picture: Picture, order: Order) -> bool:
    return any(
        refund["payment_intent"] == order.payment.provider_payment_id and refund["status"] == "failed"
        for refund in picture.refunds_at_stripe
    )


def _somebody_else_has_the_money(picture: Picture, order: Order) -> bool:
    """It was given back in the dashboard, or the bank has taken it back."""
    elsewhere = [refund for refund in picture.refunds_at_stripe if "refund_key" not in refund["metadata"]]
    return any(
        thing["payment_intent"] == order.payment.provider_payment_id for thing in elsewhere + picture.disputes_at_stripe
    )


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
    no_order_is_charged_twice,
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
