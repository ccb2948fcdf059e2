"""The audit of many orders at a time, each wrong in one way, or almost: which of them it names, and in which order."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from models import (
    CouponRow,
    Dispute,
    HistoryEntry,
    InboxEvent,
    Mail,
    Order,
    OrderAdjustment,
    OrderLine,
    Payment,
    Product,
    Refund,
    RefundLine,
    Shipment,
    ShipmentLine,
    TaxTransaction,
)
from store.domain.coupons import CouponKind
from store.domain.pricing import AdjustmentKind
from store.domain.states import DisputeState, OrderState, PaymentState, RefundState, ReservationState
from store.services import carts, transitions
from store.services.findings import Finding
from store.services.history import Origin, Source
from store.services.operations import audit
from store.services.orders import reviews
from tests.support.shop import Shop

SECOND = timedelta(seconds=1)
PAID = {"state": OrderState.PAID, "reservation": ReservationState.COMMITTED}
CANCELLED = {"state": OrderState.CANCELLED, "reservation": ReservationState.RELEASED}
RECEIVED = {"state": PaymentState.PAID, "received_minor": 400}


class Orders:
    """Orders of $4.00, by what is said of them."""

    def __init__(self, shop: Shop, *names: str) -> None:
        shop.clock.stop()
        self.placed = {name: shop.order() for name in names}

    def change(self, session: Session, name: str, **values: Any) -> None:
        session.execute(update(Order).where(Order.id == self.placed[name].id).values(values))

    def pay(self, session: Session, name: str, **values: Any) -> None:
        of_order = Payment.order_id == self.placed[name].id
        session.execute(update(Payment).where(of_order, Payment.live).values({**RECEIVED, **values}))

    def pay_twice(self, session: Session, name: str, **values: Any) -> None:
        beside = {"order_id": self.placed[name].id, "amount_minor": 400, "live": False, **RECEIVED, **values}
        session.execute(insert(Payment).values(beside))

    def review(self, session: Session, name: str, origin: Origin) -> None:
        order = transitions.lock_by_reference(session, self.placed[name].reference)
        reviews.open_review(session, order, "amount", origin)

    def payment_id(self, session: Session, name: str) -> int:
        return session.get_one(Order, self.placed[name].id).payment.id

    def named(self, found: list[Finding]) -> dict[str, list[str]]:
        names = {f"order {order.reference}": name for name, order in self.placed.items()}
        by_code = defaultdict[str, list[str]](list)
        for finding in found:
            by_code[finding.code].append(names.get(finding.subject, finding.subject))
        return dict(by_code)


def run(shop: Shop) -> list[Finding]:
    with shop.services.database.reading() as session:
        return audit.run(session, shop.clock())


def test_payments_that_their_orders_do_not_agree_with_are_named(shop: Shop) -> None:
    orders = Orders(
        shop, "none", "unpaid", "also unpaid", "right", "late", "late too", "due", "reviewed", "less", "other amount",
        "second", "second due", "second open", "second reviewed", "for a cent", "for nothing", "opened for nothing",
    )  # fmt: skip
    with shop.services.database.transaction() as session:
        session.execute(update(Payment).where(Payment.order_id == orders.placed["none"].id).values(live=False))
        for name in ("unpaid", "also unpaid"):
            orders.change(session, name, **PAID)
        for name in ("right", "less", "other amount", "second", "second due", "second open", "second reviewed"):
            orders.change(session, name, **PAID)
            orders.pay(session, name)
        for name in ("late", "late too", "due", "reviewed"):
            orders.pay(session, name)
        orders.change(session, "late too", **CANCELLED)
        orders.pay(session, "due", refund_due=True)
        orders.pay(session, "less", received_minor=399)
        orders.pay(session, "other amount", amount_minor=401)
        for name, total in (("for a cent", 1), ("for nothing", 0), ("opened for nothing", 0)):
            orders.change(session, name, total_minor=total, **PAID)
            state = PaymentState.OPEN if name == "opened for nothing" else PaymentState.UNOPENED
            orders.pay(session, name, state=state, received_minor=0, amount_minor=total)
        orders.pay_twice(session, "second")
        orders.pay_twice(session, "second due", refund_due=True)
        orders.pay_twice(session, "second open", state=PaymentState.OPEN, received_minor=0)
        orders.pay_twice(session, "second reviewed")
        for name in ("reviewed", "second reviewed"):
            orders.review(session, name, Origin(Source.WORKER, shop.clock()))

    found = orders.named(run(shop))

    del found["reserved_differs"], found["total_differs"]
    assert found == {
        "no_live_payment": ["none"],
        "paid_without_payment": ["unpaid", "also unpaid", "for a cent", "opened for nothing"],
        "payment_without_order": ["late", "late too"],
        "other_amount_received": ["less"],
        "other_payment_amount": ["other amount"],
        "second_payment_kept": ["second"],
        "refund_overdue": ["due", "second due"],
        "in_review": ["reviewed", "second reviewed"],
    }


def test_refunds_taxes_stock_and_disputes_that_differ_are_named(shop: Shop) -> None:
    orders = Orders(
        shop, "more back", "less back", "right", "all back", "not all back", "not received", "taxed", "taxed less",
        "refused", "not recorded", "reserved", "lost", "flagged", "not flagged", "won", "reviewed",
    )  # fmt: skip
    now = shop.clock()
    with shop.services.database.transaction() as session:
        for name in orders.placed:
            orders.change(session, name, **PAID)
            orders.pay(session, name)
        refunds = [
            ("more back", 100, RefundState.SUCCEEDED, 50), ("less back", 100, RefundState.FAILED, 100),
            ("right", 100, RefundState.PENDING, 100), ("all back", 400, RefundState.SUCCEEDED, 400),
            ("not all back", 300, RefundState.SUCCEEDED, 300), ("not received", 100, RefundState.PENDING, 0),
        ]  # fmt: skip
        for name, amount, state, noted in refunds:
            row = {"payment_id": orders.payment_id(session, name), "amount_minor": amount, "state": state}
            session.execute(insert(Refund).values(requested_at=now, **row))
            orders.pay(session, name, refunded_minor=noted)
        orders.pay(session, "not all back", refunded_minor=300, state=PaymentState.REFUNDED)
        orders.pay(session, "not received", received_minor=0, state=PaymentState.CANCELLED)
        taxes = [("taxed", 400, False), ("taxed less", 399, False), ("refused", 1, True), ("not recorded", 1, False)]
        for name, amount, refused in taxes:
            row = {"order_id": orders.placed[name].id, "key": name, "amount_minor": amount, "refused": refused}
            session.execute(insert(TaxTransaction).values(requested_at=now, **row))
            orders.change(session, name, tax_recorded_at=now if name != "not recorded" else None)
        for name in ("reserved", "reviewed"):
            orders.change(session, name, reservation=ReservationState.RESERVED)
        orders.review(session, "reviewed", Origin(Source.WORKER, now))
        orders.change(session, "flagged", disputed=True)
        for name, decided in (("not flagged", DisputeState.LOST), ("won", DisputeState.WON)):
            row = {"provider_dispute_id": name, "payment_id": orders.payment_id(session, name), "state": decided}
            session.execute(insert(Dispute).values(amount_minor=400, opened_at=now, **row))

    found = orders.named(run(shop))

    assert found["refunds_differ"] == ["more back", "less back", "all back", "not all back"]
    assert found["taxes_differ"] == ["taxed less"]
    assert found["stock_misplaced"] == ["reserved"]
    assert found["dispute_flag_wrong"] == ["flagged", "not flagged"]


def test_what_is_late_is_named_after_a_quarter_of_an_hour(shop: Shop) -> None:
    orders = Orders(
        shop, "late", "later", "in time", "refund", "refund in time", "tax", "tax in time", "tax recorded", "mail",
        "capture", "capture in time", "captured",
    )  # fmt: skip
    now = shop.clock()
    limit, late = now - audit.LATE, now - audit.LATE - SECOND
    with shop.services.database.transaction() as session:
        for name, at in (("late", late), ("later", late - SECOND), ("in time", limit)):
            orders.change(session, name, expires_at=at)
        for name, at in (("refund", late), ("refund in time", limit)):
            row = {"payment_id": orders.payment_id(session, name), "amount_minor": 1, "requested_at": at}
            session.execute(insert(Refund).values(state=RefundState.REQUESTED, **row))
        for name, at in (("tax", late), ("tax in time", limit), ("tax recorded", late)):
            orders.change(session, name, tax_calculation="taxcalc_1", paid_at=at)
        orders.change(session, "tax recorded", tax_recorded_at=now)
        for name, at in (("capture", late), ("capture in time", limit), ("captured", late)):
            state = PaymentState.PAID if name == "captured" else PaymentState.AUTHORISED
            orders.pay(session, name, state=state, capture_requested_at=at)
        for name, at, handled in (("evt_1", late, None), ("evt_2", limit, None), ("evt_3", late, now)):
            event = {"id": name, "type": "charge.refunded", "received_at": at, "last_error": "KeyError"}
            session.execute(insert(InboxEvent).values(handled_at=handled, **event))
        reported = now - audit.REPORTED
        mails: list[dict[str, Any]] = [
            {"written_at": late, "kind": "order_paid"}, {"written_at": limit, "kind": "refunded"},
            {"failed_at": reported + SECOND, "kind": "order_expired"}, {"failed_at": reported, "kind": "review_opened"},
            {"failed_at": reported - SECOND, "kind": "refund_failed"},
            {"written_at": late, "kind": "refunded", "sent_at": now},
        ]  # fmt: skip
        for number, values in enumerate(mails):
            common = {"order_id": orders.placed["mail"].id, "data": {}, "written_at": now, "due_at": now, "attempts": 7}
            keys = {"dedupe_key": f"{number}", "message_id": f"<{number}@shop>"}
            session.execute(insert(Mail).values({**common, **keys, **values}))

    found = run(shop)

    named, mail = orders.named(found), f"order {orders.placed['mail'].reference}"
    assert named["overdue"] == ["later", "late"]
    assert (named["refund_overdue"], named["tax_overdue"], named["capture_overdue"]) == (
        ["refund"],
        ["tax"],
        ["capture"],
    )
    about = ("event_unhandled", "mail_unsent", "merchant_mail_refused", "mail_refused")
    assert [finding for finding in found if finding.code in about] == [
        Finding("event evt_1", "event_unhandled", {"type": "charge.refunded", "error": "KeyError"}),
        Finding(mail, "mail_unsent", {"kind": "order_paid", "attempts": 7}),
        Finding(mail, "merchant_mail_refused", {"kind": "review_opened"}),
        Finding(mail, "mail_refused", {"kind": "order_expired"}),
    ]


def test_an_audit_in_parts_names_the_same_and_says_how_far_it_is(shop: Shop) -> None:
    orders = Orders(shop, *(f"order {number}" for number in range(5)))
    with shop.services.database.transaction() as session:
        for name in orders.placed:
            orders.change(session, name, disputed=True)
    steps = list[tuple[int, int]]()

    streamed = list(
        audit.stream(
            shop.services.database, shop.clock(), size=2, report=lambda done, parts: steps.append((done, parts))
        )
    )

    assert streamed == run(shop)
    assert orders.named(streamed)["dispute_flag_wrong"] == list(orders.placed)
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_orders_whose_authorisation_differs_are_named(shop: Shop) -> None:
    orders = Orders(
        shop, "open", "authorised", "not any more", "only the card", "captured in part", "captured less", "paid whole",
        "expired", "reviewed",
    )  # fmt: skip
    now, authorised = shop.clock(), {"state": PaymentState.AUTHORISED, "received_minor": 0}
    with shop.services.database.transaction() as session:
        for name in ("authorised", "not any more", "captured in part", "captured less", "expired", "reviewed"):
            orders.change(session, name, authorised_at=now)
        for name in ("authorised", "only the card", "expired"):
            orders.pay(session, name, **authorised)
        for name in ("captured in part", "captured less", "paid whole"):
            orders.change(session, name, **PAID)
        orders.pay(session, "captured in part", capture_minor=300, received_minor=300)
        orders.pay(session, "captured less", capture_minor=300)
        orders.pay(session, "paid whole")
        orders.change(session, "expired", **CANCELLED)
        orders.review(session, "reviewed", Origin(Source.WORKER, now))

    found = orders.named(run(shop))

    del found["reserved_differs"]
    assert found == {
        "authorisation_differs": ["not any more", "only the card", "expired"],
        "other_amount_received": ["captured less"],
        "in_review": ["reviewed"],
    }


def test_totals_that_differ_from_lines_and_adjustments_are_named_with_both(shop: Shop) -> None:
    orders = Orders(shop, "right", "shipping left out", "shipping made up", "two", "two less", "line dearer")
    with shop.services.database.transaction() as session:
        for name, amounts, total in (
            ("right", [100], 500), ("shipping left out", [100], 400), ("two", [100, 50], 550),
            ("two less", [100, -50], 550), ("shipping made up", [], 500),
        ):  # fmt: skip
            for position, amount in enumerate(amounts):
                row = {"order_id": orders.placed[name].id, "position": position, "kind": AdjustmentKind.SHIPPING}
                session.execute(
                    insert(OrderAdjustment).values(label="Post", currency="usd", amount_minor=amount, **row)
                )
            orders.change(session, name, total_minor=total)
            session.execute(
                update(Payment).where(Payment.order_id == orders.placed[name].id).values(amount_minor=total)
            )
        dearer = update(OrderLine).where(OrderLine.order_id == orders.placed["line dearer"].id)
        session.execute(dearer.values(unit_price_minor=401, quantity=2))
        session.execute(update(Product).where(Product.slug == "cedar-pencil").values(reserved=7))

    found = run(shop)

    assert found == [
        Finding(f"order {orders.placed[name].reference}", "total_differs", {"total": total, "quoted": quoted})
        for name, total, quoted in (
            ("shipping left out", "$4.00", "$5.00"), ("shipping made up", "$5.00", "$4.00"),
            ("two less", "$5.50", "$4.50"), ("line dearer", "$4.00", "$8.02"),
        )
    ]  # fmt: skip


def test_stock_and_coupons_that_no_order_accounts_for_are_named(shop: Shop) -> None:
    orders = Orders(shop, "open", "also open", "paid", "released")
    with shop.services.database.transaction() as session:
        for number, (code, used) in enumerate((("RIGHT", 2), ("MORE", 3), ("LESS", 1), ("NONE", 0), ("ONCE", 1)), 1):
            row = {"id": number, "code": code, "kind": CouponKind.AMOUNT, "amount_minor": 100, "currency": "usd"}
            session.execute(insert(CouponRow).values(used=used, **row))
        for name, coupon in (("open", 1), ("also open", 2), ("paid", 1), ("released", 3)):
            orders.change(session, name, coupon_id=coupon)
        orders.change(session, "paid", **PAID)
        orders.pay(session, "paid")
        orders.change(session, "released", **CANCELLED)
        session.execute(update(Product).where(Product.slug == "brass-pen").values(reserved=1))

    found = run(shop)

    assert found == [
        Finding("product brass-pen", "reserved_differs", {"reserved": 1, "needed": 0}),
        Finding("product cedar-pencil", "reserved_differs", {"reserved": 4, "needed": 2}),
        Finding("coupon MORE", "uses_differ", {"used": 3, "orders": 1}),
        Finding("coupon LESS", "uses_differ", {"used": 1, "orders": 0}),
        Finding("coupon ONCE", "uses_differ", {"used": 1, "orders": 0}),
    ]


def test_an_audit_of_what_changed_since_is_in_parts_too(shop: Shop) -> None:
    orders = Orders(shop, "old", *(f"order {number}" for number in range(4)))
    since = shop.clock()
    with shop.services.database.transaction() as session:
        for name in orders.placed:
            orders.change(session, name, disputed=True)
        of_old = HistoryEntry.order_id == orders.placed["old"].id
        session.execute(update(HistoryEntry).where(of_old).values(at=since - SECOND))
    steps = list[tuple[int, int]]()

    streamed = list(
        audit.stream(
            shop.services.database, since, since, size=3, report=lambda done, parts: steps.append((done, parts))
        )
    )

    assert orders.named(streamed) == {"dispute_flag_wrong": [f"order {number}" for number in range(4)]}
    assert steps == [(1, 2), (2, 2)]


def test_an_audit_of_a_shop_without_orders_finds_what_is_late_all_the_same(shop: Shop) -> None:
    now, steps = shop.clock(), list[tuple[int, int]]()
    with shop.services.database.transaction() as session:
        event = {"id": "evt_1", "type": "charge.refunded", "received_at": now - audit.LATE - SECOND}
        session.execute(insert(InboxEvent).values(event))

    streamed = list(audit.stream(shop.services.database, now, report=lambda done, parts: steps.append((done, parts))))

    assert streamed == [Finding("event evt_1", "event_unhandled", {"type": "charge.refunded", "error": None})]
    assert steps == []


def test_lines_that_differ_from_what_was_sent_and_refunded_are_named(shop: Shop) -> None:
    names = (
        "right", "sent more", "sent less", "refunded more", "refunded less", "restocked", "withdrawn", "one left",
        "not told",
    )  # fmt: skip
    orders = Orders(shop)
    for name in names:
        cart = shop.cart(3)
        with shop.services.database.transaction() as session:
            carts.add(session, cart, "stoneware-mug", 2, shop.clock())
        orders.placed[name] = shop.place(cart)
    now, refund_id, pencil, mug = shop.clock(), 0, shop.product().id, shop.product("stoneware-mug").id
    with shop.services.database.transaction() as session:
        for name, order in orders.placed.items():
            orders.change(session, name, **PAID, shipped_at=now if name != "not told" else None)
            total = {"received_minor": order.total_minor}
            orders.pay(session, name, **total)
            shipment = session.scalars(
                insert(Shipment).values(order_id=order.id, number=1, shipped_at=now).returning(Shipment.id)
            ).one()
            for product, count in ((pencil, 1), (mug, 1)):
                row = {"shipment_id": shipment, "order_id": order.id, "product_id": product, "quantity": count}
                session.execute(insert(ShipmentLine).values(row))
            refund = {
                "payment_id": orders.payment_id(session, name),
                "state": RefundState.REQUESTED,
                "requested_at": now,
            }
            refund_id = session.scalars(insert(Refund).values(amount_minor=7, **refund).returning(Refund.id)).one()
            failed = {**refund, "state": RefundState.FAILED, "amount_minor": 4}  # whose lines count for nothing
            failed_id = session.scalars(insert(Refund).values(failed).returning(Refund.id)).one()
            for product, count, sent, id_, restock in (
                (pencil, 1, False, refund_id, True), (mug, 1, True, refund_id, False), (mug, 1, False, None, True),
                (pencil, 1, False, failed_id, True),
            ):  # fmt: skip
                amount = {"amount_minor": 4 if product == pencil else 3, "tax_minor": 0, "contained_minor": 0}
                line = {"refund_id": id_, "order_id": order.id, "product_id": product, "quantity": count, "sent": sent}
                session.execute(insert(RefundLine).values(restock=restock, **line, **amount))
            of_line = {"shipped": 1, "refunded_unsent": 1}, {"shipped": 1, "refunded_unsent": 1, "refunded_sent": 1}
            for product, counts in zip((pencil, mug), of_line, strict=True):
                counted = {**counts, "restocked": 0 if product == pencil else 1}
                lines = update(OrderLine).where(OrderLine.order_id == order.id, OrderLine.product_id == product)
                session.execute(lines.values(counted))
        for name, product, counts in (
            ("sent more", pencil, {"shipped": 2}), ("sent less", mug, {"shipped": 0, "refunded_sent": 0}),
            ("refunded more", pencil, {"refunded_unsent": 0}), ("refunded less", mug, {"refunded_sent": 0}),
            ("restocked", pencil, {"restocked": 1}), ("withdrawn", mug, {"restocked": 0}),
        ):  # fmt: skip
            of_order = OrderLine.order_id == orders.placed[name].id
            session.execute(update(OrderLine).where(of_order, OrderLine.product_id == product).values(counts))

        orders.change(session, "one left", state=OrderState.FULFILLED)

    found = orders.named(run(shop))

    assert found["shipments_differ"] == ["sent more", "sent less", "one left", "not told"]
    assert found["refund_lines_differ"] == ["sent less", "refunded more", "refunded less", "restocked", "withdrawn"]
    assert "refund_amount_differs_from_lines" not in found
    with shop.services.database.transaction() as session:
        session.execute(update(Refund).where(Refund.id == refund_id).values(amount_minor=8))
    assert orders.named(run(shop))["refund_amount_differs_from_lines"] == ["not told"]
