"""What happens to one order, refund or product does not change the others."""

import pytest
from sqlalchemy import select, update

from models import Order, Payment, Product, Refund
from store.domain.errors import PaymentServiceFailed, PaymentUnavailable
from store.domain.money import Money
from store.domain.states import OrderState, RefundState
from store.services import carts, mail
from store.services.history import Origin, Source
from store.services.operations import worker
from store.services.payments import refunds
from tests.support.shop import NoAnswer, Shop


def fail_requests(shop: Shop, match: str, times: int) -> None:
    shop.sandbox.extensions["sandbox"].faults.add("api", "error", times, {"match": match, "when": "before"})


def paid(shop: Shop) -> Order:
    order = shop.order(2)
    shop.pay(order)
    shop.deliver()
    return order


def refund(shop: Shop, order: Order, amount: int, key: str) -> RefundState:
    return refunds.submit(shop.services, order.reference, Money(amount, "usd"), key, Origin(Source.STAFF, shop.clock()))


def refund_attempts(shop: Shop) -> dict[str | None, int]:
    with shop.services.database.reading() as session:
        return {row.key: row.attempt for row in session.execute(select(Refund.key, Refund.attempt))}


def open_attempts(shop: Shop) -> dict[str, int]:
    with shop.services.database.reading() as session:
        rows = session.execute(select(Order.reference, Payment.create_attempt).join(Order.payment))
        return {row.reference: row.create_attempt for row in rows}


def stock(shop: Shop) -> dict[str, tuple[int, int]]:
    with shop.services.database.reading() as session:
        return {row.slug: (row.stock, row.reserved) for row in session.scalars(select(Product))}


def test_only_the_refund_that_stripe_failed_on_gets_another_key(shop: Shop) -> None:
    order = paid(shop)
    fail_requests(shop, "POST /v1/refunds", times=3)

    for key in ("one", "other", "one"):
        with pytest.raises(PaymentServiceFailed):
            refund(shop, order, 100, key)

    assert refund_attempts(shop) == {"one": 3, "other": 2}


def test_only_the_order_that_stripe_failed_on_gets_another_key(shop: Shop) -> None:
    one, other = shop.order(), shop.order()
    fail_requests(shop, "POST /v1/payment_intents", times=3)

    for order in (one, other, one):
        with pytest.raises(PaymentServiceFailed):
            shop.open(order)

    assert open_attempts(shop) == {one.reference: 3, other.reference: 2}


@pytest.mark.parametrize("what", ["refund", "opening"])
def test_a_late_server_error_does_not_reuse_an_older_key(shop: Shop, what: str) -> None:
    """The request that was sent first fails last: two more were sent meanwhile, and failed as well."""
    order = paid(shop) if what == "refund" else shop.order()
    fail_requests(shop, "POST /v1/", times=3)

    def request() -> None:
        with pytest.raises(PaymentServiceFailed):
            refund(shop, order, 100, "one") if what == "refund" else shop.open(order)

    def meanwhile(method: str, _path: str) -> None:
        if method == "POST":
            shop.transport.before = lambda _method, _path: None
            request()
            request()

    shop.transport.before = meanwhile
    request()

    assert (refund_attempts(shop) if what == "refund" else open_attempts(shop)) == {
        "one" if what == "refund" else order.reference: 3
    }


def test_the_worker_resubmits_each_orders_own_refunds(shop: Shop) -> None:
    orders = [paid(shop), paid(shop)]

    def away(method: str, _path: str) -> None:
        if method == "POST":
            raise NoAnswer

    shop.transport.before = away
    for number, order in enumerate(orders):
        with pytest.raises(PaymentUnavailable):
            refund(shop, order, 100 + number, f"of {order.reference}")
    shop.transport.before = lambda _method, _path: None
    refund(shop, paid(shop), 50, "answered")
    mail.send_due(shop.services, shop.clock())

    done = worker.run(shop.services, shop.clock())

    assert done == 4  # two refunds, and an email about each
    assert [shop.read(order.reference).payment.refunded_minor for order in orders] == [100, 101]
    made = {refund["payment_intent"]: refund["amount"] for refund in shop.stripe("GET", "/v1/refunds")["data"]}
    asked = {
        shop.read(order.reference).payment.provider_payment_id: 100 + number for number, order in enumerate(orders)
    }
    assert made.items() >= asked.items()
    assert len(made) == 3


def test_webhooks_match_refunds_whose_responses_were_lost(shop: Shop) -> None:
    order = paid(shop)

    def disconnect(method: str, _path: str) -> None:
        if method == "POST":
            raise NoAnswer

    shop.transport.after = disconnect
    for amount, key in ((100, "one"), (250, "other")):
        with pytest.raises(PaymentUnavailable):
            refund(shop, order, amount, key)
    shop.transport.after = lambda _method, _path: None
    shop.deliver()

    with shop.services.database.reading() as session:
        rows = {
            row.key: (row.amount_minor, row.state, row.provider_refund_id) for row in session.scalars(select(Refund))
        }
    made = {each["metadata"]["refund_key"]: each["id"] for each in shop.stripe("GET", "/v1/refunds")["data"]}
    assert rows == {
        "one": (100, RefundState.SUCCEEDED, made["one"]),
        "other": (250, RefundState.SUCCEEDED, made["other"]),
    }


def test_a_refund_made_elsewhere_with_a_known_key_is_another(shop: Shop) -> None:
    order = paid(shop)
    refund(shop, order, 100, "one")
    payment = shop.read(order.reference).payment.provider_payment_id or ""

    shop.stripe("POST", "/v1/refunds", {"payment_intent": payment, "amount": "50", "metadata[refund_key]": "one"})
    shop.deliver()

    assert shop.read(order.reference).payment.refunded_minor == 150


def test_a_late_payment_with_stock_for_a_part_commits_nothing(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        cart = carts.add(session, None, "stoneware-mug", 2, shop.clock())
        carts.add(session, cart, "brass-pen", 3, shop.clock())
    order = shop.place(cart)
    payment = shop.open(order)
    shop.confirm(payment)
    late_webhooks = shop.lose()
    with shop.services.database.transaction() as session:  # the order was expired without asking Stripe
        session.execute(update(Order).values(state=OrderState.EXPIRED, reservation="released"))
        session.execute(update(Product).values(reserved=0))
        session.execute(update(Product).where(Product.slug.in_(["brass-pen", "stoneware-mug"])).values(stock=2))
    before = stock(shop)

    for delivery in late_webhooks:
        shop.receive(delivery)

    assert stock(shop) == before
    assert shop.read(order.reference).payment.refund_due
