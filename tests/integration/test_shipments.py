"""Shipments: an order is sent at once or in parts, and no piece of it is sent twice."""

import pytest

from models import Mail, Order
from store.domain.errors import FulfilmentRefusal, OrderNotFulfilled
from store.domain.states import OrderState
from store.services import carts, orders
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from tests.support.concurrency import at_once
from tests.support.shop import Shop


def paid(shop: Shop, pencils: int = 3, pens: int = 1) -> Order:
    """A paid order of pencils and pens."""
    cart = shop.cart(pencils)
    if pens:
        with shop.services.database.transaction() as session:
            carts.add(session, cart, "brass-pen", pens, shop.clock())
    order = shop.place(cart)
    shop.pay(order)
    shop.deliver()
    shop.clock.forward(seconds=5)
    shop.deliver()
    return order


def ship(
    shop: Shop,
    order: Order,
    tracking: str | None = None,
    number: int | None = None,
    pencils: int | None = None,
    pens: int | None = None,
) -> bool | FulfilmentRefusal:
    """Send so many pencils and pens, or all that are left; whether they were sent, or why not."""
    counts = {shop.product().id: pencils, shop.product("brass-pen").id: pens}
    chosen = {product_id: count for product_id, count in counts.items() if count is not None} or None
    origin = Origin(Source.STAFF, shop.clock(), actor="Ada")
    try:
        return orders.fulfil(shop.services, order.reference, tracking, origin, pieces=chosen, number=number)
    except OrderNotFulfilled as refused:
        return refused.reason


def counts(shop: Shop, order: Order) -> list[tuple[str, int, int]]:
    """Of each line how many were shipped, and how many are to be."""
    return [(line.slug, line.shipped, line.to_ship) for line in shop.read(order.reference).lines]


def sent_mails(shop: Shop) -> list[str]:
    shop.clock.forward(seconds=1)
    worker.run(shop.services, shop.clock())
    return [file.read_text("utf-8") for file in sorted(shop.mail_folder.glob("*.log"))]


def test_an_order_is_fulfilled_when_its_last_piece_was_sent(shop: Shop) -> None:
    order, other = paid(shop), paid(shop)

    first = ship(shop, order, "1Z 1", pencils=2, pens=0)
    halfway = shop.read(order.reference)
    second = ship(shop, order, "1Z 2")

    after = shop.read(order.reference)
    assert (first, halfway.state, halfway.fulfilled_at) == (True, OrderState.PAID, None)
    assert halfway.shipped_at is not None
    assert (second, after.state, after.fulfilled_at) == (True, OrderState.FULFILLED, after.shipped_at)
    assert shop.shipments(order.reference) == [("2 cedar-pencil", "1Z 1"), ("1 brass-pen, 1 cedar-pencil", "1Z 2")]
    assert counts(shop, order) == [("brass-pen", 1, 0), ("cedar-pencil", 3, 0)]
    assert [(entry.type, entry.actor, entry.data) for entry in after.history[-2:]] == [
        ("order.partly_shipped", "Ada", {"shipment": 1, "pieces": "2 × Cedar pencil", "tracking": "1Z 1"}),
        ("order.fulfilled", "Ada", {"shipment": 2, "pieces": "1 × Brass pen, 1 × Cedar pencil", "tracking": "1Z 2"}),
    ]
    assert (counts(shop, other), shop.shipments(other.reference)) == ([("brass-pen", 0, 1), ("cedar-pencil", 0, 3)], [])
    with shop.services.database.reading() as session:
        assert audit.run(session, shop.clock()) == []


def test_a_mail_for_each_shipment_says_what_is_in_it_and_what_follows(shop: Shop) -> None:
    order = paid(shop)

    ship(shop, order, "1Z 1", pencils=2)
    first = [text for text in sent_mails(shop) if "1Z 1" in text]
    ship(shop, order, "1Z 2")
    second = [text for text in sent_mails(shop) if "1Z 2" in text]

    assert f"A part of your order {order.reference} is on its way" in first[0]
    assert "2 x Cedar pencil" in first[0].partition("This follows")[0]
    assert "1 x Brass pen\n  1 x Cedar pencil" in first[0].partition("This follows")[2]
    assert f"The rest of your order {order.reference} is on its way" in second[0]
    assert "  1 x Brass pen\n  1 x Cedar pencil\n" in second[0]
    assert "follows" not in second[0]
    with shop.services.database.reading() as session:
        kinds = [(row.kind, row.dedupe_key) for row in session.query(Mail).order_by(Mail.id)]
    assert kinds == [
        ("order_paid", "order_paid"), ("order_partly_shipped", "shipment:1"), ("order_fulfilled", "shipment:2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pencils", "reason"),
    [
        (4, FulfilmentRefusal.FEWER_LEFT),
        (-1, FulfilmentRefusal.FEWER_LEFT),
        (0, FulfilmentRefusal.NOTHING_CHOSEN),
    ],
)
def test_no_more_pieces_are_sent_than_are_left(shop: Shop, pencils: int, reason: FulfilmentRefusal) -> None:
    order = paid(shop)

    assert ship(shop, order, pencils=pencils) is reason
    assert counts(shop, order) == [("brass-pen", 0, 1), ("cedar-pencil", 0, 3)]


def test_a_product_of_another_order_is_not_sent(shop: Shop) -> None:
    order = paid(shop, pens=0)

    assert ship(shop, order, pens=1) is FulfilmentRefusal.FEWER_LEFT


@pytest.mark.on_both_databases
def test_two_browsers_that_send_the_same_pieces_send_them_once(shop: Shop) -> None:
    order = paid(shop)

    answers = at_once(2, lambda _: ship(shop, order, pencils=2))

    assert sorted(map(str, answers)) == ["True", "fewer_left"]
    assert counts(shop, order) == [("brass-pen", 0, 1), ("cedar-pencil", 2, 1)]


@pytest.mark.on_both_databases
def test_a_shipment_that_is_sent_twice_by_its_number_is_one(shop: Shop) -> None:
    order = paid(shop)

    answers = at_once(3, lambda _: ship(shop, order, number=1, pencils=1))
    next_one = ship(shop, order, number=2, pencils=1)

    assert sorted(map(str, answers)) == ["False", "False", "True"]
    assert next_one is True
    assert counts(shop, order) == [("brass-pen", 0, 1), ("cedar-pencil", 2, 1)]


@pytest.mark.parametrize(("carrier", "refused"), [("x" * 60, False), ("x" * 61, True), ("two\nlines", True)])
def test_a_carrier_is_one_short_line(shop: Shop, carrier: str, refused: bool) -> None:
    order, origin = paid(shop), Origin(Source.STAFF, shop.clock())

    if refused:
        with pytest.raises(OrderNotFulfilled) as refusal:
            orders.fulfil(shop.services, order.reference, None, origin, carrier=carrier)
        assert refusal.value.reason is FulfilmentRefusal.CARRIER_INVALID
    else:
        assert orders.fulfil(shop.services, order.reference, "1Z", origin, carrier=f" {carrier} ")
    assert [how for _, how in shop.shipments(order.reference)] == ([] if refused else [f"{carrier} 1Z"])
