"""A dispute flags its order, whoever reports it and in whatever order, and notifies the merchant once."""

import copy
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from models import Dispute, InboxEvent, Mail, UnmatchedEvent
from store.domain.states import DisputeEvent, DisputeState, OrderState
from store.gateway.port import DisputeSnapshot
from store.services import reconciliation
from tests.support.shop import Shop, event_of, signed


def disputed(shop: Shop, number: str) -> str:
    order = shop.order(2)
    shop.pay(order, number)
    shop.deliver()
    shop.clock.forward(seconds=5)
    shop.deliver()
    return order.reference


def answer(shop: Shop, evidence: str) -> None:
    dispute = shop.stripe("GET", "/v1/disputes")["data"][0]["id"]
    shop.stripe("POST", f"/v1/disputes/{dispute}", {"evidence[uncategorized_text]": evidence})
    shop.deliver()
    shop.clock.forward(minutes=1)
    shop.deliver()


def states(shop: Shop) -> list[DisputeState]:
    with shop.services.database.reading() as session:
        return [dispute.state for dispute in session.query(Dispute)]


@pytest.mark.parametrize(
    ("number", "state"),
    [("4000000000000259", DisputeState.NEEDS_RESPONSE), ("4000000000001976", DisputeState.INQUIRY)],
)
def test_a_dispute_flags_the_order_and_notifies_the_merchant(shop: Shop, number: str, state: DisputeState) -> None:
    reference = disputed(shop, number)

    order = shop.read(reference)
    assert (order.state, order.disputed) == (OrderState.PAID, True)
    assert states(shop) == [state]
    with shop.services.database.reading() as session:
        emails = [(mail.kind, mail.dedupe_key) for mail in session.query(Mail).order_by(Mail.id)]
        dispute = session.query(Dispute).one().provider_dispute_id
    assert emails == [("order_paid", "order_paid"), ("dispute_opened", f"dispute:{dispute}")]


@pytest.mark.parametrize(
    ("evidence", "state", "flagged"),
    [("winning_evidence", DisputeState.WON, False), ("losing_evidence", DisputeState.LOST, True)],
)
def test_the_flag_follows_the_end_of_the_dispute(shop: Shop, evidence: str, state: DisputeState, flagged: bool) -> None:
    reference = disputed(shop, "4000000000000259")

    answer(shop, evidence)

    assert states(shop) == [state]
    assert shop.read(reference).disputed is flagged


def test_a_won_dispute_clears_the_flag_of_its_own_order_only(shop: Shop) -> None:
    standing, won = (disputed(shop, "4000000000000259") for _ in range(2))

    answer(shop, "winning_evidence")

    assert (shop.read(won).disputed, shop.read(standing).disputed) == (False, True)


@pytest.mark.parametrize("seed", range(4))
def test_dispute_events_in_any_order_end_the_same(shop: Shop, seed: int) -> None:
    order = shop.order()
    shop.pay(order, "4000000000000259")
    shop.deliver()
    shop.clock.forward(seconds=5)
    events = shop.lose()
    dispute = shop.stripe("GET", "/v1/disputes")["data"][0]["id"]
    shop.stripe("POST", f"/v1/disputes/{dispute}", {"evidence[uncategorized_text]": "winning_evidence"})
    events += shop.lose()
    shop.clock.forward(minutes=1)
    events += shop.lose()
    deliveries = events * 2
    random.Random(seed).shuffle(deliveries)  # a shuffle, not a secret

    assert {shop.receive(delivery) for delivery in deliveries} == {200}

    assert states(shop) == [DisputeState.WON]
    assert shop.read(order.reference).disputed is False


def test_every_event_of_a_known_dispute_is_handled(shop: Shop) -> None:
    """Delivered in order and then backwards, so that the second time each of them is stale."""
    order = shop.order()
    shop.pay(order, "4000000000000259")
    shop.deliver()
    shop.clock.forward(seconds=5)
    deliveries = [delivery for delivery in shop.lose() if event_of(delivery)["type"].startswith("charge.dispute.")]
    events = [event_of(delivery) for delivery in deliveries]

    answers = [shop.receive(delivery) for delivery in deliveries]
    answers += [shop.receive(signed({**event, "id": f"{event['id']}_again"})) for event in reversed(events)]

    assert len(answers) >= 4
    assert set(answers) == {200}
    with shop.services.database.reading() as session:
        rows = session.query(InboxEvent).filter(InboxEvent.type.startswith("charge.dispute."))
        assert {row.outcome for row in rows} == {"handled"}
        assert session.query(UnmatchedEvent).all() == []


def decided(shop: Shop, first: str) -> tuple[str, dict[str, Any]]:
    """An order whose dispute is decided, with Stripe's status for it, and the event that reported it."""
    reference = disputed(shop, "4000000000000259")
    dispute = shop.stripe("GET", "/v1/disputes")["data"][0]["id"]
    evidence = {"won": "winning_evidence", "lost": "losing_evidence"}[first]
    shop.stripe("POST", f"/v1/disputes/{dispute}", {"evidence[uncategorized_text]": evidence})
    shop.deliver()
    shop.clock.forward(minutes=1)
    [closed] = [each for each in shop.lose() if event_of(each)["type"] == "charge.dispute.closed"]
    assert shop.receive(closed) == 200
    return reference, event_of(closed)


def report_again(shop: Shop, event: dict[str, Any], status: str, name: str) -> int:
    changed = copy.deepcopy(event)
    changed["data"]["object"]["status"] = status
    return shop.receive(signed({**changed, "id": name}))


def contradictions(shop: Shop, reference: str) -> list[dict[str, Any]]:
    return [entry.data for entry in shop.read(reference).history if entry.type == "review.opened"]


@pytest.mark.parametrize(("first", "second"), [("lost", "won"), ("won", "lost")])
def test_a_reversed_decision_opens_a_review_and_reconciliation_follows_it(
    shop: Shop, first: str, second: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, event = decided(shop, first)

    assert [report_again(shop, event, second, name) for name in ("evt_1", "evt_2")] == [200, 200]

    dispute = event["data"]["object"]["id"]
    data = {"reason": "dispute_contradicted", "subject": dispute, "known": first, "reported": second}
    assert contradictions(shop, reference) == [data]
    assert shop.read(reference).needs_review
    assert states(shop) == [DisputeState(first)], "which of the two is newer is not known yet"

    shop.clock.forward(days=60)
    find = shop.services.gateway.find_dispute

    def reversed_since(_gateway: object, name: str) -> DisputeSnapshot | None:
        found = find(name)
        return found and replace(found, event=DisputeEvent(second))

    monkeypatch.setattr(type(shop.services.gateway), "find_dispute", reversed_since)
    reconciliation.repair(shop.services, shop.clock() - timedelta(days=1), shop.clock())

    assert states(shop) == [DisputeState(second)]
    assert shop.read(reference).disputed is (second == "lost")
    assert shop.history(reference)[-1] == f"dispute.{second}_after_all"


def test_an_appeal_keeps_a_lost_dispute_lost_until_it_is_won(shop: Shop) -> None:
    reference, event = decided(shop, "lost")

    for status in ("appeal_needs_response", "appeal_under_review"):
        assert report_again(shop, event, status, f"evt_{status}") == 200

    assert (states(shop), contradictions(shop, reference)) == ([DisputeState.LOST], [])
    assert shop.read(reference).disputed
