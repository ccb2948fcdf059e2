"""Placing an order reserves stock, never more than there is, and placing twice gives one order."""

import re
from datetime import timedelta

import pytest

from models import Order
from store.domain.errors import AmountOutOfRange, CartEmpty, OrderClosed, OutOfStock
from store.domain.money import Money
from store.domain.states import OrderState
from store.services import carts, checkout
from tests.support.concurrency import at_once
from tests.support.shop import CUSTOMER, Shop, customer_in

pytestmark = pytest.mark.on_both_databases


def test_an_order_copies_its_prices_and_reserves_its_stock(shop: Shop) -> None:
    before = shop.product("stoneware-mug")

    order = shop.order(3, "stoneware-mug")

    placed = shop.read(order.reference)
    assert placed.state is OrderState.AWAITING_PAYMENT
    assert [(line.name, line.unit_price, line.quantity) for line in placed.lines] == [(before.name, before.price, 3)]
    assert placed.total == before.price * 3
    assert placed.expires_at - placed.placed_at == timedelta(minutes=30)
    after = shop.product("stoneware-mug")
    assert (after.stock, after.reserved) == (before.stock, before.reserved + 3)


def test_a_reference_cannot_be_guessed_from_another(shop: Shop) -> None:
    first, second = shop.order().reference, shop.order().reference

    assert all(re.fullmatch(r"(?:[2-9A-HJKMNP-TV-Z]{4}-){3}[2-9A-HJKMNP-TV-Z]{4}", each) for each in (first, second))
    assert sum(a != b for a, b in zip(first, second, strict=True)) > 8


def test_twenty_buyers_at_once_get_exactly_the_last_five_pieces(shop: Shop) -> None:
    shop.set_stock("brass-pen", 5)
    buyers = [shop.cart(1, "brass-pen") for _ in range(20)]

    outcomes = at_once(20, lambda number: shop.place(buyers[number]))

    placed = [outcome for outcome in outcomes if isinstance(outcome, Order)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, OutOfStock)]
    assert (len(placed), len(refused)) == (5, 15), outcomes
    for order in placed:
        shop.pay(order)
    shop.deliver()
    assert {shop.read(order.reference).state for order in placed} == {OrderState.PAID}
    pen = shop.product("brass-pen")
    assert (pen.stock, pen.reserved) == (0, 0)


def test_buyers_of_the_same_products_in_opposite_order_do_not_block(shop: Shop) -> None:
    def cart(slugs: list[str]) -> str:
        with shop.services.database.transaction() as session:
            cart_id = None
            for slug in slugs:
                cart_id = carts.add(session, cart_id, slug, 1, shop.clock())
            assert cart_id is not None
            return cart_id

    slugs = ["stoneware-mug", "linen-tea-towel"]
    filled = [cart(slugs if number % 2 else slugs[::-1]) for number in range(10)]

    outcomes = at_once(10, lambda number: shop.place(filled[number]))

    assert all(isinstance(outcome, Order) for outcome in outcomes), outcomes
    assert shop.product("stoneware-mug").reserved == 10


def test_placing_ten_times_at_once_gives_one_open_order(shop: Shop) -> None:
    cart = shop.cart(2)

    outcomes = at_once(10, lambda _: shop.place(cart, browser_id="one-browser"))

    assert len({outcome.reference for outcome in outcomes if isinstance(outcome, Order)}) == 1
    assert all(isinstance(outcome, Order) for outcome in outcomes), outcomes
    assert shop.product().reserved == 2


def test_placing_the_same_cart_again_returns_the_same_order(shop: Shop) -> None:
    cart = shop.cart()
    first = shop.place(cart)
    shop.open(first)

    assert shop.place(cart).reference == first.reference


def test_another_address_replaces_the_open_order_and_cancels_its_payment(shop: Shop) -> None:
    cart = shop.cart(2)
    first = shop.place(cart)
    payment = shop.open(first)

    second = shop.place(cart, customer_in("Shelbyville"))

    assert second.reference != first.reference
    assert shop.read(first.reference).state is OrderState.CANCELLED
    assert shop.stripe("GET", f"/v1/payment_intents/{payment.snapshot.provider_payment_id}")["status"] == "canceled"
    assert shop.product().reserved == 2


def test_a_changed_cart_replaces_the_open_order(shop: Shop) -> None:
    cart = shop.cart(1)
    first = shop.place(cart)
    with shop.services.database.transaction() as session:
        carts.change(session, cart, "cedar-pencil", 5, shop.clock())

    second = shop.place(cart)

    assert shop.read(first.reference).state is OrderState.CANCELLED
    assert shop.read(second.reference).total == shop.product().price * 5
    assert shop.product().reserved == 5


def test_an_order_that_was_paid_meanwhile_is_not_replaced(shop: Shop) -> None:
    cart = shop.cart()
    first = shop.place(cart)
    shop.pay(first)

    with pytest.raises(OrderClosed) as refusal:
        shop.place(cart, customer_in("Shelbyville"))

    assert refusal.value.reference == first.reference
    assert shop.read(first.reference).state is OrderState.PAID


def test_the_last_pieces_can_be_ordered_by_the_cart_that_reserved_them(shop: Shop) -> None:
    shop.set_stock("brass-pen", 3)
    cart = shop.cart(3, "brass-pen")
    shop.place(cart)

    with shop.services.database.reading() as session:
        view = carts.view(session, cart, "usd", shop.clock())

    assert view.can_check_out
    assert view.lines[0].orderable


def test_a_cart_with_more_than_the_stock_cannot_be_placed(shop: Shop) -> None:
    shop.set_stock("brass-pen", 3)
    cart = shop.cart(3, "brass-pen")
    shop.order(2, "brass-pen")

    with shop.services.database.reading() as session:
        view = carts.view(session, cart, "usd", shop.clock())
    with pytest.raises(OutOfStock) as refusal:
        shop.place(cart)

    assert (view.lines[0].available, view.lines[0].quantity) == (1, 3)
    assert not view.can_check_out
    assert refusal.value.available == 1
    assert shop.product("brass-pen").reserved == 2


def test_when_one_of_two_products_is_sold_out_nothing_is_reserved(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        cart = carts.add(session, None, "cedar-pencil", 1, shop.clock())
        carts.add(session, cart, "brass-pen", 1, shop.clock())
    shop.set_stock("brass-pen", 0)

    with pytest.raises(OutOfStock):
        shop.place(cart)

    assert shop.product().reserved == 0


@pytest.mark.parametrize("cart", [None, "no-such-cart", ""])
def test_an_empty_cart_places_nothing(shop: Shop, cart: str | None) -> None:
    with pytest.raises(CartEmpty):
        checkout.place(shop.services, cart, "browser", CUSTOMER, shop.clock())


def test_a_total_above_the_card_limit_is_refused_before_reserving(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        session.query(Order.metadata.tables["products"]).filter_by(slug="cedar-pencil").update({"price_minor": 49})

    with pytest.raises(AmountOutOfRange) as refusal:
        shop.order(1)

    assert refusal.value.minimum == Money(50, "usd")
    assert shop.product().reserved == 0


def test_no_payment_is_opened_before_an_order_is_placed(shop: Shop) -> None:
    shop.cart(2)
    shop.browser().get("/cart")
    shop.browser().get("/checkout")

    assert shop.transport.requests == []
