"""What is read of an order is of that order alone, and is there when the transaction that read it has ended."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from models import Dispute, Endpoint, HistoryEntry, Notification, Order, OrderAdjustment, Payment, Refund
from store.domain.errors import NotFound
from store.domain.money import Money
from store.domain.pricing import AdjustmentKind
from store.domain.states import DisputeState, PaymentState, RefundState
from store.services import orders
from store.services.history import Origin, Source
from store.services.orders import STAFF, Access, listing, lookup, whole
from store.services.orders.listing import OrderFilter
from store.services.orders.sorting import Sort
from store.services.orders.whole import WholeOrder
from store.services.payments import refunds
from store.services.payments.refunds import Choice, ChosenPieces
from tests.support.shop import Shop
from tools.fill_orders import fill

MINUTE = timedelta(minutes=1)


def paid(shop: Shop) -> Order:
    order = shop.order(3)
    shop.pay(order)
    shop.deliver()
    return order


def write(shop: Shop, table: Any, *rows: dict[str, Any]) -> None:
    with shop.services.database.transaction() as session:
        session.execute(insert(table), list(rows))


def read(shop: Shop, reference: str) -> WholeOrder:
    with shop.services.database.reading() as session:
        return whole.read(session, reference)


def of_both(shop: Shop, both: list[Order], now: datetime) -> None:
    """Give two orders each a refund, two disputes and two mails, and a notification for each thing that happened."""
    write(
        shop,
        Endpoint,
        {"id": 1, "url": "https://books.example/", "facts": [], "secret": "", "after_id": 0, "added_at": now,
         "added_by": "Ada"},
    )  # fmt: skip
    for name, order in zip("ab", both, strict=True):
        payment = shop.read(order.reference).payment.id
        row = {"payment_id": payment, "amount_minor": 100}
        write(shop, Refund, {**row, "state": RefundState.PENDING, "requested_at": now})
        disputes = [(f"{name}1", now), (f"{name}2", now - MINUTE)]
        for dispute, opened_at in disputes:
            values = {"provider_dispute_id": dispute, "state": DisputeState.WON, "opened_at": opened_at}
            write(shop, Dispute, {**row, **values})
        with shop.services.database.reading() as session:
            entries = session.scalars(select(HistoryEntry.id).where(HistoryEntry.order_id == order.id)).all()
        for entry in entries:
            told = {"endpoint_id": 1, "history_id": entry, "fact": "order.paid", "body": "", "written_at": now}
            write(shop, Notification, {"message_id": f"{entry}", "due_at": now, **told})


def test_an_order_is_read_whole_and_without_what_belongs_to_another(shop: Shop) -> None:
    shop.clock.stop()
    both = [paid(shop), paid(shop)]
    of_both(shop, both, shop.clock())

    found = [read(shop, order.reference) for order in both]

    for name, order, found_one in zip("ab", both, found, strict=True):
        assert found_one.order.id == order.id
        assert [refund.payment_id for refund in found_one.refunds] == [found_one.order.payment.id]
        assert [dispute.provider_dispute_id for dispute in found_one.disputes] == [f"{name}2", f"{name}1"]
        assert [(mail.order_id, mail.kind) for mail in found_one.mails] == [(order.id, "order_paid")]
        assert [each.history_id for each in found_one.notifications] == [each.id for each in found_one.order.history]
        assert (found_one.left, found_one.unanswered) == (Money(1100, "usd"), False)
        assert [(each.line.slug, each.unsent, each.sent) for each in found_one.by_line.lines] == [
            ("cedar-pencil", 3, 0)
        ]
    with pytest.raises(NotFound):
        read(shop, "NO-SUCH")


def test_all_of_a_whole_order_is_there_when_its_transaction_has_ended(shop: Shop) -> None:
    order = paid(shop)
    origin, pencil = Origin(Source.STAFF, shop.clock(), actor="Ada"), shop.product().id
    shop.fulfil(order.reference, {pencil: 1})
    key = refunds.request(shop.services, order.reference, Choice([ChosenPieces(pencil, 1)]), origin)
    refunds.submit(shop.services, order.reference, None, key, origin)
    adjustment = {"order_id": order.id, "position": 0, "kind": AdjustmentKind.SHIPPING, "label": "Post"}
    write(shop, OrderAdjustment, {**adjustment, "currency": "usd", "amount_minor": 0})

    found = read(shop, order.reference)

    assert [line.slug for line in found.order.lines] == ["cedar-pencil"]
    assert [each.label for each in found.order.adjustments] == ["Post"]
    assert [payment.id for payment in found.order.payments] == [found.order.payment.id]
    assert [line.line.slug for shipment in found.order.shipments for line in shipment.lines] == ["cedar-pencil"]
    assert found.order.reviews == []
    assert [line.line.slug for refund in found.refunds for line in refund.lines if line.line] == ["cedar-pencil"]
    assert (found.left, found.unanswered) == (Money(800, "usd"), False)


@pytest.mark.parametrize(
    ("state", "claimed", "left", "unanswered"),
    [
        (RefundState.REQUESTED, 300, 900, True),
        (RefundState.PENDING, 300, 900, False),
        (RefundState.SUCCEEDED, 300, 900, False),
        (RefundState.FAILED, 300, 1200, False),
        (RefundState.CANCELLED, 300, 1200, False),
        (RefundState.SUCCEEDED, 1200, 0, False),
        (RefundState.SUCCEEDED, 1300, 0, False),
    ],
)
def test_what_can_be_refunded_is_what_no_refund_is_about(
    shop: Shop, state: RefundState, claimed: int, left: int, unanswered: bool
) -> None:
    order = paid(shop)
    live = shop.read(order.reference).payment.id
    write(shop, Payment, {"id": live + 1, "order_id": order.id, "amount_minor": 1200, "live": False})
    row = {"state": state, "requested_at": shop.clock(), "payment_id": live, "amount_minor": claimed}
    beside = {**row, "state": RefundState.SUCCEEDED, "payment_id": live + 1, "amount_minor": 1200}
    write(shop, Refund, row, beside)

    found = read(shop, order.reference)

    assert [refund.payment_id for refund in found.refunds] == [live, live + 1]
    assert (found.left, found.unanswered) == (Money(left, "usd"), unanswered)


def test_nothing_is_left_of_a_payment_that_was_not_received(shop: Shop) -> None:
    order = shop.order(3)
    with shop.services.database.transaction() as session:
        session.execute(update(Payment).values(received_minor=400, state=PaymentState.REFUNDED))

    found = read(shop, order.reference)

    assert found.left == Money(0, "usd")
    assert ([line.quantity for line in found.order.lines], found.by_line.lines) == ([3], ())


def test_what_an_orders_page_shows_is_there_after_its_transaction(shop: Shop) -> None:
    cart = shop.cart(2)
    order, other = shop.place(cart, browser_id="a"), shop.order()
    shop.pay(order)
    shop.deliver()
    shop.pay(other)
    shop.deliver()
    pencil = shop.product().id
    shop.fulfil(order.reference, {pencil: 1})
    shop.fulfil(other.reference)
    shop.fulfil(order.reference)

    with shop.services.database.reading() as session:
        found = lookup.find(session, order.reference, STAFF)
        peeked = lookup.peek(session, other.reference, STAFF)
        newest = orders.newest_of_browser(session, "a")
    with shop.services.database.transaction() as session:
        completed = session.get_one(Order, other.id)
        lookup.complete(session, completed)

    assert [[line.line.slug for line in each.lines] for each in found.shipments] == [["cedar-pencil"]] * 2
    assert [each.number for each in found.shipments] == [1, 2]
    assert [line.slug for line in found.lines] == [line.slug for line in completed.lines] == ["cedar-pencil"]
    assert (found.adjustments, completed.adjustments) == ([], [])
    assert (found.in_cart, completed.in_cart) == (0, 0)
    assert {found.payment.state, peeked.payment.state, completed.payment.state} == {PaymentState.PAID}
    assert {entry.order_id for entry in found.history} == {order.id}
    assert (newest.id if newest is not None else None) == order.id


@pytest.mark.parametrize("browser_id", [None, "", "c"])
def test_a_browser_sees_its_own_orders_the_newest_first(shop: Shop, browser_id: str | None) -> None:
    first, _others, second = (shop.place(shop.cart(), browser_id=name) for name in ("a", "b", "a"))

    with shop.services.database.reading() as session:
        listed = orders.of_browser(session, "a")
        after = orders.of_browser(session, "a", second.reference)
        nothing = orders.of_browser(session, browser_id)
        newest = orders.newest_of_browser(session, "a"), orders.newest_of_browser(session, browser_id)
        seen = lookup.find(session, first.reference, Access(browser_id="a"))

    assert [(order.id, len(order.lines), order.payment.order_id) for order in listed.orders] == [
        (order.id, 1, order.id) for order in (second, first)
    ]
    assert ([order.id for order in after.orders], listed.after, after.after) == ([first.id], None, None)
    assert (list(nothing.orders), nothing.after) == ([], None)
    assert ([order.id if order else None for order in newest], seen.id) == ([second.id, None], first.id)
    with shop.services.database.reading() as session, pytest.raises(NotFound):
        lookup.find(session, first.reference, Access(browser_id="b"))


@pytest.mark.parametrize("sort", [Sort.DATE, Sort.TOTAL])
def test_an_order_that_changes_its_place_is_taken_along_once(shop: Shop, sort: Sort) -> None:
    fill(shop.services.database.engine, 1002, seed=1)
    with shop.services.database.reading() as session:
        totals = {row.id: row.total_minor for row in session.execute(select(Order.id, Order.total_minor))}
    by = {Sort.DATE: lambda each: each, Sort.TOTAL: lambda each: (totals[each], each)}[sort]
    streamed = listing.stream(shop.services, OrderFilter(sort=sort))

    first = next(streamed)
    with shop.services.database.transaction() as session:
        session.execute(update(Order).where(Order.id == first.id).values(total_minor=1))
    rest = list(streamed)

    assert [first.id, *(order.id for order in rest)] == sorted(totals, key=by, reverse=True)
    assert {(len(order.lines) > 0, order.payment.live) for order in rest} == {(True, True)}
    assert {shipment.order_id for order in rest for shipment in order.shipments} <= {order.id for order in rest}
