"""Two events about one order at the same time: the second waits for the first, and then reads what it wrote."""

import threading

import pytest
from sqlalchemy.exc import DatabaseError

from store.domain.errors import StoreBusy
from store.domain.states import PaymentState
from store.services import payments, transitions
from store.services.history import Origin, Source
from store.services.operations import audit
from store.services.payments import refunds
from tests.support.concurrency import wait_until_blocked
from tests.support.shop import FORM, Shop

pytestmark = pytest.mark.on_both_databases


def test_a_refund_reported_while_its_payment_is_recorded_counts(shop: Shop) -> None:
    order = shop.order()
    intent = shop.pay(order)
    shop.stripe("POST", "/v1/refunds", {"payment_intent": intent["id"], "amount": "100"})
    gateway, origin = shop.services.gateway, Origin(Source.WEBHOOK, shop.clock())
    payment = gateway.retrieve_payment(intent["id"]).snapshot
    (refund,) = gateway.list_refunds(order.placed_at)

    def record_the_refund() -> None:
        with shop.services.database.transaction() as session:
            refunds.record(session, refund, origin)

    other = threading.Thread(target=record_the_refund)
    with shop.services.database.transaction() as session:
        payments.record(session, shop.services, payment, origin)
        other.start()
        wait_until_blocked(session, other)
    other.join()

    assert shop.read(order.reference).payment.refunded_minor == 100
    with shop.services.database.reading() as session:
        assert audit.run(session, shop.clock()) == []


def test_a_transaction_that_waited_for_an_order_reads_its_payment_anew(shop: Shop) -> None:
    order = shop.order()
    intent = shop.pay(order)
    payment = shop.services.gateway.retrieve_payment(intent["id"]).snapshot
    read: list[PaymentState] = []

    def wait_and_read() -> None:
        with shop.services.database.transaction() as session:
            read.append(transitions.lock_by_reference(session, order.reference).payment.state)

    other = threading.Thread(target=wait_and_read)
    with shop.services.database.transaction() as session:
        payments.record(session, shop.services, payment, Origin(Source.LOOKUP, shop.clock()))
        other.start()
        wait_until_blocked(session, other)
    other.join()

    assert read == [PaymentState.PAID]


def test_two_tabs_that_place_a_first_order_at_once_both_see_it(shop: Shop) -> None:
    browser = shop.browser()
    browser.post("/cart/lines", {"slug": "cedar-pencil", "quantity": "1"}, page="/products/cedar-pencil")
    with browser.session() as before:
        cookie = dict(before)

    def place() -> str:
        """As a tab that was open before the other one placed the order."""
        with browser.session() as session:
            session.clear()
            session.update(cookie)
        return browser.post("/checkout", FORM, page="/checkout").location

    first, second = place(), place()

    assert first == second
    assert browser.get(second).status_code == 200


def test_a_database_connection_lost_during_a_query_is_busy(shop: Shop) -> None:
    """The driver calls that a plain DatabaseError, and says beside it that the connection is gone."""
    gone = DatabaseError("SELECT 1", None, Exception("server closed the connection"), connection_invalidated=True)

    with pytest.raises(StoreBusy), shop.services.database.transaction():
        raise gone
