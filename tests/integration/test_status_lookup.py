"""While a shopper waits, Stripe is asked: not before a webhook could arrive, and for each order separately."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from models import InboxEvent
from store.services.operations import worker
from tests.support.shop import Shop

SECOND = timedelta(seconds=1)


def count_requests(shop: Shop) -> int:
    """How many requests Stripe got since this was last called."""
    count = len(shop.transport.requests)
    shop.transport.requests.clear()
    return count


@pytest.mark.on_both_databases
def test_stripe_is_asked_after_five_seconds_and_every_five_seconds_from_then_on(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    begun, requests = shop.clock(), {}
    count_requests(shop)

    for seconds in (0, 1, 4, 5, 6, 9, 10, 11, 15):
        shop.look_up(order.reference, begun + seconds * SECOND)
        requests[seconds] = count_requests(shop)

    assert requests == {0: 0, 1: 0, 4: 0, 5: 1, 6: 0, 9: 0, 10: 1, 11: 0, 15: 1}


def test_each_order_has_its_own_look_up_interval(shop: Shop) -> None:
    first, second = shop.order(), shop.order()
    for order in (first, second):
        shop.open(order)
    begun = shop.clock()
    shop.look_up(first.reference, begun)
    count_requests(shop)

    shop.look_up(second.reference, begun + 5 * SECOND)
    too_early = count_requests(shop)
    shop.look_up(first.reference, begun + 10 * SECOND)
    of_the_first = count_requests(shop)
    shop.look_up(second.reference, begun + 10 * SECOND)

    assert (too_early, of_the_first, count_requests(shop)) == (0, 1, 1)


def test_no_look_up_is_made_for_an_unopened_or_decided_payment(shop: Shop) -> None:
    unopened, paid = shop.order(), shop.order()
    shop.pay(paid)
    shop.deliver()
    begun = shop.clock()
    count_requests(shop)

    for order in (unopened, paid):
        for seconds in (0, 6):
            shop.look_up(order.reference, begun + seconds * SECOND)

    assert count_requests(shop) == 0


def test_the_history_names_the_look_up_as_its_source(shop: Shop) -> None:
    order = shop.order(2)
    shop.pay(order)
    shop.lose()
    begun = shop.clock()

    for seconds in (0, 5):
        shop.look_up(order.reference, begun + seconds * SECOND)

    history = [(entry.type, entry.source, entry.at) for entry in shop.read(order.reference).history[2:]]
    then = begun + 5 * SECOND
    assert history == [("payment.paid", "lookup", then), ("order.payment_received", "lookup", then)]
    assert shop.read(order.reference).payment.card_last4 == "4242"


@pytest.mark.on_both_databases
def test_each_failed_event_has_its_own_error(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        session.add(InboxEvent(id="evt_1", type="charge.succeeded", received_at=shop.clock(), last_error="KeyError"))
    shop.pay(shop.order(2))
    with shop.services.database.transaction() as session:  # the reserved stock is gone, so that committing it fails
        session.execute(text("UPDATE products SET reserved = 0"))

    shop.deliver()

    with shop.services.database.reading() as session:
        failed = select(InboxEvent).where(InboxEvent.last_error.is_not(None))
        errors = {event.id: (event.type, event.last_error) for event in session.scalars(failed)}
    assert errors.pop("evt_1") == ("charge.succeeded", "KeyError")
    assert list(errors.values()) == [("payment_intent.succeeded", "IntegrityError")]


def test_the_worker_counts_what_it_did(shop: Shop) -> None:
    orders = [shop.order() for _ in range(3)]
    shop.clock.forward(minutes=31)

    expired = worker.run(shop.services, shop.clock())

    assert expired == len(orders)
    assert worker.run(shop.services, shop.clock()) == 0
