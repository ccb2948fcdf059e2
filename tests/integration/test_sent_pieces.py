"""What may be sent of an order, and what is left of it: limits, refusals, and pieces that a refund is about."""

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from models import Mail, Order, OrderLine, Payment, Refund, RefundLine, Shipment, ShipmentLine
from store.domain.errors import FulfilmentRefusal, OrderNotFulfilled
from store.domain.money import Money
from store.domain.states import OrderState, RefundEvent, RefundState, ReservationState
from store.gateway.port import RefundSnapshot
from store.services import carts, orders
from store.services.history import Origin, Source
from store.services.orders import reviews
from store.services.payments import refunds
from tests.support.rows import change
from tests.support.shop import Shop


@pytest.fixture
def order(shop: Shop) -> Order:
    """A paid order of three pencils and a pen, and another order beside it."""
    shop.clock.stop()
    other, cart = shop.order(2), shop.cart(3)
    shop.pay(other)
    with shop.services.database.transaction() as session:
        carts.add(session, cart, "brass-pen", 1, shop.clock())
    order = shop.place(cart)
    shop.pay(order)
    shop.deliver()
    return shop.read(order.reference)


def fulfil(shop: Shop, order: Order, **more: Any) -> bool | FulfilmentRefusal:
    origin = Origin(Source.STAFF, shop.clock(), actor="Ada")
    tracking = more.pop("tracking", None)
    try:
        return orders.fulfil(shop.services, order.reference, tracking, origin, **more)
    except OrderNotFulfilled as refused:
        return refused.reason


def last(shop: Shop, order: Order) -> tuple[str, dict[str, Any]]:
    entry = shop.read(order.reference).history[-1]
    return entry.type, entry.data


def test_all_that_is_known_of_a_shipment_is_kept(shop: Shop, order: Order) -> None:
    pen, pencil = (line.product_id for line in order.lines)

    answers = [
        fulfil(shop, order, tracking=" 1Z ", carrier=" Post ", pieces={pencil: 2, pen: 0}),
        fulfil(shop, order, tracking="", carrier=" "),
    ]

    with shop.services.database.reading() as session:
        shipments = session.scalars(select(Shipment).order_by(Shipment.id)).all()
        rows = session.scalars(select(ShipmentLine).order_by(ShipmentLine.shipment_id, ShipmentLine.product_id)).all()
        mails = session.scalars(select(Mail).where(Mail.kind.like("order_%shipped")).order_by(Mail.id)).all()
    assert answers == [True, True]
    assert {(each.order_id, each.shipped_at, each.actor) for each in shipments} == {(order.id, shop.clock(), "Ada")}
    labels = [(each.number, each.carrier, each.tracking) for each in shipments]
    assert labels == [(1, "Post", "1Z"), (2, None, None)]
    assert [(each.shipment_id, each.order_id, each.product_id, each.quantity) for each in rows] == [
        (shipments[0].id, order.id, pencil, 2),
        *sorted((shipments[1].id, order.id, product_id, 1) for product_id in (pen, pencil)),
    ]
    assert [(mail.order_id, mail.data) for mail in mails] == [(order.id, {"shipment": 1})]
    said = [(entry.type, entry.data) for entry in shop.read(order.reference).history][-2:]
    assert said == [
        ("order.partly_shipped",
         {"shipment": 1, "pieces": "2 × Cedar pencil", "carrier": "Post", "tracking": "1Z"}),
        ("order.fulfilled", {"shipment": 2, "pieces": "1 × Brass pen, 1 × Cedar pencil"}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tracking", "answer"),
    [("x" * 120, True), ("x" * 121, FulfilmentRefusal.TRACKING_INVALID), ("a\tb", FulfilmentRefusal.TRACKING_INVALID)],
)
def test_a_tracking_text_has_120_characters_at_most(
    shop: Shop, order: Order, tracking: str, answer: bool | FulfilmentRefusal
) -> None:
    assert fulfil(shop, order, tracking=tracking) == answer


def test_a_shipment_with_a_number_is_noted_once_and_in_its_turn(shop: Shop, order: Order) -> None:
    pen, pencil = (line.product_id for line in order.lines)

    answers = [fulfil(shop, order, number=number, pieces={pencil: 1}) for number in (1, 1, 2, 1, 2)]
    answers.append(fulfil(shop, order, pieces={pen: 1}))

    assert answers == [True, False, True, False, False, True]
    assert [shipment.number for shipment in shop.read(order.reference).shipments] == [1, 2, 3]


@pytest.mark.parametrize(
    ("pieces", "answer"),
    [
        ({0: 1, 1: 0}, True), ({0: 3, 1: 1}, True), ({0: 4}, FulfilmentRefusal.FEWER_LEFT),
        ({0: 3, 1: 2}, FulfilmentRefusal.FEWER_LEFT), ({0: -1, 1: 1}, FulfilmentRefusal.FEWER_LEFT),
        ({0: 0, 1: 0}, FulfilmentRefusal.NOTHING_CHOSEN), ({}, FulfilmentRefusal.NOTHING_CHOSEN),
    ],
)  # fmt: skip
def test_as_many_pieces_are_sent_as_are_left(
    shop: Shop, order: Order, pieces: dict[int, int], answer: bool | FulfilmentRefusal
) -> None:
    pen, pencil = (line.product_id for line in order.lines)
    names = {0: pencil, 1: pen}

    assert fulfil(shop, order, pieces={names[name]: count for name, count in pieces.items()}) == answer


def test_the_first_reason_why_an_order_is_not_sent_is_said(shop: Shop, order: Order) -> None:
    change(shop, order, state=OrderState.CANCELLED, reservation=ReservationState.RELEASED, disputed=True)
    with shop.services.database.transaction() as session:
        reviews.open_review(session, session.get_one(Order, order.id), "amount", Origin(Source.WORKER, shop.clock()))

    reasons = [fulfil(shop, order, disputed=True), fulfil(shop, order)]
    reviews.resolve(shop.services, order.reference, "Fine.", Origin(Source.STAFF, shop.clock()))
    reasons += [fulfil(shop, order), fulfil(shop, order, disputed=True)]
    change(shop, order, state=OrderState.PAID, reservation=ReservationState.COMMITTED)
    reasons += [fulfil(shop, order), fulfil(shop, order, disputed=True, leave_rest=True)]
    reasons += [fulfil(shop, order, disputed=True), fulfil(shop, order, disputed=True)]

    assert reasons == [
        FulfilmentRefusal.REVIEW_OPEN, FulfilmentRefusal.REVIEW_OPEN, FulfilmentRefusal.DISPUTED,
        FulfilmentRefusal.NOT_PAID, FulfilmentRefusal.DISPUTED, FulfilmentRefusal.REST_IS_PAID, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(("charged", "answer"), [(-1, True), (0, FulfilmentRefusal.REST_IS_PAID)])
def test_the_rest_is_left_where_less_was_charged(
    shop: Shop, order: Order, charged: int, answer: bool | FulfilmentRefusal
) -> None:
    with shop.services.database.transaction() as session:
        part = {"received_minor": order.total_minor + charged, "capture_minor": order.total_minor + charged}
        session.execute(update(Payment).where(Payment.order_id == order.id).values(part))

    assert fulfil(shop, order, leave_rest=True) == answer


@pytest.mark.parametrize(("stock", "answer"), [(3, True), (2, FulfilmentRefusal.STOCK_GONE)])
def test_stock_that_went_back_is_taken_again_if_it_is_there(
    shop: Shop, order: Order, stock: int, answer: bool | FulfilmentRefusal
) -> None:
    change(shop, order, reservation=ReservationState.RELEASED)
    shop.set_stock("cedar-pencil", stock + shop.product().reserved)
    pen = shop.product("brass-pen").stock

    assert fulfil(shop, order) == answer
    taken = answer is True
    assert shop.product().stock == shop.product().reserved + stock - 3 * taken
    assert shop.product("brass-pen").stock == pen - taken


@pytest.mark.parametrize(
    ("state", "sent", "product", "done"),
    [
        (RefundState.REQUESTED, False, True, False), (RefundState.PENDING, False, True, True),
        (RefundState.REQUESTED, True, True, True), (RefundState.REQUESTED, False, False, True),
    ],
)  # fmt: skip
def test_an_order_is_done_once_no_piece_may_have_to_be_sent_after_all(
    shop: Shop, order: Order, state: RefundState, sent: bool, product: bool, done: bool
) -> None:
    _pen, pencil = (line.product_id for line in order.lines)
    with shop.services.database.transaction() as session:
        row = {"payment_id": order.payment.id, "state": state, "amount_minor": 400, "requested_at": shop.clock()}
        refund = session.scalars(insert(Refund).values(row).returning(Refund.id)).one()
        line = {"refund_id": refund, "order_id": order.id, "quantity": 1, "restock": False, "amount_minor": 400}
        nothing = {"tax_minor": 0, "contained_minor": 0}
        session.execute(insert(RefundLine).values(product_id=pencil if product else None, sent=sent, **line, **nothing))
        of_pencil = update(OrderLine).where(OrderLine.order_id == order.id, OrderLine.product_id == pencil)
        session.execute(of_pencil.values(refunded_unsent=1))

    fulfil(shop, order)

    after = shop.read(order.reference)
    assert (after.state is OrderState.FULFILLED, after.fulfilled_at is not None) == (done, done)
    assert last(shop, order)[0] == ("order.fulfilled" if done else "order.partly_shipped")
    assert [line.shipped for line in after.lines] == [1, 2]


def test_refunds_are_told_and_kept_as_they_are_reported(shop: Shop, order: Order) -> None:
    intent = str(order.payment.provider_payment_id)

    def report(event: RefundEvent, name: str = "re_1", payment: str = intent, key: str | None = None) -> Order | None:
        with shop.services.database.transaction() as session:
            snapshot = RefundSnapshot(name, payment, Money(300, "usd"), event, key)
            return refunds.record(session, snapshot, Origin(Source.WEBHOOK, shop.clock()))

    elsewhere = report(RefundEvent.SUCCEEDED, payment="pi_elsewhere")
    found = report(RefundEvent.PENDING)
    accepted_at = shop.clock()
    shop.clock.forward(minutes=1)
    report(RefundEvent.SUCCEEDED)
    report(RefundEvent.SUCCEEDED)
    report(RefundEvent.FAILED)
    with shop.services.database.transaction() as session:
        row = {"payment_id": order.payment.id, "state": RefundState.REQUESTED, "amount_minor": 300}
        session.execute(insert(Refund).values(key="mine", requested_at=shop.clock(), **row))
    report(RefundEvent.FAILED, "re_2", key="mine")
    report(RefundEvent.SUCCEEDED, "re_3", key="not mine")

    rows = shop.refunds(order.reference)
    assert (elsewhere, found.id if found else None) == (None, order.id)
    assert [(row.provider_refund_id, row.key, row.state, row.accepted_at) for row in rows] == [
        ("re_1", None, RefundState.FAILED, accepted_at), ("re_2", "mine", RefundState.FAILED, None),
        ("re_3", None, RefundState.SUCCEEDED, shop.clock()),
    ]  # fmt: skip
    with shop.services.database.reading() as session:
        mails = [(mail.kind, mail.dedupe_key, mail.data) for mail in session.scalars(select(Mail).order_by(Mail.id))]
        waiting = [(each.review.reason, each.review.subject, each.review.data) for each in reviews.waiting(session)]
    amount = {"amount": 300}
    assert [mail for mail in mails if mail[0] not in ("order_paid", "review_opened")] == [
        ("refunded", "refund:re_1", amount), ("refund_failed", "refund-failed:re_1", amount),
        ("refund_failed", "refund-failed:re_2", amount), ("refunded", "refund:re_3", amount),
    ]  # fmt: skip
    assert waiting == [("refund_failed", name, {"reservation": "committed"}) for name in ("re_1", "re_2")]
    assert shop.read(order.reference).payment.refunded_minor == 300


@pytest.mark.parametrize(
    ("live", "released", "key", "kind"),
    [
        (True, False, "unowed", "refunded"), (True, True, "other", "refunded"),
        (True, True, "unowed", "late_payment_returned"), (False, True, "unowed", "second_payment_returned"),
    ],
)  # fmt: skip
def test_a_mail_about_a_refund_says_why_the_money_came_back(
    shop: Shop, order: Order, live: bool, released: bool, key: str, kind: str
) -> None:
    payment = order.payment
    unowed = refunds.unowed_key(payment)
    if released:
        change(shop, order, reservation=ReservationState.RELEASED, state=OrderState.EXPIRED)
    with shop.services.database.transaction() as session:
        if not live:
            session.execute(update(Payment).where(Payment.id == payment.id).values(live=False))
            session.execute(insert(Payment).values(order_id=order.id, amount_minor=order.total_minor))
        row = {
            "payment_id": payment.id,
            "state": RefundState.REQUESTED,
            "amount_minor": 300,
            "requested_at": shop.clock(),
        }
        session.execute(insert(Refund).values(key=unowed if key == "unowed" else "other", **row))
        snapshot = RefundSnapshot(
            "re_1", str(payment.provider_payment_id), Money(300, "usd"), RefundEvent.SUCCEEDED,
            unowed if key == "unowed" else "other",
        )  # fmt: skip
        refunds.record(session, snapshot, Origin(Source.WEBHOOK, shop.clock()))

    with shop.services.database.reading() as session:
        mails = session.scalars(select(Mail.kind).where(Mail.order_id == order.id).order_by(Mail.id)).all()
    assert mails[-1] == kind


@pytest.mark.parametrize("live", [True, False])
def test_taxes_are_recorded_anew_once_some_of_the_money_is_back(shop: Shop, order: Order, live: bool) -> None:
    change(shop, order, tax_recorded_at=shop.clock())
    with shop.services.database.transaction() as session:
        if not live:
            session.execute(update(Payment).where(Payment.id == order.payment.id).values(live=False))
            session.execute(insert(Payment).values(order_id=order.id, amount_minor=order.total_minor))
        intent = str(order.payment.provider_payment_id)
        snapshot = RefundSnapshot("re_1", intent, Money(300, "usd"), RefundEvent.SUCCEEDED, None)
        refunds.record(session, snapshot, Origin(Source.WEBHOOK, shop.clock()))

    assert shop.read(order.reference).tax_recorded_at == (None if live else shop.clock())
