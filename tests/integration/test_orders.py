"""An order keeps what it was placed with, replaces what it no longer fits, and is shown to its own browser."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from models import Order, Product
from store.domain.errors import NotFound
from store.domain.money import Money
from store.domain.states import OrderState, PaymentState, ReservationState
from store.services import carts, catalogue, checkout, orders
from store.services.orders import STAFF, Access
from tests.support.shop import ADDRESS, CUSTOMER, Shop

EVERYTHING = replace(
    CUSTOMER,
    shipping=replace(ADDRESS, line2="Flat 3", phone="+1 555 0100"),
    billing=replace(ADDRESS, full_name="Grace Payer", city="Chicago"),
)


def filled(shop: Shop, *slugs: str, quantity: int = 2) -> str:
    cart = None
    with shop.services.database.transaction() as session:
        for slug in slugs:
            cart = carts.add(session, cart, slug, quantity, shop.clock())
    assert cart
    return cart


def found(shop: Shop, reference: str, access: Access) -> Order:
    with shop.services.database.reading() as session:
        return orders.find(session, reference, access)


def of_browser(shop: Shop, browser_id: str | None) -> list[str]:
    """All that a page shows of them can be read after the transaction."""
    with shop.services.database.reading() as session:
        found = orders.of_browser(session, browser_id).orders
    assert all(order.lines and order.payment.amount_minor == order.total_minor for order in found)
    return [order.reference for order in found]


def test_an_order_keeps_its_addresses_and_its_lines(shop: Shop) -> None:
    now, cart = shop.clock(), filled(shop, "stoneware-mug", "cedar-pencil")

    placed = checkout.place(shop.services, cart, "a-browser", EVERYTHING, now)

    order = found(shop, placed.reference, Access(browser_id="a-browser"))
    assert (order.shipping, order.billing, order.email) == (EVERYTHING.shipping, EVERYTHING.billing, EVERYTHING.email)
    assert (order.cart_id, order.browser_id, order.currency) == (cart, "a-browser", "usd")
    assert (order.placed_at, order.expires_at, order.paid_at) == (now, now + timedelta(minutes=30), None)
    assert (order.state, order.reservation) == (OrderState.AWAITING_PAYMENT, ReservationState.RESERVED)
    assert (order.payment.state, order.payment.amount_minor) == (PaymentState.UNOPENED, order.total_minor)
    products = sorted((shop.product(slug) for slug in ("stoneware-mug", "cedar-pencil")), key=lambda each: each.id)
    assert [
        (line.position, line.product_id, line.slug, line.name, line.image, line.unit_price, line.quantity)
        for line in order.lines
    ] == [
        (position, product.id, product.slug, product.name, product.image, product.price, 2)
        for position, product in enumerate(products)
    ]
    assert order.total == Money.sum((product.price * 2 for product in products), "usd")


def test_an_order_is_replaced_when_its_prices_changed(shop: Shop) -> None:
    cart = filled(shop, "cedar-pencil")
    first = shop.place(cart)
    with shop.services.database.transaction() as session:
        session.execute(update(Product).where(Product.slug == "cedar-pencil").values(price_minor=500))

    second = shop.place(cart)

    assert (second.reference != first.reference, second.total) == (True, Money(1000, "usd"))


@pytest.mark.on_both_databases
def test_an_order_is_replaced_when_one_product_took_the_place_of_another(shop: Shop) -> None:
    cart = filled(shop, "cedar-pencil")
    first = shop.place(cart)
    with shop.services.database.transaction() as session:
        session.execute(update(Product).where(Product.slug == "brass-pen").values(price_minor=400))
        carts.remove(session, cart, "cedar-pencil", shop.clock())
        carts.add(session, cart, "brass-pen", 2, shop.clock())

    second = shop.place(cart)

    assert second.reference != first.reference
    assert [line.slug for line in found(shop, second.reference, Access(browser_id=second.browser_id)).lines] == [
        "brass-pen"
    ]


def test_an_order_is_the_same_until_its_time_is_over(shop: Shop) -> None:
    now, cart = shop.clock(), filled(shop, "cedar-pencil")
    first = checkout.place(shop.services, cart, "a-browser", CUSTOMER, now)

    just_before = checkout.place(shop.services, cart, "a-browser", CUSTOMER, first.expires_at - timedelta(seconds=1))
    then = checkout.place(shop.services, cart, "a-browser", CUSTOMER, first.expires_at)

    assert just_before.reference == first.reference
    assert then.reference != first.reference
    assert shop.product().reserved == 2


def test_a_browser_sees_its_own_orders_the_newest_first(shop: Shop) -> None:
    mine = [shop.place(shop.cart(), browser_id="mine").reference for _ in range(3)]
    theirs = shop.place(shop.cart(), browser_id="theirs").reference

    assert of_browser(shop, "mine") == mine[::-1]
    assert of_browser(shop, "theirs") == [theirs]
    assert of_browser(shop, None) == of_browser(shop, "another") == []


@pytest.mark.on_both_databases
def test_an_order_is_found_by_its_own_browser_and_by_who_may_see_it(shop: Shop) -> None:
    reference = shop.place(shop.cart(), browser_id="mine").reference
    other = shop.place(shop.cart(), browser_id="mine").reference

    assert found(shop, reference, Access(browser_id="mine")).reference == reference
    assert found(shop, other, Access(references=frozenset({other}))).reference == other
    for browser in ("another", "", None):
        with pytest.raises(NotFound):
            found(shop, reference, Access(browser_id=browser))
    with pytest.raises(NotFound):
        found(shop, "NO-SUCH-ORDER", STAFF)


@pytest.mark.on_both_databases
def test_products_are_in_the_order_of_the_shop_window(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        session.execute(update(Product).where(Product.slug == "brass-pen").values(position=-1))

    with shop.services.database.reading() as session:
        listed = catalogue.browse(session).products

    assert listed[0].slug == "brass-pen"
    assert [product.position for product in listed] == sorted(product.position for product in listed)


@pytest.mark.on_both_databases
def test_seeding_adds_new_products_and_leaves_the_others_as_they_are(shop: Shop, tmp_path: Path) -> None:
    entry = {
        "slug": "oak-ruler", "name": "Oak ruler — 30 cm", "summary": "Straight.", "description": "From one piece.",
        "category": "Desk", "image": "oak-ruler.svg", "alt": "A ruler", "price_minor": 1200, "stock": 7, "position": 99,
    }  # fmt: skip
    known = {**entry, "slug": "cedar-pencil", "stock": 1, "price_minor": 1}
    source = tmp_path / "catalogue.json"
    source.write_text(json.dumps({"products": [known, entry]}, ensure_ascii=False), "utf-8")
    before = shop.product("cedar-pencil")

    with shop.services.database.transaction() as session:
        added = [catalogue.seed(session, "jpy", source), catalogue.seed(session, "jpy", source)]

    assert added == [1, 0]
    with shop.services.database.reading() as session:
        ruler = catalogue.product(session, "oak-ruler")
        desk = [found.name for found in catalogue.browse(session, category="desk", search="ruler").products]
    assert desk == [ruler.name]
    expected = {name: entry[name] for name in entry if name not in ("price_minor", "category")}
    assert {name: getattr(ruler, name) for name in expected} == expected
    assert (ruler.price, ruler.reserved) == (Money(1200, "jpy"), 0)
    after = shop.product("cedar-pencil")
    assert (after.price, after.stock) == (before.price, before.stock)
