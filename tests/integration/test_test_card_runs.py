"""The test-card page tries cards on orders of its own, takes no stock from shoppers, and keeps each result."""

from datetime import datetime

import pytest
from sqlalchemy import text, update

from models import Order, Product
from store.domain.errors import NotFound
from store.domain.states import OrderState, PaymentState
from store.services import transitions
from store.services.history import Origin, Source
from store.services.orders import reviews
from store.testmode import runs
from store.testmode.test_cards import Scenario, scenario
from store.webhooks.handlers import HANDLERS
from tests.support.shop import Shop

PAYS, DECLINED = "success-4242424242424242", "decline-4000000000009995"


def chosen(key: str) -> Scenario:
    found = scenario(key)
    assert found
    return found


def place(shop: Shop, browser_id: str = "mine", key: str = PAYS) -> Order:
    return runs.place(shop.services, browser_id, chosen(key), shop.clock())


def note(shop: Shop, order: Order, passed: bool, key: str = PAYS, at: datetime | None = None) -> None:
    runs.note(shop.services, order.reference, chosen(key), passed, {"read": "Payment received"}, at or shop.clock())


def scenario_of(shop: Shop, reference: str, browser_id: str | None) -> Scenario:
    with shop.services.database.reading() as session:
        return runs.scenario_of(session, reference, browser_id)


def results(shop: Shop) -> dict[str, runs.Result]:
    with shop.services.database.reading() as session:
        return runs.results(session)


def price(shop: Shop, **products: tuple[int, int]) -> None:
    """Give these products a price and a stock, and all others too high a price to be chosen."""
    with shop.services.database.transaction() as session:
        session.execute(update(Product).values(price_minor=9999, stock=100))
        for slug, (minor, stock) in products.items():
            session.execute(
                update(Product).where(Product.slug == slug.replace("_", "-")).values(price_minor=minor, stock=stock)
            )


def slug_of(shop: Shop, order: Order) -> str:
    (line,) = shop.read(order.reference).lines
    assert line.quantity == 1
    return line.slug


def test_a_test_card_order_names_its_scenario(shop: Shop) -> None:
    order = place(shop)

    placed = shop.read(order.reference)
    assert [(entry.type, entry.source, entry.data) for entry in placed.history[1:]] == [
        ("test_card.placed", "store", {"scenario": PAYS})
    ]
    assert (placed.shipping, placed.email) == (runs.CUSTOMER.shipping, runs.CUSTOMER.email)
    assert scenario_of(shop, order.reference, "mine") == chosen(PAYS)


def test_only_its_own_browser_runs_a_test_card_order(shop: Shop) -> None:
    mine, theirs = place(shop), place(shop, "theirs", DECLINED)
    ordinary = shop.place(shop.cart(), browser_id="mine")

    assert scenario_of(shop, theirs.reference, "theirs") == chosen(DECLINED)
    for reference, browser_id in (
        (mine.reference, "theirs"),
        (mine.reference, None),
        (theirs.reference, "mine"),
        (ordinary.reference, "mine"),
        ("NO-SUCH-ORDER", "mine"),
    ):
        with pytest.raises(NotFound):
            scenario_of(shop, reference, browser_id)


@pytest.mark.parametrize(("pencil", "mug", "taken"), [(300, 200, "stoneware-mug"), (200, 300, "cedar-pencil")])
def test_the_cheapest_product_with_enough_stock_is_taken(shop: Shop, pencil: int, mug: int, taken: str) -> None:
    price(shop, brass_pen=(100, 9), cedar_pencil=(pencil, 10), stoneware_mug=(mug, 10))

    assert slug_of(shop, place(shop)) == taken


def test_reserved_pieces_do_not_count_as_stock(shop: Shop) -> None:
    price(shop, stoneware_mug=(100, 10), cedar_pencil=(300, 10))
    shop.order(1, "stoneware-mug")

    assert slug_of(shop, place(shop)) == "cedar-pencil"


def test_without_enough_stock_the_largest_stock_is_taken(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        session.execute(update(Product).values(price_minor=500, stock=2))
        session.execute(update(Product).where(Product.slug == "brass-pen").values(price_minor=9000, stock=5))

    assert slug_of(shop, place(shop)) == "brass-pen"


def test_a_new_run_cancels_the_unpaid_order_of_the_last_one(shop: Shop) -> None:
    first, theirs = place(shop), place(shop, "theirs")
    ordinary = shop.place(shop.cart(), browser_id="mine")
    paid = place(shop)
    shop.pay(paid)
    shop.deliver()

    place(shop)

    states = [shop.read(order.reference).state for order in (first, theirs, ordinary, paid)]
    assert states == [
        OrderState.CANCELLED,
        OrderState.AWAITING_PAYMENT,
        OrderState.AWAITING_PAYMENT,
        OrderState.PAID,
    ]


def test_a_result_is_recorded_once_and_its_piece_restocked(shop: Shop) -> None:
    before = shop.product().stock
    order = place(shop)
    assert slug_of(shop, order) == "cedar-pencil"
    shop.pay(order)
    shop.deliver()
    after_paying = shop.product().stock

    note(shop, order, passed=True)
    note(shop, order, passed=False)

    assert (after_paying, shop.product().stock) == (before - 1, before)
    noted = [entry for entry in shop.read(order.reference).history if entry.type == "test_card.noted"]
    assert [(entry.source, entry.data) for entry in noted] == [
        ("store", {"scenario": PAYS, "passed": True, "read": "Payment received"})
    ]


def test_a_run_that_committed_no_stock_restocks_nothing(shop: Shop) -> None:
    before = shop.product().stock
    order = place(shop, key=DECLINED)

    note(shop, order, passed=True, key=DECLINED)

    assert (shop.product().stock, shop.product().reserved) == (before, 1)


def test_the_last_run_of_each_scenario_is_its_result(shop: Shop) -> None:
    first, second, declined = place(shop), place(shop, "theirs"), place(shop, "third", DECLINED)
    now = shop.clock()
    note(shop, declined, passed=True, key=DECLINED, at=now)
    note(shop, first, passed=True, at=now)
    note(shop, second, passed=False, at=now)

    found = results(shop)

    assert set(found) == {PAYS, DECLINED}
    assert (found[PAYS].reference, found[PAYS].browser_id) == (second.reference, "theirs")
    assert (found[PAYS].passed, found[PAYS].at) == (False, now)
    assert found[PAYS].got == {"scenario": PAYS, "passed": False, "read": "Payment received"}
    assert (found[DECLINED].reference, found[DECLINED].passed) == (declined.reference, True)


def test_results_are_searched_among_the_last_history_entries_only(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = place(shop), place(shop, "theirs", DECLINED)
    note(shop, first, passed=True)
    note(shop, second, passed=True, key=DECLINED)

    monkeypatch.setattr(runs, "REMEMBERED", 1)

    assert set(results(shop)) == {DECLINED}


def test_an_event_that_could_not_be_handled_is_waited_for(shop: Shop) -> None:
    order = place(shop)
    shop.pay(order)
    with shop.services.database.transaction() as session:
        session.execute(text("UPDATE products SET reserved = 0"))  # nothing can be committed that is not reserved
    shop.clock.forward(seconds=5)
    shop.deliver()

    seen = runs.observe(shop.services, order.reference, HANDLERS)

    assert seen.events == ("charge.succeeded", "charge.updated")


def test_an_observation_shows_the_current_state_of_an_order(shop: Shop) -> None:
    order, other = place(shop), place(shop, "theirs")
    before = runs.observe(shop.services, order.reference, HANDLERS)
    shop.pay(order)
    shop.pay(other, "4000000000009995")
    without_webhook = runs.observe(shop.services, order.reference, HANDLERS)
    shop.clock.forward(seconds=5)
    shop.deliver()
    observed = runs.observe(shop.services, order.reference, HANDLERS)

    assert (before.events, before.order, before.payment) == ((), OrderState.AWAITING_PAYMENT, PaymentState.UNOPENED)
    assert "payment_intent.succeeded" not in without_webhook.events
    assert observed.events == ("charge.succeeded", "charge.updated", "payment_intent.succeeded")
    assert (observed.order, observed.payment, observed.disputed, observed.needs_review) == (
        OrderState.PAID,
        PaymentState.PAID,
        False,
        False,
    )
    assert observed.matches(chosen(PAYS))
    assert not observed.matches(chosen(DECLINED))
    assert not without_webhook.matches(chosen(PAYS))


@pytest.mark.parametrize("flag", ["disputed", "needs_review"])
def test_a_flag_that_nobody_expected_is_no_match(shop: Shop, flag: str) -> None:
    order = place(shop)
    shop.pay(order)
    shop.clock.forward(seconds=5)
    shop.deliver()
    assert runs.observe(shop.services, order.reference, HANDLERS).matches(chosen(PAYS))
    with shop.services.database.transaction() as session:
        locked = transitions.lock_by_reference(session, order.reference)
        if flag == "disputed":
            transitions.write(session, locked, {"disputed": True})
        else:
            reviews.open_review(session, locked, "refund_failed", Origin(Source.WEBHOOK, shop.clock()))

    seen = runs.observe(shop.services, order.reference, HANDLERS)

    assert (seen.disputed, seen.needs_review) == (flag == "disputed", flag == "needs_review")
    assert not seen.matches(chosen(PAYS))


def test_an_order_that_is_not_there_cannot_be_observed(shop: Shop) -> None:
    with pytest.raises(NotFound):
        runs.observe(shop.services, "NO-SUCH-ORDER", HANDLERS)


def test_a_test_card_order_is_refunded_whole_and_once(shop: Shop) -> None:
    order = place(shop)
    shop.pay(order)
    shop.deliver()

    runs.refund(shop.services, order.reference, shop.clock())
    runs.refund(shop.services, order.reference, shop.clock())

    after = shop.read(order.reference)
    assert (after.state, after.payment.refunded_minor) == (OrderState.REFUNDED, after.total_minor)
    assert len(shop.stripe("GET", "/v1/refunds")["data"]) == 1
    assert {entry.source for entry in after.history if entry.type.startswith("refund.")} == {"store"}
