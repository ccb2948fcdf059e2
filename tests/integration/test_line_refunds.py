"""Refunds by line: what they come to, what is not sent any more, and what comes back into stock, once."""

import pytest
from sqlalchemy import text

from models import Order, RefundLine
from store.domain.errors import PaymentUnavailable, RefundRefusal, RefundRefused
from store.domain.states import OrderState, RefundState, ReservationState
from store.services import orders
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from store.services.payments import refunds
from store.services.payments.refunds import Choice, ChosenPieces
from tests.integration.test_shipments import paid
from tests.support.concurrency import at_once
from tests.support.shop import NoAnswer, Shop

FAILS_LATE, IS_SLOW = "4000000000005126", "4000000000007726"


def pencils(shop: Shop, quantity: int, *, sent: bool = False, restock: bool = True) -> ChosenPieces:
    return ChosenPieces(shop.product().id, quantity, sent=sent, restock=restock)


def pens(shop: Shop, quantity: int, *, sent: bool = False, restock: bool = True) -> ChosenPieces:
    return ChosenPieces(shop.product("brass-pen").id, quantity, sent=sent, restock=restock)


def refund(
    shop: Shop, order: Order, *pieces: ChosenPieces, shipping: bool = False, another: bool = False
) -> RefundState:
    origin = Origin(Source.STAFF, shop.clock(), actor="Ada")
    key = refunds.request(shop.services, order.reference, Choice(pieces, shipping), origin, another=another)
    return refunds.submit(shop.services, order.reference, None, key, origin)


def ship(shop: Shop, order: Order, pieces: int | None = None) -> bool:
    """Send so many pencils, or all that is left."""
    chosen = {shop.product().id: pieces} if pieces is not None else None
    return orders.fulfil(shop.services, order.reference, None, Origin(Source.STAFF, shop.clock()), pieces=chosen)


def lines(shop: Shop, order: Order) -> list[tuple[int, int, int, int, int]]:
    """Of each line: shipped, refunded unsent, refunded sent, restocked, to ship."""
    return [
        (line.shipped, line.refunded_unsent, line.refunded_sent, line.restocked, line.to_ship)
        for line in shop.read(order.reference).lines
    ]


def rows(shop: Shop) -> list[tuple[int | None, bool, int, bool, int]]:
    with shop.services.database.reading() as session:
        return [
            (row.product_id, row.sent, row.quantity, row.restock, row.amount_minor)
            for row in session.query(RefundLine).order_by(RefundLine.id)
        ]


def nothing_disagrees(shop: Shop) -> bool:
    with shop.services.database.reading() as session:
        return [finding.code for finding in audit.run(session, shop.clock()) if finding.code != "in_review"] == []


@pytest.mark.on_both_databases
def test_pieces_that_were_not_sent_are_refunded_and_need_no_shipping(shop: Shop) -> None:
    stock = shop.product().stock
    order, other = paid(shop), paid(shop)

    state = refund(shop, order, pencils(shop, 2))
    shop.deliver()
    sent = ship(shop, order)

    after = shop.read(order.reference)
    assert (state, after.payment.refunded_minor, sent) == (RefundState.SUCCEEDED, 800, True)
    assert after.state is OrderState.FULFILLED
    assert shop.shipments(order.reference) == [("1 brass-pen, 1 cedar-pencil", "")]
    assert lines(shop, order) == [(1, 0, 0, 0, 0), (1, 2, 0, 2, 0)]
    assert lines(shop, other) == [(0, 0, 0, 0, 1), (0, 0, 0, 0, 3)]
    assert shop.product().stock == stock - 6 + 2
    assert rows(shop) == [(shop.product().id, False, 2, True, 800)]
    said = [
        (entry.type, entry.data) for entry in after.history if entry.type in ("refund.requested", "order.restocked")
    ]
    assert said == [
        ("refund.requested", {"amount": 800, "pieces": "2 × Cedar pencil"}),
        ("order.restocked", {"pieces": "2 × Cedar pencil"}),
    ]
    assert nothing_disagrees(shop)


@pytest.mark.on_both_databases
def test_pieces_that_came_back_are_refunded_with_and_without_restock(shop: Shop) -> None:
    order = paid(shop)
    ship(shop, order)
    stock = shop.product().stock, shop.product("brass-pen").stock

    refund(shop, order, pencils(shop, 2, sent=True), pens(shop, 1, sent=True, restock=False))

    assert lines(shop, order) == [(1, 0, 1, 0, 0), (3, 0, 2, 2, 0)]
    assert (shop.product().stock, shop.product("brass-pen").stock) == (stock[0] + 2, stock[1])
    assert shop.read(order.reference).state is OrderState.FULFILLED
    assert nothing_disagrees(shop)


def test_all_lines_one_by_one_and_the_shipping_are_the_whole_order(shop: Shop) -> None:
    stock = shop.product().stock, shop.product("brass-pen").stock
    order = paid(shop)

    for chosen in (pencils(shop, 1), pencils(shop, 1), pens(shop, 1), pencils(shop, 1)):
        refund(shop, order, chosen)

    after = shop.read(order.reference)
    assert (after.state, after.reservation) == (OrderState.REFUNDED, ReservationState.RELEASED)
    assert (shop.product().stock, shop.product("brass-pen").stock) == stock
    assert lines(shop, order) == [(0, 1, 0, 1, 0), (0, 3, 0, 3, 0)]
    assert nothing_disagrees(shop)


def test_the_rest_of_an_order_returned_whole_brings_back_what_is_left(shop: Shop) -> None:
    stock = shop.product().stock, shop.product("brass-pen").stock
    order = paid(shop)
    ship(shop, order, 1)
    refund(shop, order, pencils(shop, 1, restock=False))

    refunds.submit(shop.services, order.reference, None, "the rest", Origin(Source.STAFF, shop.clock()))

    after = shop.read(order.reference)
    assert (after.state, after.reservation) == (OrderState.REFUNDED, ReservationState.RELEASED)
    assert (shop.product().stock, shop.product("brass-pen").stock) == (stock[0] - 2, stock[1])
    assert nothing_disagrees(shop)


def test_a_refund_that_is_not_answered_keeps_its_pieces_from_being_sent(shop: Shop) -> None:
    stock = shop.product().stock
    order = paid(shop, pens=0)

    def broken(_method: str, path: str) -> None:
        if path == "/v1/refunds":
            raise NoAnswer

    shop.transport.before = broken
    with pytest.raises(PaymentUnavailable):
        refund(shop, order, pencils(shop, 2))
    sent = ship(shop, order)
    waiting = shop.read(order.reference).state, lines(shop, order), shop.product().stock
    shop.transport.before = lambda _method, _path: None
    worker.run(shop.services, shop.clock())
    worker.run(shop.services, shop.clock())

    assert (sent, waiting) == (True, (OrderState.PAID, [(1, 2, 0, 0, 0)], stock - 3))
    assert (lines(shop, order), shop.product().stock) == ([(1, 2, 0, 2, 0)], stock - 1)
    assert shop.read(order.reference).state is OrderState.FULFILLED
    assert shop.history(order.reference).count("order.restocked") == 1
    assert nothing_disagrees(shop)


def test_pieces_of_a_refund_that_was_refused_are_to_be_sent_again(shop: Shop) -> None:
    order, stock = paid(shop, pens=0), shop.product().stock
    origin = Origin(Source.STAFF, shop.clock())
    key = refunds.request(shop.services, order.reference, Choice([pencils(shop, 2)]), origin)
    intent = shop.read(order.reference).payment.provider_payment_id or ""
    shop.stripe("POST", "/v1/refunds", {"payment_intent": intent, "amount": "800"})  # in the dashboard
    shop.lose()

    with pytest.raises(RefundRefused):
        refunds.submit(shop.services, order.reference, None, key, origin)

    assert (lines(shop, order), shop.product().stock) == ([(0, 0, 0, 0, 3)], stock)


def test_pieces_of_a_refused_refund_are_for_others_once_all_was_returned(shop: Shop) -> None:
    stock = shop.product().stock
    order = paid(shop, pens=0)
    origin = Origin(Source.STAFF, shop.clock())
    key = refunds.request(shop.services, order.reference, Choice([pencils(shop, 2)]), origin)
    intent = shop.read(order.reference).payment.provider_payment_id or ""
    shop.stripe("POST", "/v1/refunds", {"payment_intent": intent})
    shop.deliver()
    halfway = shop.product().stock

    with pytest.raises(RefundRefused):
        refunds.submit(shop.services, order.reference, None, key, origin)

    assert (halfway, shop.product().stock) == (stock - 2, stock)
    assert shop.read(order.reference).state is OrderState.REFUNDED
    assert nothing_disagrees(shop)


def test_a_refund_that_fails_late_leaves_its_pieces_where_they_are(shop: Shop) -> None:
    order = shop.order(3)
    shop.pay(order, FAILS_LATE)
    shop.deliver()
    stock = shop.product().stock
    refund(shop, order, pencils(shop, 2))

    shop.clock.forward(minutes=5)
    shop.deliver()

    after = shop.read(order.reference)
    assert (after.payment.refunded_minor, after.needs_review) == (0, True)
    assert (lines(shop, order), shop.product().stock) == ([(0, 2, 0, 2, 1)], stock + 2)
    assert nothing_disagrees(shop)


def test_an_order_of_which_nothing_is_left_to_send_is_done(shop: Shop) -> None:
    order = shop.order(3)
    shop.pay(order, FAILS_LATE)
    shop.deliver()
    ship(shop, order, 1)

    refund(shop, order, pencils(shop, 2))
    done = shop.read(order.reference)
    shop.clock.forward(minutes=5)
    shop.deliver()

    assert (done.state, shop.read(order.reference).state) == (OrderState.FULFILLED, OrderState.FULFILLED)
    assert done.history[-1].data == {"nothing_left": True}
    assert done.shipped_at != done.fulfilled_at
    assert nothing_disagrees(shop)


def test_a_refund_of_all_that_was_sent_fails_and_leaves_the_order_fulfilled(shop: Shop) -> None:
    order = shop.order(3)
    shop.pay(order, FAILS_LATE)
    shop.deliver()
    ship(shop, order)
    refund(shop, order, pencils(shop, 3, sent=True))
    returned = shop.read(order.reference).state

    shop.clock.forward(minutes=5)
    shop.deliver()

    after = shop.read(order.reference)
    assert (returned, after.state, after.needs_review) == (OrderState.REFUNDED, OrderState.FULFILLED, True)
    assert lines(shop, order) == [(3, 0, 3, 3, 0)]
    assert nothing_disagrees(shop)


def test_a_slow_refund_brings_its_pieces_back_when_it_is_accepted(shop: Shop) -> None:
    order = shop.order(3)
    shop.pay(order, IS_SLOW)
    shop.deliver()
    stock = shop.product().stock

    state = refund(shop, order, pencils(shop, 1))
    accepted = shop.product().stock
    shop.clock.forward(minutes=5)
    shop.deliver()

    assert (state, accepted, shop.product().stock) == (RefundState.PENDING, stock + 1, stock + 1)
    assert shop.history(order.reference).count("order.restocked") == 1


@pytest.mark.on_both_databases
def test_two_requests_at_once_never_refund_the_same_piece(shop: Shop) -> None:
    order = paid(shop, pens=0)

    outcomes = at_once(3, lambda _: refund(shop, order, pencils(shop, 2), another=True))

    assert sorted(str(getattr(each, "reason", each)) for each in outcomes) == ["fewer_left", "fewer_left", "succeeded"]
    assert shop.read(order.reference).payment.refunded_minor == 800


@pytest.mark.parametrize("quantity", [0, 4, -1])
def test_no_more_pieces_are_refunded_than_there_are(shop: Shop, quantity: int) -> None:
    order = paid(shop, pens=0)

    with pytest.raises(RefundRefused) as refused:
        refund(shop, order, pencils(shop, quantity))

    assert refused.value.reason is RefundRefusal.FEWER_LEFT
    assert rows(shop) == []


def test_what_was_not_sent_cannot_be_refunded_as_sent(shop: Shop) -> None:
    order = paid(shop, pens=0)
    ship(shop, order, 1)

    for chosen in ([pencils(shop, 2, sent=True)], [pencils(shop, 3)], [pencils(shop, 1), pencils(shop, 1)]):
        with pytest.raises(RefundRefused) as refused:
            refund(shop, order, *chosen)
        assert refused.value.reason is RefundRefusal.FEWER_LEFT

    assert refund(shop, order, pencils(shop, 1, sent=True), pencils(shop, 2)) is RefundState.SUCCEEDED
    assert shop.read(order.reference).payment.refunded_minor == 1200


def test_an_order_that_is_not_paid_is_not_refunded_by_line(shop: Shop) -> None:
    with pytest.raises(RefundRefused) as refused:
        refund(shop, shop.order(), pencils(shop, 1))

    assert refused.value.reason is RefundRefusal.NOT_BY_LINE


def test_shipping_that_cost_nothing_is_nothing_to_refund(shop: Shop) -> None:
    with pytest.raises(RefundRefused) as refused:
        refund(shop, paid(shop), shipping=True)

    assert refused.value.reason is RefundRefusal.FEWER_LEFT


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("UPDATE order_lines SET shipped = 1 WHERE order_id = {id} AND shipped = 2", ["shipments_differ"]),
        ("UPDATE shipment_lines SET quantity = 1 WHERE order_id = {id}", ["shipments_differ"]),
        ("UPDATE orders SET shipped_at = NULL WHERE id = {id}", ["shipments_differ"]),
        ("UPDATE order_lines SET refunded_unsent = 0, restocked = 1 WHERE order_id = {id} AND shipped = 2",
         ["shipments_differ", "refund_lines_differ"]),
        ("UPDATE order_lines SET refunded_sent = 2 WHERE order_id = {id} AND shipped = 2", ["refund_lines_differ"]),
        ("UPDATE order_lines SET restocked = 2 WHERE order_id = {id} AND shipped = 2", ["refund_lines_differ"]),
        ("UPDATE refund_lines SET restock = false WHERE order_id = {id}", ["refund_lines_differ"]),
        ("UPDATE refund_lines SET refund_id = NULL WHERE order_id = {id}", []),
        ("UPDATE refund_lines SET amount_minor = 401 WHERE order_id = {id} AND sent",
         ["refund_amount_differs_from_lines"]),
    ],
)  # fmt: skip
def test_of_two_orders_the_audit_names_the_one_whose_lines_disagree(
    shop: Shop, statement: str, wrong: list[str]
) -> None:
    orders_of_two = [paid(shop, pens=0), paid(shop, pens=0)]
    for order in orders_of_two:
        ship(shop, order, 2)
        refund(shop, order, pencils(shop, 1, sent=True, restock=False), pencils(shop, 1))

    with shop.services.database.transaction() as session:
        session.execute(text(statement.format(id=orders_of_two[0].id)))

    with shop.services.database.reading() as session:
        found = [(finding.subject, finding.code) for finding in audit.run(session, shop.clock())]
    assert found == [(f"order {orders_of_two[0].reference}", code) for code in wrong]
