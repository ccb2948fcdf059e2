"""What is captured of an authorisation: what was asked for, once, however often and by whomever it is asked again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import stripe
from sqlalchemy import update

from models import Order
from store.domain.errors import CaptureRefusal, CaptureRefused, PaymentUnavailable
from store.domain.money import Money
from store.domain.states import OrderState, PaymentState
from store.services.history import Origin, Source
from store.services.payments import authorising, capturing
from tests.support.rows import change
from tests.support.shop import NoAnswer, Shop

MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop(usual_shop: Shop) -> Shop:
    usual_shop.clock.stop()
    usual_shop.charge_when_shipped()
    return usual_shop


def authorised(shop: Shop) -> Order:
    order = shop.order(2)
    shop.pay(order)
    shop.deliver()
    return shop.read(order.reference)


def capture(shop: Shop, order: Order, amount: Money | None) -> None:
    origin = Origin(Source.STAFF, shop.clock(), actor="Ada")
    capturing.capture_for_shipment(shop.services, order.reference, amount, origin, lambda _session, _order: None)


def refused(shop: Shop, order: Order, amount: Money | None) -> tuple[CaptureRefusal, Money | None]:
    with pytest.raises(CaptureRefused) as refusal:
        capture(shop, order, amount)
    return refusal.value.reason, refusal.value.amount


def captures(shop: Shop) -> int:
    return sum(1 for method, path in shop.transport.requests if method == "POST" and path.endswith("/capture"))


def away(_method: str, path: str) -> None:
    if path.endswith("/capture"):
        raise NoAnswer


def fails(_method: str, path: str) -> None:
    if path.endswith("/capture"):
        raise stripe.APIError("no", http_status=500)


def test_the_whole_amount_may_be_named_and_is_captured_once(shop: Shop) -> None:
    order, other = authorised(shop), authorised(shop)

    capture(shop, order, order.total)
    capture(shop, order, order.total)
    capture(shop, order, None)
    another = refused(shop, order, Money(799, "usd"))

    after = shop.read(order.reference)
    assert (after.state, after.payment.capture_minor, after.payment.received_minor) == (OrderState.PAID, 800, 800)
    assert after.payment.capture_requested_at == shop.clock()
    assert (captures(shop), another) == (1, (CaptureRefusal.NOT_AUTHORISED, None))
    assert shop.read(other.reference).payment.capture_minor is None


def test_more_than_is_authorised_is_not_captured(shop: Shop) -> None:
    order = authorised(shop)

    answers = [refused(shop, order, Money(amount, "usd")) for amount in (801, 0)]

    assert answers == [(CaptureRefusal.TOO_MUCH, Money(800, "usd"))] * 2
    capture(shop, order, Money(1, "usd"))
    assert shop.read(order.reference).payment.received_minor == 1


def test_a_currency_is_captured_in_its_smallest_steps(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(store_currency="isk", capture="on_shipping")
    order = authorised(shop)
    total = order.total

    odd = refused(shop, order, Money(total.minor - 1, "isk"))
    capture(shop, order, Money(total.minor - 100, "isk"))

    assert odd == (CaptureRefusal.NOT_A_WHOLE_STEP, Money(100, "isk"))
    assert shop.read(order.reference).payment.received_minor == total.minor - 100


def test_a_capture_is_asked_for_again_as_it_was_asked_for(shop: Shop) -> None:
    order = authorised(shop)
    capturing.resubmit(shop.services, order.reference, shop.clock())
    not_asked = captures(shop)
    shop.transport.before = away
    with pytest.raises(PaymentUnavailable):
        capture(shop, order, Money(500, "usd"))
    other_amount = refused(shop, order, Money(499, "usd"))
    for amount in (None, Money(500, "usd")):
        with pytest.raises(PaymentUnavailable):
            capture(shop, order, amount)
    waiting = shop.read(order.reference)
    shop.transport.before = lambda _method, _path: None

    capturing.resubmit(shop.services, order.reference, shop.clock())
    capturing.resubmit(shop.services, order.reference, shop.clock())

    after = shop.read(order.reference)
    assert (not_asked, other_amount) == (0, (CaptureRefusal.EARLIER_UNANSWERED, Money(500, "usd")))
    assert (waiting.payment.capture_minor, waiting.payment.capture_attempt) == (500, 1)
    assert (after.payment.received_minor, captures(shop)) == (500, 4)
    asked = [(entry.type, entry.source, entry.data) for entry in after.history if "capture" in entry.type]
    assert asked == [("payment.capture_requested", "staff", {"amount": 500})]
    assert [entry.source for entry in after.history if entry.type == "payment.paid"] == ["worker"]


def test_a_failure_is_counted_so_that_the_next_request_has_another_key(shop: Shop) -> None:
    order, other = authorised(shop), authorised(shop)
    shop.transport.before = fails

    for _ in range(2):
        with pytest.raises(PaymentUnavailable):
            capture(shop, order, Money(500, "usd"))

    payment = shop.read(order.reference).payment
    assert (payment.capture_minor, payment.capture_attempt, payment.state) == (500, 3, PaymentState.AUTHORISED)
    assert shop.read(other.reference).payment.capture_attempt == 1


def test_a_payment_that_is_not_authorised_is_not_captured(shop: Shop) -> None:
    order = authorised(shop)
    change(shop, order, payment={"state": PaymentState.OPEN})

    assert refused(shop, order, None) == (CaptureRefusal.NOT_AUTHORISED, None)
    assert captures(shop) == 0


def test_orders_whose_authorisation_ends_soon_are_counted(shop: Shop) -> None:
    orders = {name: authorised(shop) for name in ("soon", "later", "paid", "open")}
    now = shop.clock()
    with shop.services.database.transaction() as session:
        for name, order in orders.items():
            ends = now + authorising.ENDS_SOON - (timedelta() if name == "later" else MINUTE)
            session.execute(update(Order).where(Order.id == order.id).values(expires_at=ends))
        session.execute(update(Order).where(Order.id == orders["open"].id).values(authorised_at=None))
        session.execute(update(Order).where(Order.id == orders["paid"].id).values(state=OrderState.PAID))

    with shop.services.database.reading() as session:
        assert authorising.count_ending(session, now) == 1


@pytest.mark.parametrize(
    ("changed", "of_order", "noted", "moved"),
    [
        ({}, {}, True, True),
        ({"state": PaymentState.PAID, "received_minor": 800}, {}, False, False),
        ({"state": PaymentState.OPEN}, {}, True, False),
        ({}, {"authorised_at": None}, True, False),
    ],
)
def test_an_order_is_kept_as_long_as_its_authorisation_lasts(
    shop: Shop, changed: dict[str, Any], of_order: dict[str, Any], noted: bool, moved: bool
) -> None:
    order = authorised(shop)
    before, expires_at = order.payment.capture_before, order.expires_at
    if changed:
        change(shop, order, payment=changed)
    with shop.services.database.transaction() as session:
        locked = session.get_one(Order, order.id)
        for name, value in of_order.items():
            setattr(locked, name, value)
        session.flush()
        authorising.note_end(session, locked, locked.payment, shop.clock() + timedelta(days=3))

    after, until = shop.read(order.reference), shop.clock() + timedelta(days=3)
    assert after.payment.capture_before == (until if noted else before)
    assert after.expires_at == (until - timedelta(hours=2) if moved else expires_at)
