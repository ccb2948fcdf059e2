"""What the staff looks for among the orders: what it is taken for, the keys that are kept, and the pages of a list."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from models import Order, OrderKey, OrderKeyMark, Payment
from store.domain.references import ALPHABET
from store.services.orders import Customer, listing, search
from store.services.orders.listing import OrderFilter, Show
from store.services.orders.search import Search
from store.services.orders.sorting import Cursor
from tests.support.shop import ADDRESS, CUSTOMER, Shop


def customer(name: str, email: str = "somebody@example.com", billed_to: str | None = None) -> Customer:
    shipping, billing = replace(ADDRESS, full_name=name), replace(ADDRESS, full_name=billed_to or name)
    return replace(CUSTOMER, shipping=shipping, billing=billing, email=email)


def keys(shop: Shop) -> list[tuple[str, int]]:
    with shop.services.database.reading() as session:
        return [(row.key, -row.minus_order_id) for row in session.scalars(select(OrderKey).order_by(OrderKey.key))]


def pages(shop: Shop, wanted: OrderFilter, most: int) -> list[list[int]]:
    found, after = list[list[int]](), None
    with shop.services.database.reading() as session:
        while True:
            part = listing.find(session, wanted, after, most=most)
            found.append([order.id for order in part.orders])
            if (after := part.after) is None:
                return found


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("  ", None),
        (" Grace@Navy.example ", Search(key="@grace@navy.example")),
        ("@Grace", Search(key="@grace")),
        ("4242", Search(last4="4242")),
        ("٤٢٤٢", Search(key="٤٢٤٢")),
        ("42424", Search(key="#42424")),
        ("424", Search(key="424")),
        ("k7qm-3x", Search(key="#K7QM3X")),
        ("K7QM 3XTR", Search(key="#K7QM3XTR")),
        ("abcd", Search(key="abcd")),
        ("vtakqpgswsmdxrkd", Search(key="#VTAKQPGSWSMDXRKD")),
        ("vtak qpgs wsmd xrkd", Search(key="vtak qpgs wsmd xrkd")),
        (f"{ALPHABET}-", Search(key=f"#{ALPHABET}")),
        ("ab-cd", Search(key="#ABCD")),
        ("x2y", Search(key="x2y")),
        ("K7QM-1", Search(key="k7qm 1")),
        ("O’Brien, Zoë", Search(key="o brien zoe")),
        ("%!", Search(key="%!")),
        ("pi_é", Search(key="pi_e")),
        ("x" * 90, Search(key="x" * 80)),
    ],
)
def test_what_is_typed_is_a_name_an_address_a_reference_or_a_card(typed: str, meant: Search | None) -> None:
    assert search.parse(typed) == meant


def test_an_order_is_kept_under_its_names_address_and_reference(shop: Shop) -> None:
    shop.clock.stop()
    order = shop.order(customer=customer("Zoë Müller", "Zoe@Example.com", billed_to="Ada B " + "x" * 110))
    shop.clock.forward(seconds=60)

    more = search.write_keys(shop.services, shop.clock())

    written = {"zoe muller", "zoe mueller", "muller zoe", "mueller zoe", "@zoe@example.com"}
    long = {f"ada b {'x' * 110}", f"{'x' * 110} ada b"}
    assert keys(shop) == sorted((key, order.id) for key in written | long | {f"#{order.reference.replace('-', '')}"})
    assert not more


def test_keys_are_written_up_to_the_first_order_of_the_last_minute(shop: Shop) -> None:
    shop.clock.stop()
    first, second, third = (shop.order(customer=customer(name)) for name in ("Ann", "Bea", "Cleo"))
    with shop.services.database.transaction() as session:
        later = shop.clock() + timedelta(minutes=5)
        session.execute(update(Order).where(Order.id == second.id).values(placed_at=later))
    shop.clock.forward(minutes=2)

    search.write_keys(shop.services, shop.clock())
    early = {number for _key, number in keys(shop)}
    again = search.write_keys(shop.services, shop.clock())
    shop.clock.forward(minutes=4)
    search.write_keys(shop.services, shop.clock())

    assert (early, again) == ({first.id}, False)
    assert {number for _key, number in keys(shop)} == {first.id, second.id, third.id}
    with shop.services.database.reading() as session:
        assert session.scalars(select(OrderKeyMark.order_id)).all() == [third.id]


def test_orders_without_keys_yet_come_first_the_newest_before(shop: Shop) -> None:
    shop.clock.stop()
    early = [shop.order(customer=customer(name)).id for name in ("Ada C", "Ada B", "Ada C")]
    shop.order(customer=customer("Bob"))
    shop.clock.forward(minutes=2)
    search.write_keys(shop.services, shop.clock())
    late = [shop.order(customer=customer(name)).id for name in ("Ada A", "Ada D")]
    shop.order(customer=customer("Bob"))

    with shop.services.database.reading() as session:
        recent = search.recent_with(session, "ada")
        part = listing.find(session, OrderFilter(search=Search(key="ada")), most=3)
        rest = listing.find(session, OrderFilter(search=Search(key="ada")), part.after, most=3)

    assert recent == late[::-1]
    assert [order.id for order in part.orders] == [*late[::-1], early[1]]
    assert part.after == Cursor(early[1], "ada b")
    assert ([order.id for order in rest.orders], rest.after) == ([early[2], early[0]], None)


def test_orders_without_keys_yet_are_listed_page_by_page_each_once(shop: Shop) -> None:
    early = [shop.order(customer=customer("Ada")).id for _ in range(2)]
    shop.clock.forward(minutes=2)
    search.write_keys(shop.services, shop.clock())
    shop.clock.stop()
    late = [shop.order(customer=customer("Ada")) for _ in range(5)]
    for order in late[:4]:
        shop.pay(order)
    shop.deliver()

    ada = Search(key="ada")
    paid = [order.id for order in late[3::-1]]
    everything = [late[4].id, *paid, *early[::-1]]
    assert pages(shop, OrderFilter(search=ada), most=2) == [
        everything[:2],
        everything[2:4],
        everything[4:6],
        everything[6:],
    ]
    assert pages(shop, OrderFilter(Show.PAID, search=ada), most=3) == [paid[:3], paid[3:]]
    assert pages(shop, OrderFilter(Show.AWAITING_PAYMENT, search=ada), most=3) == [[late[4].id, *early[::-1]]]


def test_a_list_of_some_time_begins_with_it_and_ends_before_the_next(shop: Shop) -> None:
    shop.clock.stop()
    placed, times = [], []
    for _ in range(4):
        placed.append(shop.order().id)
        times.append(shop.clock())
        shop.clock.forward(hours=1)

    some = OrderFilter(since=times[1], until=times[3])

    assert pages(shop, some, most=1) == [[placed[2]], [placed[1]]]
    assert pages(shop, replace(some, oldest_first=True), most=1) == [[placed[1]], [placed[2]]]
    assert pages(shop, OrderFilter(since=shop.clock()), most=5) == [[]]
    assert pages(shop, OrderFilter(until=shop.clock()), most=4) == [placed[::-1]]


def test_orders_of_a_card_are_listed_page_by_page_each_once(shop: Shop) -> None:
    placed = [shop.order().id for _ in range(4)]
    with shop.services.database.transaction() as session:
        session.execute(update(Payment).where(Payment.order_id != placed[1]).values(card_last4="4242"))
        session.execute(update(Payment).where(Payment.order_id == placed[1]).values(card_last4="0002"))
    card = OrderFilter(search=Search(last4="4242"))

    assert pages(shop, card, most=2) == [[placed[3], placed[2]], [placed[0]]]
    assert pages(shop, replace(card, oldest_first=True), most=2) == [[placed[0], placed[2]], [placed[3]]]
    assert [order.id for order in listing.stream(shop.services, card)] == [placed[3], placed[2], placed[0]]


def test_an_order_of_two_names_is_taken_along_once(shop: Shop) -> None:
    shop.clock.stop()
    both = shop.order(customer=customer("Ada Lovelace", billed_to="Ada King")).id
    other = shop.order(customer=customer("Ada Byron")).id
    shop.clock.forward(minutes=2)
    search.write_keys(shop.services, shop.clock())

    streamed = list(listing.stream(shop.services, OrderFilter(search=Search(key="ada"))))

    assert [(order.id, order.addressee, len(order.lines)) for order in streamed] == [
        (other, "Ada Byron", 1), (both, "Ada Lovelace", 1),
    ]  # fmt: skip
