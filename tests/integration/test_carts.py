"""A cart lists what a shopper wants, within the stock, separate from other shoppers' carts."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from models import Cart
from store.domain.errors import NotFound, OutOfStock, QuantityInvalid, Subject
from store.domain.money import Money
from store.services import carts
from tests.support.shop import Shop


def add(shop: Shop, cart: str | None, slug: str, quantity: int = 1) -> str:
    with shop.services.database.transaction() as session:
        return carts.add(session, cart, slug, quantity, shop.clock())


def change(shop: Shop, cart: str | None, slug: str, quantity: int) -> None:
    with shop.services.database.transaction() as session:
        carts.change(session, cart, slug, quantity, shop.clock())


def remove(shop: Shop, cart: str | None, slug: str) -> None:
    with shop.services.database.transaction() as session:
        carts.remove(session, cart, slug, shop.clock())


def view(shop: Shop, cart: str | None) -> carts.CartView:
    with shop.services.database.reading() as session:
        return carts.view(session, cart, "usd", shop.clock())


def content(shop: Shop, cart: str | None) -> dict[str, int]:
    return {line.product.slug: line.quantity for line in view(shop, cart).lines}


def count(shop: Shop, cart: str | None) -> int:
    with shop.services.database.reading() as session:
        return carts.count(session, cart)


def test_a_cart_shows_added_products_with_prices_in_order(shop: Shop) -> None:
    cart = add(shop, None, "stoneware-mug", 2)
    shop.clock.forward(seconds=1)
    add(shop, cart, "cedar-pencil", 3)

    seen = view(shop, cart)

    mug, pencil = shop.product("stoneware-mug"), shop.product("cedar-pencil")
    assert [line.product.slug for line in seen.lines] == ["stoneware-mug", "cedar-pencil"]
    assert [line.unit_price for line in seen.lines] == [mug.price, pencil.price]
    assert [line.total for line in seen.lines] == [mug.price * 2, pencil.price * 3]
    assert [line.available for line in seen.lines] == [mug.stock, pencil.stock]
    assert seen.total == mug.price * 2 + pencil.price * 3
    assert (seen.count, count(shop, cart)) == (5, 5)
    assert seen.can_check_out


def test_a_cart_lists_its_items_in_the_order_they_were_added(shop: Shop) -> None:
    slugs = ["pour-over-kettle", "canvas-apron", "stoneware-mug", "brass-pen"]
    cart = None
    for slug in slugs:
        cart = add(shop, cart, slug, 1)
        shop.clock.forward(seconds=1)

    assert [line.product.slug for line in view(shop, cart).lines] == slugs


def test_a_cart_has_the_currency_of_its_products(shop_with: Callable[..., Shop]) -> None:
    """The store was set to another one since its products were added."""
    shop = shop_with()
    browser = shop_with(store_currency="eur").browser()
    browser.post("/cart/lines", {"slug": "cedar-pencil", "quantity": "2"}, page="/products/cedar-pencil")

    pages = [browser.get(path) for path in ("/cart", "/checkout")]

    assert [page.status_code for page in pages] == [200, 200]
    assert all((shop.product().price * 2).text() in page.text for page in pages)


def test_the_same_product_added_again_is_one_line(shop: Shop) -> None:
    cart = add(shop, None, "cedar-pencil", 2)

    assert add(shop, cart, "cedar-pencil", 3) == cart

    assert content(shop, cart) == {"cedar-pencil": 5}


def test_two_carts_are_separate(shop: Shop) -> None:
    mine, theirs = add(shop, None, "cedar-pencil", 2), add(shop, None, "cedar-pencil", 7)
    add(shop, mine, "brass-pen")
    add(shop, theirs, "brass-pen")

    change(shop, mine, "cedar-pencil", 3)
    assert content(shop, mine) == {"cedar-pencil": 3, "brass-pen": 1}
    remove(shop, mine, "brass-pen")

    assert content(shop, mine) == {"cedar-pencil": 3}
    assert content(shop, theirs) == {"cedar-pencil": 7, "brass-pen": 1}
    assert count(shop, theirs) == 8


def test_a_cart_that_no_longer_exists_is_replaced(shop: Shop) -> None:
    cart = add(shop, "lost-cart", "cedar-pencil")

    assert cart != "lost-cart"
    assert content(shop, cart) == {"cedar-pencil": 1}


@pytest.mark.parametrize("cart", [None, "", "no-such-cart"])
def test_without_a_cart_there_is_nothing_to_check_out(shop: Shop, cart: str | None) -> None:
    seen = view(shop, cart)

    assert (seen.lines, seen.total, seen.count, seen.can_check_out) == ([], Money(0, "usd"), 0, False)
    assert count(shop, cart) == 0


@pytest.mark.parametrize("quantity", [-1, 0, 100])
def test_a_quantity_that_no_cart_takes_is_refused(shop: Shop, quantity: int) -> None:
    shop.set_stock("cedar-pencil", 500)

    with pytest.raises(QuantityInvalid):
        add(shop, None, "cedar-pencil", quantity)
    cart = add(shop, None, "cedar-pencil", 1)
    if quantity:
        with pytest.raises(QuantityInvalid):
            change(shop, cart, "cedar-pencil", quantity)

    assert content(shop, cart) == {"cedar-pencil": 1}


def test_one_to_ninety_nine_of_a_product_go_into_a_cart(shop: Shop) -> None:
    shop.set_stock("cedar-pencil", 500)
    cart = add(shop, None, "cedar-pencil", 99)

    with pytest.raises(QuantityInvalid) as refusal:
        add(shop, cart, "cedar-pencil", 1)
    change(shop, cart, "cedar-pencil", 1)
    change(shop, cart, "cedar-pencil", 99)

    assert refusal.value.maximum == 99
    assert content(shop, cart) == {"cedar-pencil": 99}


def test_the_last_pieces_can_be_had_and_not_one_more(shop: Shop) -> None:
    shop.set_stock("brass-pen", 3)
    cart = add(shop, None, "brass-pen", 3)

    with pytest.raises(OutOfStock) as more:
        add(shop, cart, "brass-pen", 1)
    with pytest.raises(OutOfStock):
        change(shop, cart, "brass-pen", 4)

    name = shop.product("brass-pen").name
    assert (more.value.product_name, more.value.available) == (name, 3)
    assert content(shop, cart) == {"brass-pen": 3}
    assert view(shop, cart).can_check_out


def test_a_sold_out_product_is_named_and_stops_the_checkout(shop: Shop) -> None:
    cart = add(shop, None, "brass-pen", 2)
    add(shop, cart, "cedar-pencil")
    shop.set_stock("brass-pen", 0)

    with pytest.raises(OutOfStock) as refusal:
        add(shop, cart, "brass-pen", 1)

    seen = view(shop, cart)
    assert refusal.value.available == 0
    assert {line.product.slug: line.orderable for line in seen.lines} == {"brass-pen": False, "cedar-pencil": True}
    assert not seen.can_check_out


def test_a_cart_counts_the_pieces_that_its_own_open_order_reserved(shop: Shop) -> None:
    shop.set_stock("brass-pen", 5)
    cart = shop.cart(3, "brass-pen")
    shop.place(cart)
    other = add(shop, None, "brass-pen", 2)

    change(shop, cart, "brass-pen", 5)

    assert view(shop, cart).lines[0].available == 5
    assert view(shop, other).lines[0].available == 2
    with pytest.raises(OutOfStock) as refusal:
        change(shop, other, "brass-pen", 3)
    assert refusal.value.available == 2


def test_the_reservation_of_a_closed_order_is_not_counted_twice(shop: Shop) -> None:
    shop.set_stock("brass-pen", 5)
    cart = shop.cart(3, "brass-pen")
    shop.pay(shop.place(cart))
    shop.deliver()

    add(shop, cart, "brass-pen", 1)

    assert view(shop, cart).lines[0].available == 2


def test_a_quantity_of_zero_removes_a_product(shop: Shop) -> None:
    cart = add(shop, None, "cedar-pencil")
    add(shop, cart, "brass-pen")

    change(shop, cart, "cedar-pencil", 0)

    assert content(shop, cart) == {"brass-pen": 1}


def test_only_what_is_in_the_cart_can_be_changed(shop: Shop) -> None:
    cart = add(shop, None, "cedar-pencil")

    for which, slug in ((cart, "brass-pen"), (None, "cedar-pencil"), ("no-such-cart", "cedar-pencil")):
        with pytest.raises(NotFound) as refusal:
            change(shop, which, slug, 2)
        assert refusal.value.subject is Subject.CART_LINE
    with pytest.raises(NotFound):
        change(shop, cart, "no-such-product", 2)

    assert content(shop, cart) == {"cedar-pencil": 1}


def test_removing_a_missing_item_changes_nothing(shop: Shop) -> None:
    cart = add(shop, None, "cedar-pencil")

    remove(shop, cart, "brass-pen")
    remove(shop, None, "cedar-pencil")
    remove(shop, cart, "cedar-pencil")
    remove(shop, cart, "cedar-pencil")

    assert content(shop, cart) == {}


def test_a_paid_order_empties_its_own_cart_only(shop: Shop) -> None:
    cart, other = add(shop, None, "cedar-pencil", 2), add(shop, None, "cedar-pencil", 4)
    order = shop.place(cart)
    add(shop, cart, "brass-pen")

    shop.pay(order)
    shop.deliver()

    assert content(shop, cart) == {"brass-pen": 1}
    assert content(shop, other) == {"cedar-pencil": 4}


def test_every_page_shows_how_many_pieces_are_in_the_cart_by_now(shop: Shop) -> None:
    """Also after a webhook has emptied it, of which the browser knows nothing."""
    browser, reference = shop.browser_with_order()
    order, pages = f"/orders/{reference}", ("/", "/products/cedar-pencil", "/cart", "/orders", "/checkout")

    before = [pieces_on(browser.get(path).text) for path in (*pages, f"{order}/pay", f"{order}?confirming=1")]
    browser.post("/cart/lines", {"slug": "brass-pen", "quantity": "2"}, page="/products/brass-pen")
    added = [pieces_on(browser.get(path).text) for path in (*pages, f"{order}/pay")]
    shop.pay(shop.read(reference))
    shop.deliver()
    paid = [pieces_on(browser.get(path).text) for path in (*pages, order)]
    stranger = pieces_on(shop.browser().get("/").text)

    assert (set(before), set(added), set(paid), stranger) == ({1}, {3}, {2}, 0)


def pieces_on(page: str) -> int:
    """How many pieces the header of a page says are in the cart."""
    found = re.search(r'class="cart-count">(\d+)<', page)
    return int(found[1]) if found else 0


def test_a_cart_keeps_the_times_of_its_creation_and_last_change(shop: Shop) -> None:
    begun = shop.clock()
    cart = add(shop, None, "cedar-pencil")
    for step in (lambda: add(shop, cart, "brass-pen"), lambda: change(shop, cart, "brass-pen", 2)):
        shop.clock.forward(hours=1)
        step()

        with shop.services.database.reading() as session:
            row = session.get_one(Cart, cart)
        assert timedelta() <= row.created_at - begun < timedelta(minutes=1)
        assert timedelta() <= shop.clock() - row.updated_at < timedelta(minutes=1)
