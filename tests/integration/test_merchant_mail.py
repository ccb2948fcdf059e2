"""The merchant hears of what a person must look at: reviews, decided disputes, warnings of fraud, Radar's reviews."""

from collections.abc import Callable
from typing import Any

import pytest

from models import Order
from store.domain.errors import PaymentUnavailable
from store.services.operations import worker
from tests.support.shop import NoAnswer, Shop, event_of, signed

OWNER = "owner@till.test"


@pytest.fixture
def shop(shop_with: Callable[..., Shop]) -> Shop:
    return shop_with(merchant_email=OWNER)


def paid(shop: Shop, number: str = "4242424242424242") -> tuple[Order, dict[str, Any]]:
    """A paid order, and the event that said so."""
    order = shop.order()
    shop.pay(order, number)
    events = [event_of(sent) for sent in shop.deliver()]
    return order, next(event for event in events if event["type"] == "payment_intent.succeeded")


def told(shop: Shop) -> list[str]:
    """The text of each mail to the merchant that the worker sends now, the subjects in alphabetical order."""
    worker.run(shop.services, shop.clock())
    texts = [file.read_text("utf-8").partition("Subject: ")[2] for file in shop.mail_folder.iterdir()]
    return sorted(text for text in texts if f"To: {OWNER}" in text)


def reviews(shop: Shop, order: Order) -> list[dict[str, Any]]:
    """What each review of the order was opened for."""
    return [dict(entry.data) for entry in shop.read(order.reference).history if entry.type == "review.opened"]


def radar(shop: Shop, event: dict[str, Any], kind: str, **more: Any) -> int:
    review = {
        "id": "prv_1", "object": "review", "open": True, "reason": "rule", "opened_reason": "rule",
        "closed_reason": None, "payment_intent": event["data"]["object"]["id"], **more,
    }  # fmt: skip
    return shop.receive(signed({**event, "id": f"evt_{kind}", "type": kind, "data": {"object": review}}))


def no_answer(_method: str, _path: str) -> None:
    raise NoAnswer


def closed(shop: Shop, event: dict[str, Any]) -> int:
    return radar(shop, event, "review.closed", open=False, reason="approved", closed_reason="approved")


def test_a_warning_of_fraud_has_a_person_look_and_tells_the_merchant(shop: Shop) -> None:
    order, _ = paid(shop, "4000000000005423")
    shop.clock.forward(seconds=10)
    shop.deliver()

    (text,) = told(shop)

    (review,) = reviews(shop, order)
    assert review.pop("subject").startswith("issfr_")
    assert review == {"reason": "early_fraud_warning", "fraud_type": "unauthorized_use_of_card", "actionable": True}
    assert text.startswith(f"Order {order.reference} waits for you\n")
    assert "takes the payment for fraud" in text
    assert f"flask resolve {order.reference}" in text
    assert f"/admin/orders/{order.reference}\n" in text


def test_a_radar_review_has_a_person_look_and_its_end_is_noted(shop: Shop) -> None:
    order, event = paid(shop)

    answers = [radar(shop, event, "review.opened"), closed(shop, event)]

    history = shop.read(order.reference).history
    assert answers == [200, 200]
    assert reviews(shop, order) == [{"reason": "risk_review", "subject": "prv_1", "because": "rule"}]
    assert [entry.data for entry in history if entry.type == "risk_review.closed"] == [
        {"subject": "prv_1", "reason": "approved"}
    ]
    subjects = [text.partition("\n")[0] for text in told(shop)]
    assert subjects == [
        f"Order {order.reference} waits for you",
        f"Stripe's review of order {order.reference} is over",
    ]


def test_a_radar_review_that_ended_before_it_was_heard_of_needs_nobody(shop: Shop) -> None:
    order, event = paid(shop)

    closed(shop, event)
    radar(shop, event, "review.opened")

    assert not shop.read(order.reference).needs_review


def test_what_is_suspected_of_a_payment_that_is_not_known_yet_is_kept(shop: Shop) -> None:
    _, event = paid(shop)
    order = shop.order()
    shop.transport.after = no_answer
    with pytest.raises(PaymentUnavailable):
        shop.open(order)
    shop.transport.after = lambda _method, _path: None
    shop.lose()
    intent = shop.stripe("GET", "/v1/payment_intents")["data"][0]
    unknown = {**event, "data": {"object": intent}}
    warning = {
        "id": "issfr_1", "object": "radar.early_fraud_warning", "actionable": False, "charge": "ch_1",
        "fraud_type": "misc", "livemode": False, "payment_intent": intent["id"],
    }  # fmt: skip
    warned = {**event, "id": "evt_2", "type": "radar.early_fraud_warning.created", "data": {"object": warning}}

    answers = [radar(shop, unknown, "review.opened"), shop.receive(signed(warned))]
    before = reviews(shop, order)
    shop.open(order)

    assert (answers, before) == ([200, 200], [])
    assert reviews(shop, order) == [
        {"reason": "risk_review", "subject": "prv_1", "because": "rule"},
        {"reason": "early_fraud_warning", "subject": "issfr_1", "fraud_type": "misc", "actionable": False},
    ]


@pytest.mark.parametrize(
    ("evidence", "state", "words"),
    [
        ("winning_evidence", "won", "decided for you: the $4.00"),
        ("losing_evidence", "lost", "decided against you: the $4.00"),
    ],
)
def test_the_merchant_is_told_how_a_dispute_ended(shop: Shop, evidence: str, state: str, words: str) -> None:
    order, _ = paid(shop, "4000000000000259")
    shop.clock.forward(seconds=10)
    shop.deliver()
    (dispute,) = shop.stripe("GET", "/v1/disputes")["data"]
    shop.stripe("POST", f"/v1/disputes/{dispute['id']}", {"evidence[uncategorized_text]": evidence, "submit": "true"})
    shop.clock.forward(minutes=5)
    shop.deliver()

    (text,) = told(shop)

    assert text.startswith(f"The dispute about order {order.reference} is {state}\n")
    assert words in text
