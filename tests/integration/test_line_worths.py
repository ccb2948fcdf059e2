"""What the parts of an order are worth when they are refunded, taxes included, and what is left of them."""

import pytest
from sqlalchemy import insert, select, update

from models import Order, OrderAdjustment, Payment, Refund, RefundLine
from store.domain.errors import RefundRefusal, RefundRefused
from store.domain.money import Money
from store.domain.pricing import AdjustmentKind
from store.domain.states import OrderState, RefundState
from store.services import carts
from store.services.history import Origin, Source
from store.services.payments import refunds
from store.services.payments.refunds import Choice, ChosenPieces, Refundable
from tests.support.shop import Shop

SHIPPING, TAX = AdjustmentKind.SHIPPING, AdjustmentKind.TAX


@pytest.fixture
def order(shop: Shop) -> Order:
    """A paid order of three pencils, one pen and shipping, with a tax on top of its prices and another in them."""
    cart = shop.cart(3)
    with shop.services.database.transaction() as session:
        carts.add(session, cart, "brass-pen", 1, shop.clock())
    order = shop.place(cart)
    rows = [
        {"kind": SHIPPING, "amount_minor": 500, "contained_minor": None, "shares": None},
        {"kind": TAX, "amount_minor": 261, "contained_minor": None, "shares": [90, 121]},
        {"kind": TAX, "amount_minor": 0, "contained_minor": 41, "shares": [11, 20]},
    ]
    common = {"order_id": order.id, "label": "", "currency": "usd"}
    with shop.services.database.transaction() as session:
        session.execute(
            insert(OrderAdjustment), [{**common, "position": place, **row} for place, row in enumerate(rows)]
        )
        session.execute(update(Order).values(total_minor=Order.total_minor + 761))
        session.execute(update(Payment).values(amount_minor=Payment.amount_minor + 761))
    shop.pay(order)
    shop.deliver()
    return shop.read(order.reference)


def refund(shop: Shop, order: Order, *pieces: ChosenPieces, shipping: bool = False) -> None:
    origin = Origin(Source.STAFF, shop.clock(), actor="Ada")
    key = refunds.request(shop.services, order.reference, Choice(pieces, shipping), origin)
    refunds.submit(shop.services, order.reference, None, key, origin)


def left(shop: Shop, order: Order) -> tuple[list[tuple[str, int, int, int]], int]:
    """What can be refunded: of each line how many pieces, unsent and sent, and what the next is worth; and shipping."""
    found = refundable(shop, order)
    assert found.shipping.currency == "usd"
    return [
        (each.line.slug, each.unsent, each.sent, each.next_worth.minor) for each in found.lines
    ], found.shipping.minor


def refundable(shop: Shop, order: Order) -> Refundable:
    with shop.services.database.reading() as session:
        return refunds.refundable(session, session.get_one(Order, order.id))


def rows(shop: Shop) -> list[tuple[int | None, bool, int, bool, int, int, int]]:
    with shop.services.database.reading() as session:
        return [
            (row.product_id, row.sent, row.quantity, row.restock, row.amount_minor, row.tax_minor, row.contained_minor)
            for row in session.scalars(select(RefundLine).order_by(RefundLine.id))
        ]


def test_each_part_is_worth_its_taxes_too(shop: Shop, order: Order) -> None:
    pencil, pen = (line.product_id for line in sorted(order.lines, key=lambda line: line.quantity, reverse=True))
    names = [line.slug for line in order.lines]
    assert names == ["brass-pen", "cedar-pencil"]
    before = left(shop, order)
    shop.fulfil(order.reference, {pencil: 2})

    refund(shop, order, ChosenPieces(pencil, 1, sent=True, restock=False), ChosenPieces(pencil, 1), shipping=True)
    halfway = left(shop, order)
    refund(shop, order, ChosenPieces(pen, 1))
    refund(shop, order, ChosenPieces(pencil, 1, sent=True))

    pen_price = order.lines[0].unit_price_minor
    assert before == ([("brass-pen", 1, 0, pen_price + 90), ("cedar-pencil", 3, 0, 440)], 550)
    assert halfway == ([("brass-pen", 1, 0, pen_price + 90), ("cedar-pencil", 0, 1, 441)], 0)
    assert rows(shop) == [
        (pencil, False, 1, True, 440, 40, 6),
        (pencil, True, 1, False, 440, 40, 7),
        (None, False, 1, False, 550, 50, 10),
        (pen, False, 1, True, pen_price + 90, 90, 11),
        (pencil, True, 1, True, 441, 41, 7),
    ]
    assert shop.read(order.reference).state is OrderState.REFUNDED
    assert refundable(shop, order) == Refundable((), Money(0, "usd"))
    with pytest.raises(RefundRefused) as refused:
        refund(shop, order, shipping=True)
    assert refused.value.reason is RefundRefusal.NOT_BY_LINE


def test_there_is_something_to_refund_while_a_piece_or_the_shipping_is_left(shop: Shop, order: Order) -> None:
    pen, pencil = (line.product_id for line in order.lines)
    anything = [refundable(shop, order).anything]

    refund(shop, order, shipping=True)
    anything.append(refundable(shop, order).anything)
    refund(shop, order, ChosenPieces(pen, 1), ChosenPieces(pencil, 2))
    shop.fulfil(order.reference)
    anything.append(refundable(shop, order).anything)
    with pytest.raises(RefundRefused) as refused:
        refund(shop, order, shipping=True)

    assert anything == [True, True, True]
    assert left(shop, order) == ([("brass-pen", 0, 0, 0), ("cedar-pencil", 0, 1, 441)], 0)
    assert refused.value.reason is RefundRefusal.FEWER_LEFT
    requested = [entry.data for entry in shop.read(order.reference).history if entry.type == "refund.requested"]
    assert [data.get("shipping") for data in requested] == [True, None]
    assert ["pieces" in data for data in requested] == [False, True]


@pytest.mark.parametrize(
    ("failed", "state", "withdrawn"),
    [(440, RefundState.FAILED, True), (440, RefundState.CANCELLED, True), (439, RefundState.FAILED, False),
     (440, RefundState.REQUESTED, False), (440, RefundState.PENDING, False)],
)  # fmt: skip
def test_what_was_returned_another_way_is_as_much_as_has_failed(
    shop: Shop, order: Order, failed: int, state: RefundState, withdrawn: bool
) -> None:
    pencil, now = order.lines[1].product_id, shop.clock()
    origin, stock = Origin(Source.STAFF, now, actor="Ada"), shop.product().stock
    with shop.services.database.transaction() as session:
        beside = insert(Payment).values(order_id=order.id, amount_minor=1000, live=False)
        second = session.scalars(beside.returning(Payment.id)).one()
        for payment, amount, became in (
            (order.payment.id, failed, state), (second, 1000, RefundState.FAILED),
            (order.payment.id, 300, RefundState.SUCCEEDED),
        ):  # fmt: skip
            row = {"payment_id": payment, "amount_minor": amount, "state": became, "requested_at": now}
            session.execute(insert(Refund).values(row))

    def withdraw(*, elsewhere: bool) -> bool:
        choice = Choice([ChosenPieces(pencil, 1, restock=False)])
        return refunds.withdraw(shop.services, order.reference, choice, origin, returned_elsewhere=elsewhere)

    charged = withdraw(elsewhere=False)

    assert not charged
    if not withdrawn:
        with pytest.raises(RefundRefused) as refused:
            withdraw(elsewhere=True)
        free = failed if state is RefundState.FAILED else 0
        assert (refused.value.reason, refused.value.amount) == (RefundRefusal.TOO_MUCH, Money(free, "usd"))
        assert rows(shop) == []
        return
    assert withdraw(elsewhere=True)
    assert rows(shop) == [(pencil, False, 1, False, 440, 40, 6)]
    last = shop.read(order.reference).history[-1]
    assert (last.type, last.source, last.actor, last.at, last.data) == (
        "order.withdrawn", "staff", "Ada", now, {"pieces": "1 × Cedar pencil", "returned_elsewhere": True},
    )  # fmt: skip
    assert shop.product().stock == stock


@pytest.mark.parametrize(
    ("free", "withdrawn"), [(881, [False, True, False]), (880, [False, True, False]), (879, [False, False, True])]
)
def test_what_was_not_charged_is_withdrawn_and_no_more_than_that(
    shop: Shop, order: Order, free: int, withdrawn: list[bool]
) -> None:
    pencil, stock = order.lines[1].product_id, shop.product().stock
    with shop.services.database.transaction() as session:
        session.execute(update(Payment).values(received_minor=Payment.received_minor - free, capture_minor=1))
    origin = Origin(Source.STAFF, shop.clock())

    answers = [
        refunds.withdraw(shop.services, order.reference, Choice([ChosenPieces(pencil, pieces)]), origin)
        for pieces in (3, 2, 1)
    ]

    pieces, worth, taxes = (2, 880, (80, 13)) if withdrawn[1] else (1, 440, (40, 6))
    assert answers == withdrawn
    assert rows(shop) == [(pencil, False, pieces, True, worth, *taxes)]
    assert shop.product().stock == stock + pieces
    with pytest.raises(RefundRefused) as refused:
        refunds.withdraw(
            shop.services, order.reference, Choice([ChosenPieces(pencil, 1)]), origin, returned_elsewhere=True
        )
    assert (refused.value.reason, refused.value.amount) == (RefundRefusal.TOO_MUCH, Money(free - worth, "usd"))
