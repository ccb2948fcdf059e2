"""Answering a dispute: the evidence is drafted from what the shop knows, read by a person, and sent once."""

import re

import pytest

from store.domain.errors import DisputeNotAnswered
from store.domain.staff import Role
from store.domain.states import DisputeState
from store.gateway.port import DisputeEvidence
from store.services.history import Origin, Source
from store.services.operations import worker
from store.services.payments import evidence
from tests.support.shop import NoAnswer, Shop
from tests.support.staff import staff

DISPUTED = "4000000000000259"


def disputed(shop: Shop) -> tuple[str, str, str]:
    """An order that was shipped and is disputed, the dispute, and the page that answers it."""
    order = shop.order(2)
    shop.pay(order, DISPUTED)
    shop.deliver()
    shop.fulfil(order.reference)
    worker.run(shop.services, shop.clock())
    shop.clock.forward(minutes=1)
    shop.deliver()
    (dispute,) = shop.stripe("GET", "/v1/disputes")["data"]
    return order.reference, dispute["id"], f"/admin/orders/{order.reference}/disputes/{dispute['id']}"


def state(shop: Shop, reference: str, dispute: str) -> DisputeState:
    with shop.services.database.reading() as session:
        return evidence.find(session, reference, dispute).state


@pytest.mark.on_both_databases
def test_evidence_is_drafted_read_sent_and_won(shop: Shop) -> None:
    reference, dispute, path = disputed(shop)
    browser = staff(shop, Role.SERVICE)
    drafted = browser.get(path).text
    form = {"explanation": "winning_evidence", "tracking": "1Z 999", "shipping_address": "12 Market Street\r\nUS"}

    unread = browser.post(path, form, page=path)
    assert (unread.status_code, state(shop, reference, dispute)) == (400, DisputeState.NEEDS_RESPONSE)
    browser.post(path, {**form, "read": "y"}, page=path)
    sent = shop.stripe("GET", f"/v1/disputes/{dispute}")
    answered = state(shop, reference, dispute)
    late = browser.post(path, {**form, "read": "y"}, page="/admin/account")
    shop.clock.forward(minutes=1)
    shop.deliver()

    for known in ("2 x Cedar pencil, $8.00", "12 Market Street", "paid on", "order fulfilled", "ada@example.com"):
        assert known in drafted
    assert sent["evidence"]["shipping_tracking_number"] == "1Z 999"
    assert sent["evidence"]["shipping_address"] == "12 Market Street\nUS"
    assert (sent["evidence_details"]["submission_count"], answered) == (1, DisputeState.UNDER_REVIEW)
    assert late.location == f"/admin/orders/{reference}"
    assert state(shop, reference, dispute) is DisputeState.WON
    assert not shop.read(reference).disputed
    said = [entry for entry in shop.read(reference).history if entry.type == "dispute.answered"]
    assert [entry.actor for entry in said] == ["service@shop.example"]
    assert "Nothing is to be done" in browser.get(path).text


@pytest.mark.on_both_databases
def test_a_dispute_that_is_accepted_is_lost(shop: Shop) -> None:
    reference, dispute, path = disputed(shop)
    browser = staff(shop, Role.SERVICE)

    browser.post(f"{path}/accept", {}, page=path)

    assert state(shop, reference, dispute) is DisputeState.LOST
    assert "the money stays with the cardholder" in browser.get(f"/admin/orders/{reference}").text
    assert browser.get(f"/admin/orders/{shop.order().reference}/disputes/{dispute}").status_code == 404


def test_evidence_that_stripe_did_not_answer_is_sent_once(shop: Shop) -> None:
    reference, dispute, path = disputed(shop)
    browser = staff(shop, Role.SERVICE)
    form = {"explanation": "It was sent.", "read": "y"}

    def lost(method: str, called: str) -> None:
        if called == f"/v1/disputes/{dispute}" and method.lower() == "post":
            raise NoAnswer

    shop.transport.after = lost
    first = browser.post(path, form, page=path)
    shop.transport.after = lambda _method, _path: None
    page = browser.get(f"/admin/orders/{reference}").text
    shop.lose()
    browser.post(path, form, page=path)

    assert (first.status_code, "Stripe does not answer" in page) == (303, True)
    sent = shop.stripe("GET", f"/v1/disputes/{dispute}")
    assert sent["evidence_details"]["submission_count"] == 1
    assert state(shop, reference, dispute) is DisputeState.UNDER_REVIEW


def test_a_dispute_that_was_decided_meanwhile_takes_no_answer(shop: Shop) -> None:
    reference, dispute, _path = disputed(shop)
    shop.stripe("POST", f"/v1/disputes/{dispute}/close", {})

    with pytest.raises(DisputeNotAnswered):
        evidence.submit(
            shop.services, reference, dispute, DisputeEvidence("It was sent."), Origin(Source.STAFF, shop.clock())
        )

    page = staff(shop, Role.SERVICE).get("/admin").text
    assert re.search(r"Answer<span class=\"out-of-sight\"> the dispute of", page)
