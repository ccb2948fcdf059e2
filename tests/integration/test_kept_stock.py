"""Pieces and uses of coupons: what each step of an order does to the rows, with another order beside it."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from models import CouponRow, Order, Product
from store.domain.coupons import Coupon, CouponKind
from store.domain.errors import CouponRefusal, CouponRefused, OutOfStock
from store.domain.money import Money
from store.domain.states import OrderState, ReservationState
from store.services import carts, coupons, stock
from tests.support.shop import Shop

RESERVED, COMMITTED, RELEASED = ReservationState.RESERVED, ReservationState.COMMITTED, ReservationState.RELEASED


def two_orders(shop: Shop) -> tuple[Order, list[int]]:
    """An order of two pencils and three of another product, beside an order of one pencil; the products' ids."""
    with shop.services.database.reading() as session:
        slugs = ["cedar-pencil", session.scalars(select(Product.slug).where(Product.slug != "cedar-pencil")).first()]
        ids = [session.scalars(select(Product.id).where(Product.slug == slug)).one() for slug in slugs]
    with shop.services.database.transaction() as session:
        session.execute(update(Product).values(stock=10))
        cart = carts.add(session, None, slugs[0] or "", 2, shop.clock())
        carts.add(session, cart, slugs[1] or "", 3, shop.clock())
    order = shop.place(cart)
    shop.order()
    return order, ids


def pieces(session: Session, ids: list[int]) -> list[tuple[int, int]]:
    """Of each product, how many are there, and how many of them are reserved."""
    rows = {
        row.id: (row.stock, row.reserved)
        for row in session.execute(select(Product.id, Product.stock, Product.reserved))
    }
    return [rows[each] for each in ids]


@pytest.mark.parametrize(
    ("reservation", "committed", "released"),
    [
        (RESERVED, [(8, 1), (7, 0)], [(10, 1), (10, 0)]),
        (COMMITTED, [(10, 3), (10, 3)], [(12, 3), (13, 3)]),
        (RELEASED, [(8, 3), (7, 3)], [(10, 3), (10, 3)]),
    ],
)
def test_pieces_are_taken_out_and_given_back(
    shop: Shop, reservation: ReservationState, committed: list[tuple[int, int]], released: list[tuple[int, int]]
) -> None:
    order, ids = two_orders(shop)

    with shop.services.database.transaction() as session:
        before = pieces(session, ids)
        taken = stock.commit(session, order.id, reservation)
        out = pieces(session, ids)
        session.execute(update(Product).where(Product.id == ids[0]).values(stock=10, reserved=3))
        session.execute(update(Product).where(Product.id == ids[1]).values(stock=10, reserved=3))
        stock.release(session, order.id, reservation)
        back = pieces(session, ids)

    assert (before, taken) == ([(10, 3), (10, 3)], True)
    assert (out, back) == (committed, released)


@pytest.mark.parametrize(("left", "taken"), [(3, True), (2, False)])
def test_pieces_that_were_given_back_are_taken_again_if_all_are_there(shop: Shop, left: int, taken: bool) -> None:
    order, ids = two_orders(shop)

    with shop.services.database.transaction() as session:
        session.execute(update(Product).where(Product.id == ids[0]).values(stock=3, reserved=1))
        session.execute(update(Product).where(Product.id == ids[1]).values(stock=left, reserved=0))
        done = stock.commit(session, order.id, RELEASED)
        after = pieces(session, ids)

    assert done is taken
    assert after == ([(1, 1), (0, 0)] if taken else [(3, 1), (2, 0)])


@pytest.mark.parametrize(
    ("there", "missing", "available"),
    [((2, 2), 1, 2), ((1, 1), 0, 1), ((0, 3), 0, 0)],
    ids=["of the second too few", "of both too few", "of the first none"],
)
def test_of_an_order_that_is_not_there_the_first_product_is_named(
    shop: Shop, there: tuple[int, int], missing: int, available: int
) -> None:
    order, ids = two_orders(shop)

    with shop.services.database.transaction() as session:
        for product_id, count in zip(ids, there, strict=True):
            values = {"stock": count, "reserved": 0}
            session.execute(update(Product).where(Product.id == product_id).values(values))
        with pytest.raises(OutOfStock) as refused:
            stock.reserve(session, order.id, ids)

    with shop.services.database.reading() as session:
        first = min(ids) if missing == 0 else ids[1]
        assert refused.value.product_name == session.get_one(Product, first).name
    assert refused.value.available == available


def test_pieces_put_back_are_added_to_their_products(shop: Shop) -> None:
    order, ids = two_orders(shop)

    with shop.services.database.transaction() as session:
        stock.restock(session, order.id, {ids[1]: 2, ids[0]: 1})
        after = pieces(session, ids)

    assert after == [(11, 3), (12, 3)]


def kept_coupon(session: Session, code: str, **values: object) -> int:
    row = {"code": code, "kind": CouponKind.PERCENT, "thousandths": 10_000, "currency": "usd", "active": True}
    return session.scalars(insert(CouponRow).values({**row, **values}).returning(CouponRow.id)).one()


def used(session: Session) -> dict[str, int]:
    kept = session.execute(select(CouponRow.code, CouponRow.used).where(CouponRow.code.in_(("ONE", "TWO"))))
    return {row.code: row.used for row in kept}


def test_a_coupon_has_as_many_uses_as_it_was_given(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        one = kept_coupon(session, "ONE", max_uses=2)
        off = kept_coupon(session, "TWO", active=False)
        coupons.reserve(session, one, "ONE")
        coupons.reserve(session, one, "ONE")
        refused = []
        for coupon_id, code in ((one, "ONE"), (off, "TWO")):
            with pytest.raises(CouponRefused) as refusal:
                coupons.reserve(session, coupon_id, code)
            refused.append((refusal.value.reason, refusal.value.coupon))
        after = used(session)

    assert refused == [(CouponRefusal.USED_UP, "ONE"), (CouponRefusal.USED_UP, "TWO")]
    assert after == {"ONE": 2, "TWO": 0}


def test_a_use_is_given_back_and_taken_again_by_its_order_alone(shop: Shop) -> None:
    first, second, third = shop.order(), shop.order(), shop.order()
    with shop.services.database.transaction() as session:
        one, two = kept_coupon(session, "ONE", max_uses=2, used=1), kept_coupon(session, "TWO", used=5)
        for order, coupon_id, customer in ((first, one, "ada"), (second, one, "bob")):
            values = {"coupon_id": coupon_id, "coupon_customer": customer}
            session.execute(update(Order).where(Order.id == order.id).values(values))
        coupons.release(session, first.id)
        coupons.release(session, third.id)
        session.execute(update(Order).where(Order.id == first.id).values(reservation=RELEASED))
        given_back = used(session)
        again = [coupons.reserve_again(session, each.id) for each in (first, third)]
        taken = used(session)
        session.execute(update(Order).where(Order.id == second.id).values(coupon_customer="ada"))
        by_another = coupons.reserve_again(session, first.id)
        session.execute(update(Order).where(Order.id == second.id).values(reservation=RELEASED))
        after_it_closed = coupons.reserve_again(session, first.id)
        none_left = coupons.reserve_again(session, first.id)

    assert two != one
    assert (given_back, again, taken) == ({"ONE": 0, "TWO": 5}, [True, True], {"ONE": 1, "TWO": 5})
    assert (by_another, after_it_closed, none_left) == (False, True, False)


def test_a_coupon_is_found_whole_with_the_uses_that_are_left(shop: Shop) -> None:
    order, now = shop.order(), shop.clock()
    with shop.services.database.transaction() as session:
        times = {"starts_at": now, "ends_at": now + timedelta(days=1)}
        amounts = {"kind": CouponKind.AMOUNT, "thousandths": 0, "amount_minor": 300, "minimum_minor": 500}
        one = kept_coupon(session, "ONE", max_uses=3, used=3, once_per_customer=True, **amounts, **times)
        two = kept_coupon(session, "TWO")
        kept_coupon(session, "OFF", active=False)
        session.execute(update(Order).where(Order.id == order.id).values(coupon_id=one))

    with shop.services.database.reading() as session:
        own = coupons.find(session, "ONE", order.cart_id)
        others = [coupons.find(session, code, "another cart") for code in ("ONE", "TWO")]
        none = [coupons.find(session, code, None) for code in ("OFF", "", None, "X" * 41)]
    with shop.services.database.transaction() as session:
        session.execute(update(Order).where(Order.id == order.id).values(state=OrderState.PAID))
    with shop.services.database.reading() as session:
        paid = coupons.find(session, "ONE", order.cart_id)

    amount, minimum = Money(300, "usd"), Money(500, "usd")
    kept = (one, "ONE", CouponKind.AMOUNT, 0, amount, minimum, now, now + timedelta(days=1), True)
    assert own == Coupon(*kept, uses_left=1)
    assert others == [
        Coupon(*kept, uses_left=0),
        Coupon(two, "TWO", CouponKind.PERCENT, 10_000, None, None, None, None, once_per_customer=False, uses_left=None),
    ]
    assert none == [None] * 4
    assert paid == Coupon(*kept, uses_left=0)
