"""The rows that an order is placed with: what is copied of the cart, the customer and the price."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from models import CouponRow, HistoryEntry, Order, OrderAdjustment, OrderLine, Payment, Product
from store.domain.addresses import Address
from store.domain.coupons import CouponKind
from store.domain.errors import CouponRefusal, CouponRefused, PriceChanged
from store.domain.states import OrderState, PaymentState, ReservationState
from store.domain.tariffs import Tariffs
from store.services import carts, orders, tariffs
from store.services.card_testing import Shopper
from store.services.history import Source
from store.services.orders import ConflictingOrder, Customer, Draft, ShownPrice
from tests.support.shop import ADDRESS, CUSTOMER, Shop

HOLD = timedelta(minutes=30)
BERLIN = Address("Bea Builder", "Unter den Linden 1", "Hof", "Berlin", "", "10115", "DE", "+49 30 1")
BUSINESS = Customer(shipping=BERLIN, billing=ADDRESS, email="Bea@Example.com", code="FIVE")


@pytest.fixture
def shop(usual_shop: Shop) -> Shop:
    """A shop with the sample shipping methods and tax rates, and a coupon for five dollars, once per customer."""
    usual_shop.clock.stop()
    with usual_shop.services.database.transaction() as session:
        tariffs.seed(session, "usd")
        coupon = {"id": 7, "code": "FIVE", "kind": CouponKind.AMOUNT, "amount_minor": 500, "currency": "usd"}
        session.execute(insert(CouponRow).values(**coupon, once_per_customer=True))
    usual_shop.services.tariffs.forget()
    return usual_shop


def cart(shop: Shop) -> str:
    """A cart with two mugs and a pencil."""
    filled = shop.cart(2, "stoneware-mug")
    with shop.services.database.transaction() as session:
        carts.add(session, filled, "cedar-pencil", 1, shop.clock())
    return filled


def known(shop: Shop) -> Tariffs:
    with shop.services.database.reading() as session:
        return tariffs.read(session)


def draft(
    shop: Shop,
    cart_id: str,
    customer: Customer = BUSINESS,
    shopper: Shopper | None = None,
    shown: ShownPrice | None = None,
) -> Draft:
    with shop.services.database.reading() as session:
        return orders.draft(session, cart_id, "browser", customer, shop.clock(), HOLD, shopper, known(shop), shown)


def place(shop: Shop, new: Draft) -> Order | ConflictingOrder:
    with shop.services.database.transaction() as session:
        return orders.place(session, new)


def test_an_order_is_drafted_with_all_that_it_copies(shop: Shop) -> None:
    filled, now = cart(shop), shop.clock()

    new = draft(shop, filled, shopper=Shopper("browser", "address", "email"))

    mug, pencil = shop.product("stoneware-mug"), shop.product()
    assert [(row["product_id"], row["position"], row["slug"], row["name"], row["image"], row["currency"],
             row["unit_price_minor"], row["quantity"]) for row in new.lines] == [
        (each.id, position, each.slug, each.name, each.thumbnail, "usd", each.price_minor, quantity)
        for position, (each, quantity) in enumerate(sorted([(mug, 2), (pencil, 1)], key=lambda each: each[0].id))
    ]  # fmt: skip
    copied = {f"shipping_{each.name}": getattr(BERLIN, each.name) for each in fields(Address)}
    copied |= {f"billing_{each.name}": getattr(ADDRESS, each.name) for each in fields(Address)}
    total = new.order["total_minor"]
    expected = {
        **copied,
        "reference": new.order["reference"], "fingerprint": new.order["fingerprint"], "total_minor": total,
        "state": OrderState.AWAITING_PAYMENT, "reservation": ReservationState.RESERVED, "closed_because": None,
        "disputed": False, "cart_id": filled, "browser_id": "browser", "address_digest": "address",
        "email_digest": "email", "currency": "usd", "email": "Bea@Example.com", "tax_id": None,
        "tax_calculation": None, "tax_recorded_at": None, "coupon_id": 7, "coupon_customer": "bea@example.com",
        "placed_at": now, "expires_at": now + HOLD, "extensions": 0, "claimed_until": None, "authorised_at": None,
        "paid_at": None, "shipped_at": None, "fulfilled_at": None,
    }  # fmt: skip
    assert {name: new.order[name] for name in expected} == expected
    assert {name: new.entry[name] for name in ("at", "type", "from_state", "to_state", "source", "actor", "data")} == {
        "at": now, "type": "order.placed", "from_state": None, "to_state": OrderState.AWAITING_PAYMENT,
        "source": Source.SHOPPER, "actor": None, "data": {"total": total},
    }  # fmt: skip
    assert {new.payment[name] for name in ("amount_minor", "live", "state", "account")} == {
        total, True, PaymentState.UNOPENED, "",
    }  # fmt: skip
    assert (new.available, new.code) == (True, "FIVE")


def test_the_price_is_copied_with_what_its_taxes_are_of(shop: Shop) -> None:
    new = draft(shop, cart(shop))

    lines = sum(row["unit_price_minor"] * row["quantity"] for row in new.lines)
    shipping, discount, tax = new.adjustments
    assert [each["position"] for each in new.adjustments] == [0, 1, 2]
    assert [(each["kind"], each["currency"]) for each in new.adjustments] == [
        ("shipping", "usd"), ("discount", "usd"), ("tax", "usd"),
    ]  # fmt: skip
    assert (discount["amount_minor"], tax["amount_minor"], tax["label"]) == (-500, 0, "VAT 19%, included")
    for each in (shipping, discount):
        assert (each["contained_minor"], each["base_minor"], each["shares"]) == (None, None, None)
    assert new.order["total_minor"] == lines - 500 + shipping["amount_minor"]
    assert tax["base_minor"] + tax["contained_minor"] == new.order["total_minor"]
    assert len(tax["shares"]) == 2
    assert 0 < sum(tax["shares"]) < tax["contained_minor"]


def test_an_order_without_a_coupon_or_a_shopper_has_neither(shop: Shop) -> None:
    plain = draft(shop, cart(shop), replace(CUSTOMER, tax_id="US 1"))
    with shop.services.database.transaction() as session:
        session.execute(update(CouponRow).values(once_per_customer=False))
    often = draft(shop, cart(shop))

    names = ("address_digest", "email_digest", "coupon_id", "coupon_customer")
    assert [plain.order[name] for name in (*names, "tax_id")] == [None] * 5  # no number is asked for there
    assert ([often.order[name] for name in names], plain.code) == ([None, None, 7, None], None)


@pytest.mark.parametrize(("stock", "available"), [(2, True), (1, False)])
def test_a_draft_says_whether_there_was_enough_of_everything(shop: Shop, stock: int, available: bool) -> None:
    filled = cart(shop)
    shop.set_stock("stoneware-mug", stock)

    assert draft(shop, filled).available is available


def test_a_coupon_that_is_not_known_is_refused(shop: Shop) -> None:
    with pytest.raises(CouponRefused) as refused:
        draft(shop, cart(shop), replace(BUSINESS, code="NOPE"))

    assert (refused.value.reason, refused.value.coupon) == (CouponRefusal.UNKNOWN, "NOPE")


def test_the_same_order_is_known_again_and_another_is_not(shop: Shop) -> None:
    filled = cart(shop)
    first = draft(shop, filled)

    again = draft(shop, filled)
    others = [
        draft(shop, filled, replace(BUSINESS, **changed)) for changed in ({"code": None}, {"email": "b@e.example"})
    ]

    assert again.order["reference"] != first.order["reference"]
    assert again.order["fingerprint"] == first.order["fingerprint"]
    assert len({each.order["fingerprint"] for each in (first, *others)}) == 3


def test_a_price_that_was_shown_is_the_one_that_is_asked_for(shop: Shop) -> None:
    filled = cart(shop)
    new = draft(shop, filled)
    total, method = new.order["total_minor"], "standard"
    right = ShownPrice(total, BERLIN, method, code="FIVE")

    same = draft(shop, filled, shown=right)
    with pytest.raises(PriceChanged) as changed:
        draft(shop, filled, shown=replace(right, total_minor=total + 1))
    chosen_since = draft(shop, filled, shown=ShownPrice(total + 500, BERLIN, method))

    left_out_since = draft(shop, filled, replace(BUSINESS, code=None), shown=right)

    assert same.order["total_minor"] == chosen_since.order["total_minor"] == total
    assert left_out_since.order["total_minor"] == total + 500
    assert changed.value.total.minor == total


def test_what_is_drafted_is_what_is_written(shop: Shop) -> None:
    new, other = draft(shop, cart(shop)), draft(shop, cart(shop), CUSTOMER)

    placed = [place(shop, each) for each in (other, new)]

    with shop.services.database.reading() as session:
        order = session.scalars(select(Order).where(Order.reference == new.order["reference"])).one()
        of_order = {"order_id": order.id}
        for table, rows in ((OrderLine, new.lines), (OrderAdjustment, new.adjustments)):
            columns = [column for column in table.__table__.columns if column.key in (*rows[0], "order_id")]
            kept = session.execute(select(*columns).where(table.order_id == order.id).order_by(table.position))
            assert [dict(row) for row in kept.mappings()] == [{**row, **of_order} for row in rows]
        entry = session.scalars(select(HistoryEntry).where(HistoryEntry.order_id == order.id)).one()
        payment = session.scalars(select(Payment).where(Payment.order_id == order.id)).one()
        used = session.scalars(select(CouponRow.used)).one()
        reserved = session.scalars(select(Product.reserved).where(Product.slug == "stoneware-mug")).one()
    assert [each.reference for each in placed] == [each.order["reference"] for each in (other, new)]
    assert (entry.type, entry.data, payment.amount_minor) == (
        "order.placed", {"total": order.total_minor}, order.total_minor,
    )  # fmt: skip
    assert (used, reserved) == (1, 4)


def test_a_cart_has_one_open_order_until_its_time_is_over(shop: Shop) -> None:
    filled = cart(shop)
    first = place(shop, draft(shop, filled, CUSTOMER))
    again = place(shop, draft(shop, filled, CUSTOMER))
    other = place(shop, draft(shop, filled, replace(CUSTOMER, email="b@e.example")))
    shop.clock.forward(minutes=30)
    late = place(shop, draft(shop, filled, CUSTOMER))

    assert isinstance(first, Order)
    assert isinstance(again, Order)
    assert again.reference == first.reference
    assert other == late == ConflictingOrder(first.reference)


def test_a_coupon_for_each_customer_once_is_refused_the_second_time(shop: Shop) -> None:
    place(shop, draft(shop, cart(shop)))

    with pytest.raises(CouponRefused) as refused:
        place(shop, draft(shop, cart(shop), replace(BUSINESS, email="bea@example.com")))

    assert (refused.value.reason, refused.value.coupon) == (CouponRefusal.USED_BEFORE, "FIVE")


def test_what_is_not_shipped_has_neither_an_address_nor_a_method(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        session.execute(update(Product).values(shippable=False))
    filled = cart(shop)

    drafts = [draft(shop, filled, replace(CUSTOMER, method=method)) for method in (None, "standard")]

    assert {each.order["shipping_country"] for each in drafts} == {""}
    assert {row["kind"] for each in drafts for row in each.adjustments} <= {"tax"}
    assert len({each.order["fingerprint"] for each in drafts}) == 1
    assert drafts[0].order["billing_country"] == "US"


def test_an_order_that_is_shipped_has_the_method_that_was_chosen(shop: Shop) -> None:
    filled = cart(shop)

    cheapest, chosen = (draft(shop, filled, replace(CUSTOMER, method=method)) for method in (None, "express"))

    shipping = [[row["label"] for row in each.adjustments if row["kind"] == "shipping"] for each in (cheapest, chosen)]
    assert shipping == [["Standard, 4 to 7 working days"], ["Express, 2 working days"]]
    assert cheapest.order["fingerprint"] != chosen.order["fingerprint"]
