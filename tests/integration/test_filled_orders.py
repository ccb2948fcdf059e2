"""Orders that `tools/fill_orders.py` writes are orders as the store writes them."""

import pytest
from sqlalchemy import func, select, update

from models import HistoryEntry, Order, Payment
from store.domain.states import OrderState
from store.services.operations import audit, worker
from store.services.orders import listing, search
from store.services.orders.listing import OrderFilter, Show
from store.web.presentation.timeline import SENTENCES, WITHOUT_SENTENCE
from tests.support.shop import Shop
from tools.fill_orders import fill


@pytest.mark.on_both_databases
def test_the_audit_finds_nothing_in_filled_orders(shop: Shop) -> None:
    fill(shop.services.database.engine, 2000, seed=1)

    with shop.services.database.reading() as session:
        findings = audit.run(session, shop.clock())
        states = set(session.scalars(select(Order.state)))

    assert findings == []
    assert states == set(OrderState)


@pytest.mark.on_both_databases
def test_filled_orders_leave_the_worker_nothing_to_do(shop: Shop) -> None:
    fill(shop.services.database.engine, 1000, seed=1)

    done = worker.run(shop.services, shop.clock())

    assert done == 0


@pytest.mark.on_both_databases
def test_filled_orders_follow_those_that_are_there(shop: Shop) -> None:
    before = shop.order()
    available = shop.product().available

    fill(shop.services.database.engine, 100, seed=1)
    after = shop.order()

    assert after.id == before.id + 101
    assert shop.product().available == available - 1


@pytest.mark.on_both_databases
def test_the_history_of_a_filled_order_ends_in_its_state(shop: Shop) -> None:
    fill(shop.services.database.engine, 1000, seed=1)

    with shop.services.database.reading() as session:
        last = (
            select(HistoryEntry.to_state)
            .where(HistoryEntry.order_id == Order.id, HistoryEntry.type.startswith("order."))
            .order_by(HistoryEntry.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        ends = session.execute(select(Order.state, last)).all()
        types = set(session.scalars(select(HistoryEntry.type)))

    assert [state for state, end in ends if state != end] == []
    assert types <= {*SENTENCES, *WITHOUT_SENTENCE, "mail.refused", "mail.dropped"}


def test_every_order_is_found_by_the_digits_of_its_card_once(shop: Shop) -> None:
    fill(shop.services.database.engine, 300, seed=1)
    with shop.services.database.transaction() as session:
        first = session.scalars(select(Order.id).where(Order.state == OrderState.FULFILLED).limit(1)).one()
        session.execute(update(Payment).where(Payment.order_id == first).values(card_last4="0005"))
    with shop.services.database.reading() as session:
        paid = select(Payment.order_id).where(Payment.card_last4 == "4242").distinct()
        shipped = paid.join(Order, Order.id == Payment.order_id).where(Order.state == OrderState.FULFILLED)
        everything, fulfilled = session.scalars(paid).all(), session.scalars(shipped).all()

        def found(last4: str, show: Show, oldest: bool) -> list[int]:
            ids, after = list[int](), None
            while True:
                part = listing.find(session, OrderFilter(show, search.parse(last4), oldest_first=oldest), after, 97)
                ids += [order.id for order in part.orders]
                if (after := part.after) is None:
                    return ids

        assert found("4242", Show.ALL, oldest=False) == sorted(everything, reverse=True)
        assert found("4242", Show.FULFILLED, oldest=True) == sorted(fulfilled)
        assert found("0005", Show.ALL, oldest=False) == [first]


@pytest.mark.on_both_databases
def test_the_same_seed_fills_in_the_same_orders(shop: Shop) -> None:
    engine = shop.services.database.engine
    fill(engine, 60, seed=3, now=shop.clock())
    with shop.services.database.reading() as session:
        first = session.scalars(select(Order.state).order_by(Order.id)).all()
        total = session.scalar(select(func.sum(Payment.received_minor)))

    fill(engine, 60, seed=4, now=shop.clock())

    with shop.services.database.reading() as session:
        both = session.scalars(select(Order.state).order_by(Order.id)).all()
        references = session.scalars(select(Order.reference)).all()
    assert total
    assert both[:60] == first
    assert both[60:] != first
    assert len(set(references)) == 120
