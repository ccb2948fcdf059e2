"""What the store promises about money and orders, each promise one function that checks a snapshot of a shop.

They hold after every step of every history, whatever was lost, late, duplicated or interrupted. `Memory` is what a
history remembers beside: what Stripe has reported and the store has acknowledged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from models import Order
from store.domain.documents import DocumentKind
from store.domain.states import ORDER, OrderEvent, OrderState, Outcome, PaymentState, RefundState, ReservationState
from store.services.mail import truth
from tests.proof.snapshot import ShopSnapshot, entries

PAID_ORDERS = (OrderState.PAID, OrderState.FULFILLED, OrderState.REFUNDED)
CLOSED_ORDERS = (OrderState.CANCELLED, OrderState.EXPIRED)
RECEIVED = (PaymentState.PAID, PaymentState.REFUNDED)
RETURNING, FAILED = (RefundState.PENDING, RefundState.SUCCEEDED), (RefundState.FAILED, RefundState.CANCELLED)

# At Stripe.
TAKES_NO_CARD = ("requires_capture", "canceled", "succeeded")

# The store's state of a dispute, by the status that Stripe reported.
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
    """`reported` holds what was acknowledged, as an object's id and its status; `shown` the payments whose secret, and
    the hosted pages whose address, a browser has seen; `closed_by_hand` those of orders that staff expired without
    asking Stripe; `declined` the events of declined attempts, by payment.
    """

    stock: dict[str, int]
    reported: set[tuple[str, str]] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    closed_by_hand: set[str] = field(default_factory=set)
    declined: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def stock_is_never_oversold_and_never_leaks(snapshot: ShopSnapshot, memory: Memory) -> None:
    reserved, gone = Counter[int](), Counter[int]()
    for order in snapshot.orders:
        for line in order.lines:
            here = {ReservationState.RESERVED: reserved, ReservationState.COMMITTED: gone}.get(order.reservation)
            if here is not None:
                here[line.product_id] += line.to_ship
            gone[line.product_id] += line.shipped + line.refunded_unsent - line.restocked
    for product in snapshot.products:
        assert 0 <= product.reserved <= product.stock, product.slug
        assert product.reserved == reserved[product.id], f"{product.slug}: reserved is not what open orders have"
        assert product.stock + gone[product.id] == memory.stock[product.slug], (
            f"{product.slug}: stock appeared or disappeared"
        )


def no_piece_is_sent_or_refunded_twice(snapshot: ShopSnapshot, _memory: Memory) -> None:
    """What the shipments and the refunds of an order say is what its lines count."""
    for order in snapshot.orders:
        sent, unsent, back, again = Counter[int](), Counter[int](), Counter[int](), Counter[int]()
        for shipment in order.shipments:
            sent.update({each.product_id: each.quantity for each in shipment.lines})
        for refund in [row for payment in order.payments for row in snapshot.refunds.get(payment.id, [])]:
            assert refund.accepted_at or refund.state not in RETURNING, "on its way, and was never accepted"
            assert not refund.lines or refund.amount_minor == sum(row.amount_minor for row in refund.lines)
        for row, accepted in snapshot.refunded(order):
            (back if row.sent else unsent)[row.product_id or 0] += row.quantity
            if accepted and row.restock:
                again[row.product_id or 0] += row.quantity
        came_back = {line.name: again[line.product_id] for line in order.lines}
        assert told_as_back(order) == Counter(came_back), "the history says that other pieces came back"
        for line in order.lines:
            counted = (line.shipped, line.refunded_unsent, line.refunded_sent, line.restocked)
            assert counted == tuple(each[line.product_id] for each in (sent, unsent, back, again))
            assert line.to_ship >= 0
            assert order.state is not OrderState.FULFILLED or line.to_ship == 0, "fulfilled, and something is not sent"


def told_as_back(order: Order) -> Counter[str]:
    """How many pieces of each product came back into stock, as an order's history says it: `2 × Cedar pencil`."""
    told = Counter[str]()
    for entry in [*entries(order, "order.restocked"), *entries(order, "order.rest_not_sent")]:
        for pieces in entry.data["pieces"].split(", "):
            count, name = pieces.split(" × ")
            told[name] += int(count)
    return told


def a_reservation_fits_the_state_of_its_order(snapshot: ShopSnapshot, _memory: Memory) -> None:
    """At all times, also between a crash and its repair."""
    for order in snapshot.orders:
        if order.state is OrderState.AWAITING_PAYMENT:
            assert order.reservation is ReservationState.RESERVED, (
                f"order {order.reference} awaits payment, and its stock is not reserved"
            )
        elif order.state in CLOSED_ORDERS:
            assert order.reservation is ReservationState.RELEASED
        elif order.state is not OrderState.REFUNDED:
            assert order.reservation is ReservationState.COMMITTED or order.needs_review


def a_coupon_has_as_many_uses_as_orders_have_one(snapshot: ShopSnapshot, _memory: Memory) -> None:
    kept = [order for order in snapshot.orders if order.reservation is not ReservationState.RELEASED]
    for coupon in snapshot.coupons:
        assert coupon.used == sum(order.coupon_id == coupon.id for order in kept), (
            f"{coupon.code}: uses are lost or left"
        )
        assert coupon.max_uses is None or coupon.used <= coupon.max_uses


def every_payment_has_its_order(snapshot: ShopSnapshot, memory: Memory) -> None:
    for intent in snapshot.intents.values():
        if intent["status"] != "succeeded":
            continue
        [order] = [order for order in snapshot.orders if order.reference == intent["metadata"]["order_reference"]]
        payment = snapshot.payment_of(order, intent["id"])
        if payment is None or payment.state not in RECEIVED:
            assert (intent["id"], "succeeded") not in memory.reported, "Stripe reported a payment and the store lost it"
            continue
        assert payment.received_minor == intent["amount_received"]
        assert_as_much_as_was_due(intent, order)
        assert order.currency == intent["currency"]
        goes_back = payment.refund_due or order.needs_review or payment.state is PaymentState.REFUNDED
        kept = payment.live and order.state in PAID_ORDERS
        assert kept or goes_back, "paid, and neither kept by an order, nor refunded, nor in review"


def no_order_is_paid_without_its_payment(snapshot: ShopSnapshot, _memory: Memory) -> None:
    for order in snapshot.orders:
        if not order.total_minor:
            assert order.payment.state is PaymentState.UNOPENED, "a payment of an order that cost nothing"
            assert [payment.provider_payment_id for payment in order.payments] == [None]
        elif order.state in PAID_ORDERS or order.payment.state in RECEIVED:
            intent = snapshot.intents[order.payment.provider_payment_id or ""]
            assert intent["status"] == "succeeded"
            assert_as_much_as_was_due(intent, order)


def nothing_is_charged_before_it_is_captured(snapshot: ShopSnapshot, memory: Memory) -> None:
    """An authorised order has its stock, and no card can be tried on it."""
    for order in snapshot.orders:
        if order.is_authorised:
            assert order.payment.state is PaymentState.AUTHORISED
            assert order.payment.received_minor == 0
            assert order.payment.capture_before is not None
            assert order.expires_at < order.payment.capture_before
            assert [name for name in ids_of(order) if can_be_paid(snapshot, memory, name)] == []


def an_order_keeps_one_payment(snapshot: ShopSnapshot, _memory: Memory) -> None:
    for order in snapshot.orders:
        kept = [
            payment
            for payment in order.payments
            if payment.state is PaymentState.PAID and not payment.refund_due and not order.needs_review
        ]
        assert len(kept) <= 1, f"order {order.reference} was paid twice, and both payments were kept"
    taken = Counter(charge["payment_intent"] for charge in snapshot.charges if charge["status"] == "succeeded")
    assert all(times == 1 for times in taken.values())


def a_declined_attempt_counts_once(snapshot: ShopSnapshot, memory: Memory) -> None:
    for order in snapshot.orders:
        for payment in order.payments:
            assert payment.declines <= len(memory.declined[payment.provider_payment_id or ""])
        assert sum(payment.declines for payment in order.payments) == len(entries(order, "payment.declined"))


def a_cart_has_at_most_one_open_order(snapshot: ShopSnapshot, _memory: Memory) -> None:
    waits = OrderState.AWAITING_PAYMENT
    waiting = Counter(order.cart_id for order in snapshot.orders if order.state is waits and not order.is_authorised)
    assert all(times == 1 for times in waiting.values())


def a_closed_order_cannot_be_paid(snapshot: ShopSnapshot, memory: Memory) -> None:
    for order in snapshot.orders:
        if order.state in CLOSED_ORDERS and not ids_of(order) & memory.closed_by_hand:
            assert [name for name in ids_of(order) if can_be_paid(snapshot, memory, name)] == []


def an_order_can_be_paid_in_one_place_at_a_time(snapshot: ShopSnapshot, memory: Memory) -> None:
    """On the store's own page, or on a hosted one."""
    for order in snapshot.orders:
        places = [name for name in ids_of(order) if can_be_paid(snapshot, memory, name)]
        assert len(places) <= 1, f"order {order.reference} can be paid in two places"


def refunds_are_as_stripe_reported(snapshot: ShopSnapshot, memory: Memory) -> None:
    rows = {row.provider_refund_id: row for rows in snapshot.refunds.values() for row in rows if row.provider_refund_id}
    for refund in snapshot.refunds_at_stripe:
        if (refund["id"], refund["status"]) in memory.reported and refund["payment_intent"] in known(snapshot):
            assert rows[refund["id"]].state == refund["status"]
            assert rows[refund["id"]].amount_minor == refund["amount"]
    there = {refund["id"] for refund in snapshot.refunds_at_stripe}
    for order in snapshot.orders:
        for payment in order.payments:
            mine = snapshot.refunds.get(payment.id, [])
            unknown = [row for row in mine if row.provider_refund_id and row.provider_refund_id not in there]
            assert unknown == [], "a refund that Stripe does not have"
            back = sum(row.amount_minor for row in mine if row.state in RETURNING)
            if payment.state in RECEIVED:
                # More than was received is possible only until Stripe reports that one of the refunds failed.
                assert back <= payment.received_minor or order.needs_review
                assert payment.refunded_minor == min(back, payment.received_minor)
                assert (payment.state is PaymentState.REFUNDED) == (back >= payment.received_minor)
        assert (order.state is OrderState.REFUNDED) == (order.payment.state is PaymentState.REFUNDED)


def a_failed_refund_opens_a_review(snapshot: ShopSnapshot, _memory: Memory) -> None:
    for order in snapshot.orders:
        rows = [row for payment in order.payments for row in snapshot.refunds.get(payment.id, [])]
        failed = [row for row in rows if row.state in FAILED]
        assert order.needs_review or not failed, f"a refund of {order.reference} failed without a review"


def a_refund_is_submitted_once(snapshot: ShopSnapshot, _memory: Memory) -> None:
    keys = Counter(refund["metadata"].get("refund_key") for refund in snapshot.refunds_at_stripe)
    assert all(times == 1 for key, times in keys.items() if key is not None)


def disputes_are_as_stripe_reported(snapshot: ShopSnapshot, memory: Memory) -> None:
    for dispute in snapshot.disputes_at_stripe:
        if (dispute["id"], dispute["status"]) in memory.reported and dispute["payment_intent"] in known(snapshot):
            assert snapshot.disputes[dispute["id"]].state == DISPUTE_STATES[dispute["status"]]
    flagged = {snapshot.order_of(d.payment_id) for d in snapshot.disputes.values() if d.state not in ("closed", "won")}
    for order in snapshot.orders:
        assert order.disputed == (order.id in flagged)


def the_history_leads_to_the_state(snapshot: ShopSnapshot, _memory: Memory) -> None:
    for order in snapshot.orders:
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


def each_event_has_one_email(snapshot: ShopSnapshot, memory: Memory) -> None:
    for order in snapshot.orders:
        emails = Counter(email.kind for email in snapshot.emails if email.order_id == order.id)
        paid = entries(order, "order.payment_received") or entries(order, "order.nothing_due")
        assert emails["order_paid"] == (1 if paid else 0)
        assert emails["order_authorised"] == (1 if order.authorised_at else 0)
        if not ids_of(order) & memory.closed_by_hand:
            # Only a card that was known to be tried by then makes an expiry worth a mail.
            types = [entry.type for entry in order.history]
            expired = [place for place, event in enumerate(types) if event == "order.expired"]
            mailed = [place for place in expired if any(event in types[:place] for event in truth.TRIED)]
            closed = entries(order, "order.expired") + entries(order, "order.cancelled")
            assert emails["order_expired"] == (0 if order.authorised_at else len(mailed))
            assert emails["authorisation_released"] == (len(closed) if order.authorised_at else 0)
        assert emails["dispute_opened"] == sum(
            1 for d in snapshot.disputes.values() if snapshot.order_of(d.payment_id) == order.id
        )
        returned = emails["refunded"] + emails["late_payment_returned"] + emails["second_payment_returned"]
        assert returned == len(entries(order, "refund.succeeded"))
        assert emails["order_partly_shipped"] + emails["order_fulfilled"] == len(order.shipments)


def an_order_is_in_review_only_for_a_reason(snapshot: ShopSnapshot, _memory: Memory) -> None:
    for order in snapshot.orders:
        reasons = [entry.data["reason"] for entry in entries(order, "review.opened")]
        assert bool(reasons) == order.needs_review
        for reason in reasons:
            assert REASONS[reason](snapshot, order), f"order {order.reference} is in review without a cause: {reason}"


def known(snapshot: ShopSnapshot) -> set[str | None]:
    """The payments that the store knows. Events of another payment are stored until it does."""
    return {payment.provider_payment_id for order in snapshot.orders for payment in order.payments}


def _a_refund_failed(snapshot: ShopSnapshot, order: Order) -> bool:
    return any(
        refund["payment_intent"] in ids_of(order) and refund["status"] == "failed"
        for refund in snapshot.refunds_at_stripe
    )


def _the_money_went_back_elsewhere(snapshot: ShopSnapshot, order: Order) -> bool:
    """It was refunded in the dashboard, or disputed."""
    elsewhere = [refund for refund in snapshot.refunds_at_stripe if "refund_key" not in refund["metadata"]]
    return any(thing["payment_intent"] in ids_of(order) for thing in elsewhere + snapshot.disputes_at_stripe)


def _less_was_captured(snapshot: ShopSnapshot, order: Order) -> bool:
    mine = [intent for name, intent in snapshot.intents.items() if name in ids_of(order)]
    return any(intent["capture_method"] == "manual" for intent in mine)


def assert_as_much_as_was_due(intent: Mapping[str, Any], order: Order) -> None:
    """All of the order's total, unless the merchant decides how much is captured."""
    if intent["capture_method"] == "manual":
        assert 0 < intent["amount_received"] <= order.total_minor
    else:
        assert intent["amount_received"] == order.total_minor


def ids_of(order: Order) -> set[str | None]:
    """The ids of an order's payments at Stripe, and those of its hosted pages."""
    pages = {payment.provider_page_id for payment in order.payments}
    return {payment.provider_payment_id for payment in order.payments} | pages


def can_be_paid(snapshot: ShopSnapshot, memory: Memory, name: str | None) -> bool:
    """Whether a shopper has what it takes to pay this payment, or on this page, and still can."""
    if name not in memory.shown:
        return False
    page = snapshot.pages.get(name)
    return page["status"] == "open" if page else snapshot.intents[name]["status"] not in TAKES_NO_CARD


# Why an order may be in review, and what must be true at Stripe for that.
REASONS: dict[str, Callable[[ShopSnapshot, Order], bool]] = {
    "refund_failed": _a_refund_failed,
    "returned_more_than_received": _a_refund_failed,
    "refund_refused": _the_money_went_back_elsewhere,
    "other_amount_captured": _less_was_captured,
}


def documents_say_what_was_paid_and_returned(snapshot: ShopSnapshot, _memory: Memory) -> None:
    for kind in DocumentKind:
        numbers = sorted(each.number for each in snapshot.documents if each.kind is kind)
        assert numbers == list(range(1, len(numbers) + 1)), f"{kind}: numbers are missing"
    orders = {order.id: order for order in snapshot.orders}
    refunds = {row.id: row for rows in snapshot.refunds.values() for row in rows}
    cancelled = {each.cancels_id for each in snapshot.documents}
    invoiced = Counter(each.order_id for each in snapshot.documents if each.kind is DocumentKind.INVOICE)
    for document in snapshot.documents:
        order = orders[document.order_id]
        assert invoiced[order.id] == 1, f"{order.reference} has {invoiced[order.id]} invoices"
        if document.kind is DocumentKind.INVOICE:
            assert (document.total_minor, order.paid_at is not None) == (order.payment.received_minor, True)
            continue
        refund = refunds[document.refund_id or 0]
        sign = -1 if document.cancels_id is not None else 1
        assert (document.total_minor, refund.payment_id) == (sign * refund.amount_minor, order.payment.id)
        if sign < 0 or document.id in cancelled:
            assert refund.state in FAILED, f"{document.name} is cancelled, its refund is {refund.state}"
        else:
            assert refund.state in (RefundState.SUCCEEDED, *FAILED), f"{document.name} is of a {refund.state} refund"


PROMISES: tuple[Callable[[ShopSnapshot, Memory], None], ...] = (
    stock_is_never_oversold_and_never_leaks,
    no_piece_is_sent_or_refunded_twice,
    a_coupon_has_as_many_uses_as_orders_have_one,
    a_reservation_fits_the_state_of_its_order,
    every_payment_has_its_order,
    no_order_is_paid_without_its_payment,
    nothing_is_charged_before_it_is_captured,
    an_order_keeps_one_payment,
    a_declined_attempt_counts_once,
    a_cart_has_at_most_one_open_order,
    a_closed_order_cannot_be_paid,
    an_order_can_be_paid_in_one_place_at_a_time,
    refunds_are_as_stripe_reported,
    a_failed_refund_opens_a_review,
    a_refund_is_submitted_once,
    disputes_are_as_stripe_reported,
    the_history_leads_to_the_state,
    each_event_has_one_email,
    an_order_is_in_review_only_for_a_reason,
    documents_say_what_was_paid_and_returned,
)
