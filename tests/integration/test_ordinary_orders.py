"""The way of ordinary orders: it writes what the readable path writes, or nothing."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from models import Order, Product
from store.domain.pictures import Picture, PictureSize
from store.services import carts, orders, tariffs
from store.services.orders import Draft, ordinary, ordinary_carts, placement
from tests.support import tables
from tests.support.concurrency import at_once, in_one_batch
from tests.support.shop import CUSTOMER, Shop

pytestmark = pytest.mark.on_postgresql

IN_GERMANY = replace(CUSTOMER, shipping=replace(CUSTOMER.shipping, country="DE", postal_code="10115"))

# What tells an order from another one of the same things.
ITS_OWN = {"id", "order_id", "reference", "cart_id", "provider_payment_id"}


def full_cart(shop: Shop) -> str:
    shop.set_stock("brass-pen", 10)
    cart = shop.cart(2)
    with shop.services.database.transaction() as session:
        carts.add(session, cart, "brass-pen", 3, shop.clock())
    return cart


def draft(shop: Shop, cart: str) -> Draft:
    """An order with shipping to pay, and a tax that its price includes."""
    with shop.services.database.transaction() as session:
        tariffs.seed(session, "usd")
    with shop.services.database.reading() as session:
        charged = tariffs.read(session)
        return orders.draft(session, cart, "browser", IN_GERMANY, shop.clock(), shop.services.hold, tariffs=charged)


def place_at_once(shop: Shop, new: Draft) -> Order | None:
    return ordinary.place(shop.services, new)


def place_readably(shop: Shop, new: Draft) -> Order | None:
    with shop.services.database.transaction() as session:
        placed = orders.place(session, new)
    return placed if isinstance(placed, Order) else None


def test_both_ways_write_the_same_rows_and_reserve_the_same_stock(shop: Shop) -> None:
    written, reserved = [], []
    for place in (place_at_once, place_readably):
        new = draft(shop, full_cart(shop))
        before = shop.product("brass-pen").reserved

        order = place(shop, new)

        assert order is not None
        written.append(rows_of(shop, order.id))
        reserved.append(shop.product("brass-pen").reserved - before)
    assert [len(rows) for rows in written[0].values()] == [1, 2, 2, 1, 1]
    assert without_times(written[0]) == without_times(written[1])
    assert reserved == [3, 3]


def test_both_ways_read_the_same_of_a_cart(shop: Shop) -> None:
    """A product with a picture of its own, one that is not shipped, and one of which there is not enough."""
    picture = Picture("A mug", (PictureSize(300, 200, "a.webp", "a.jpg"), PictureSize(600, 400, "b.webp", "b.jpg")))
    cart = shop.cart(2)
    with shop.services.database.transaction() as session:
        for slug in ("gift-card", "stoneware-mug", "brass-pen"):
            carts.add(session, cart, slug, 3, shop.clock())
        session.execute(update(Product).where(Product.slug == "stoneware-mug").values(pictures=(picture,)))
    shop.set_stock("brass-pen", 2)

    at_once = ordinary_carts.read(shop.services, cart, None, shop.clock())

    with shop.services.database.reading() as session:
        assert at_once == placement.read(session, cart, None, None)
    assert at_once is not None
    assert [(line.slug, line.available, line.quote_line.shippable) for line in at_once.lines] == [
        ("stoneware-mug", True, True),
        ("brass-pen", False, True),
        ("cedar-pencil", True, True),
        ("gift-card", True, False),
    ]


@pytest.mark.parametrize("cart", [None, "", "no such cart", "a\0b"])
def test_a_cart_with_nothing_in_it_is_not_ordinary(shop: Shop, cart: str | None) -> None:
    assert ordinary_carts.read(shop.services, cart, None, shop.clock()) is None


def change_the_cart(shop: Shop, new: Draft) -> None:
    with shop.services.database.transaction() as session:
        carts.change(session, new.order["cart_id"], "brass-pen", 2, shop.clock())


def empty_the_cart(shop: Shop, new: Draft) -> None:
    with shop.services.database.transaction() as session:
        carts.remove(session, new.order["cart_id"], "brass-pen", shop.clock())


def place_it_in_another_tab(shop: Shop, new: Draft) -> None:
    shop.place(new.order["cart_id"])


def sell_the_last_pieces(shop: Shop, _new: Draft) -> None:
    shop.set_stock("brass-pen", 2)


@pytest.mark.parametrize("meanwhile", [change_the_cart, empty_the_cart, place_it_in_another_tab, sell_the_last_pieces])
def test_what_is_not_ordinary_any_more_writes_nothing(shop: Shop, meanwhile: Callable[[Shop, Draft], None]) -> None:
    new = draft(shop, full_cart(shop))
    meanwhile(shop, new)
    before = tables.contents(shop.services.database.engine)

    placed = place_at_once(shop, new)

    assert placed is None
    assert tables.contents(shop.services.database.engine) == before


def test_orders_that_are_placed_together_are_written_together(shop: Shop) -> None:
    """Among them one of the same cart, one of a cart that was changed meanwhile, and one with a product more."""
    two, one = draft(shop, full_cart(shop)), draft(shop, shop.cart(1))
    again, changed = draft(shop, one.order["cart_id"]), draft(shop, full_cart(shop))
    change_the_cart(shop, changed)
    reserved = {slug: shop.product(slug).reserved for slug in ("cedar-pencil", "brass-pen")}

    calls = [partial(place_at_once, shop, new) for new in (changed, two, one, again)]
    placed = in_one_batch(shop.services.ordinary_orders, *calls)

    assert [order is not None for order in placed[:2]] == [False, True]
    assert [order is not None for order in placed[2:]].count(True) == 1
    for new, order in zip((two, one, again), placed[1:], strict=True):
        if order is not None:
            rows = rows_of(shop, order.id)
            assert order.reference == rows["orders"][0]["reference"] == new.order["reference"]
            assert [(row["slug"], row["quantity"]) for row in rows["order_lines"]] == lines_of(new)
            assert [row["amount_minor"] for row in rows["payments"]] == [new.order["total_minor"]]
            assert [row["data"] for row in rows["history"]] == [{"total": new.order["total_minor"]}]
            assert len(rows["order_adjustments"]) == len(new.adjustments)
    assert shop.product("cedar-pencil").reserved - reserved["cedar-pencil"] == 3
    assert shop.product("brass-pen").reserved - reserved["brass-pen"] == 3


def test_the_last_pieces_go_to_none_of_a_batch_that_wants_more(shop: Shop) -> None:
    shop.set_stock("cedar-pencil", 3)
    drafts = [draft(shop, shop.cart(2)) for _ in range(2)]

    placed = in_one_batch(shop.services.ordinary_orders, *[partial(place_at_once, shop, new) for new in drafts])

    assert placed == [None, None]
    assert shop.product("cedar-pencil").reserved == 0
    assert [
        isinstance(attempt, Order) for attempt in at_once(2, lambda each: shop.place(drafts[each].order["cart_id"]))
    ].count(True) == 1


def lines_of(new: Draft) -> list[tuple[str, int]]:
    return [(line["slug"], line["quantity"]) for line in new.lines]


def rows_of(shop: Shop, order_id: int) -> dict[str, list[dict[str, Any]]]:
    found = tables.contents(shop.services.database.engine)
    rows = {"orders": [row for row in found["orders"] if row["id"] == order_id]}
    for name in ("order_lines", "order_adjustments", "payments", "history"):
        rows[name] = [row for row in found[name] if row["order_id"] == order_id]
    return rows


def without_times(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    dropped = ITS_OWN | {"placed_at", "expires_at", "at"}
    return {
        name: [{key: value for key, value in row.items() if key not in dropped} for row in of_table]
        for name, of_table in rows.items()
    }
