"""Which payments are of another account or mode than the store's keys, and which browsers try too many cards."""

from datetime import timedelta
from itertools import product

from sqlalchemy import select, update

from models import Order, Payment
from store.domain.errors import TooManyDeclines
from store.services import card_testing, orders
from store.services.card_testing import Shopper
from store.services.orders import lookup
from store.services.payments import accounts
from tests.support.shop import Shop

KEPT = ("", "test:", "live:", "test:acct_1", "test:acct_2", "live:acct_1", "unknown")
FOREIGN = {
    "test:": {"live:", "live:acct_1", "unknown"},
    "test:acct_1": {"live:", "test:acct_2", "live:acct_1", "unknown"},
    "live:acct_1": {"test:", "test:acct_1", "test:acct_2", "unknown"},
}


def test_a_payment_is_foreign_where_it_is_known_to_be_of_others(shop: Shop) -> None:
    for kept in KEPT:
        order = shop.order()
        with shop.services.database.transaction() as session:
            session.execute(update(Payment).where(Payment.order_id == order.id).values(account=kept))

    with shop.services.database.reading() as session:
        rows = session.scalars(select(Payment)).all()
        told = {ours: {row.account for row in rows if accounts.is_foreign(row, ours)} for ours in FOREIGN}
        asked = {ours: set(session.scalars(select(Payment.account).where(accounts.foreign(ours)))) for ours in FOREIGN}
        counted = {ours: accounts.count_foreign(session, ours) for ours in FOREIGN}
        unpaid_tests = {row.account for row in rows if accounts.is_unpaid_test(row)}

    assert (told, asked) == (FOREIGN, FOREIGN)
    assert counted == {ours: len(foreign) for ours, foreign in FOREIGN.items()}
    assert unpaid_tests == {"test:", "test:acct_1", "test:acct_2"}


def test_an_answer_makes_a_payment_ours_once_more_is_known(shop: Shop) -> None:
    placed = [shop.order() for _ in KEPT]
    ours = accounts.ask(shop.services)
    with shop.services.database.transaction() as session:
        for order, kept in zip(placed, KEPT, strict=True):
            session.execute(update(Payment).where(Payment.order_id == order.id).values(account=kept))
        for row in session.scalars(select(Payment).order_by(Payment.id)).all()[:-1]:
            accounts.confirm(session, shop.services, row)

    with shop.services.database.reading() as session:
        after = session.scalars(select(Payment.account).order_by(Payment.id)).all()
    assert ours.startswith("test:acct_")
    assert after == [ours] * (len(KEPT) - 1) + ["unknown"]


def test_declines_count_for_two_hours_by_browser_address_or_email(shop: Shop) -> None:
    shop.clock.stop()
    now = shop.clock()
    known = {"browser_id": "b", "address_digest": "a", "email_digest": "e"}
    ages = [timedelta(hours=2), timedelta(hours=2) - timedelta(seconds=1), timedelta(), timedelta()]
    placed = [shop.order() for _ in ages]
    names = [known, {"browser_id": "b"}, {"address_digest": "a"}, {"email_digest": "e"}]
    with shop.services.database.transaction() as session:
        session.execute(update(Payment).values(declines=2))
        for order, age, values in zip(placed, ages, names, strict=True):
            named = {"browser_id": "-", "address_digest": None, "email_digest": None, "declined_at": now, **values}
            session.execute(update(Order).where(Order.id == order.id).values(placed_at=now - age, **named))

    def is_stopped(most: int, *shown: str | None) -> bool:
        with shop.services.database.reading() as session:
            try:
                card_testing.check(session, Shopper(*shown), now, most)
            except TooManyDeclines:
                return True
            return False

    every = tuple(product(("b", None), ("a", None), ("e", None)))
    counted = {shown: 2 * sum(each is not None for each in shown) for shown in every}
    assert {
        shown: (is_stopped(max(most, 1), *shown), is_stopped(most + 1, *shown)) for shown, most in counted.items()
    } == {shown: (most > 0, False) for shown, most in counted.items()}
    with shop.services.database.transaction() as session:
        card_testing.forget(session, now)
        kept = session.execute(select(Order.address_digest, Order.email_digest).order_by(Order.id)).all()
    assert [tuple(row) for row in kept] == [(None, None), (None, None), ("a", None), (None, "e")]


def test_a_browser_sees_its_own_orders_twenty_at_a_time(shop: Shop) -> None:
    placed = [shop.order() for _ in range(lookup.LISTED + 2)]
    with shop.services.database.transaction() as session:
        session.execute(update(Order).values(browser_id="mine"))
        session.execute(update(Order).where(Order.id == placed[-1].id).values(browser_id="another"))
    mine = [order.reference for order in reversed(placed[:-1])]

    with shop.services.database.reading() as session:
        first = orders.of_browser(session, "mine")
        second = orders.of_browser(session, "mine", first.after)
        newest = [lookup.newest_of_browser(session, browser) for browser in ("mine", "another", "nobody", None)]

    assert [order.reference for order in first.orders] == mine[: lookup.LISTED]
    assert first.after == mine[lookup.LISTED - 1]
    assert ([order.reference for order in second.orders], second.after) == (mine[lookup.LISTED :], None)
    assert [order and order.reference for order in newest] == [mine[0], placed[-1].reference, None, None]
