"""Whatever is done to webhooks - forged, stale, foreign, doubled, reordered, broken - orders stay true."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, text

from models import InboxEvent
from store.domain.states import OrderState
from store.webhooks.handlers import HANDLERS
from tests.support.concurrency import at_once
from tests.support.shop import WEBHOOK_SECRET, Shop, event_of, signed
from till_sandbox.webhooks.sending import Outgoing

REFUNDED = (
    b'{"object":"event","id":"evt_1","type":"refund.updated","livemode":false,"created":1,'
    b'"data":{"object":{"object":"refund"}}}'
)


def paid_order(shop: Shop) -> tuple[str, dict[str, Any]]:
    """An order that was paid at Stripe, and the event that the store has not received yet."""
    order = shop.order(2)
    shop.pay(order)
    events = [event_of(delivery) for delivery in shop.lose()]
    return order.reference, next(event for event in events if event["type"] == "payment_intent.succeeded")


@pytest.mark.on_both_databases
def test_the_same_event_delivered_twenty_times_at_once_changes_the_order_once(shop: Shop) -> None:
    reference, event = paid_order(shop)
    before = shop.product()

    answers = at_once(20, lambda _: shop.receive(signed(event)))

    assert answers == [200] * 20
    assert shop.read(reference).state is OrderState.PAID
    assert shop.history(reference).count("payment.paid") == 1
    assert shop.product().stock == before.stock - 2
    with shop.services.database.reading() as session:
        assert session.execute(select(InboxEvent.deliveries).where(InboxEvent.id == event["id"])).scalar_one() == 20


def test_two_events_for_one_fact_change_the_order_once(shop: Shop) -> None:
    reference, event = paid_order(shop)

    answers = [shop.receive(signed(event)), shop.receive(signed({**event, "id": "evt_another"}))]

    assert answers == [200, 200]
    assert shop.history(reference).count("order.payment_received") == 1


def forged(delivery: Outgoing) -> Outgoing:
    return replace(delivery, body=delivery.body.replace(b'"livemode": false', b'"livemode":false'))


def with_signature(delivery: Outgoing, signature: str) -> Outgoing:
    when = delivery.headers["Stripe-Signature"].partition(",")[0]
    return replace(delivery, headers={"Stripe-Signature": f"{when},v1={signature}"})


@pytest.mark.parametrize(
    "tamper",
    [
        pytest.param(forged, id="body changed"),
        pytest.param(lambda delivery: replace(delivery, headers={}), id="no signature"),
        pytest.param(lambda delivery: replace(delivery, headers={"Stripe-Signature": ""}), id="empty signature"),
        pytest.param(lambda delivery: replace(delivery, headers={"Stripe-Signature": "t=1,v1=x"}), id="nonsense"),
        pytest.param(lambda delivery: replace(delivery, headers={"Stripe-Signature": "t=x,v1=é"}), id="no time"),
        pytest.param(lambda delivery: with_signature(delivery, "é"), id="not even ASCII"),
        pytest.param(lambda delivery: signed(delivery.body, secret="whsec_another"), id="another secret"),
        pytest.param(lambda delivery: signed(delivery.body, age=301), id="stale"),
        pytest.param(lambda delivery: replace(delivery, body=b"\xff\xfe"), id="not text"),
        pytest.param(lambda delivery: replace(delivery, body=b""), id="nothing"),
    ],
)
def test_a_forged_webhook_is_refused_and_changes_nothing(shop: Shop, tamper: Callable[[Outgoing], Outgoing]) -> None:
    reference, event = paid_order(shop)

    answer = shop.receive(tamper(signed(event)))

    assert answer == 400
    assert shop.read(reference).state is OrderState.AWAITING_PAYMENT
    with shop.services.database.reading() as session:
        assert session.get(InboxEvent, event["id"]) is None


@pytest.mark.parametrize(
    "body",
    [
        *(b"{}", b"[]", b"null", b"3", b"not json", b'{"object":"event"}', b'{"object":"event","type":[]}'),
        REFUNDED.replace(b'"created":1', b'"created":"x"'),
        REFUNDED.replace(b'{"object":"refund"}', b"null"),
        REFUNDED,  # its object lacks all that a refund has
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(shop: Shop, body: bytes) -> None:
    assert shop.receive(signed(body)) == 400


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"object":"v2.core.event","id":"evt_1","type":"v1.payment_intent.succeeded"}', id="thin"),
        pytest.param(b'{"object":"v2.core.event","id":"evt_1","type":"v2.core.event_destination.ping"}', id="ping"),
        pytest.param(REFUNDED.replace(b"refund.updated", b"entirely.new"), id="object of an unknown shape"),
        pytest.param(b'{"object":"event","id":"evt_1","type":"entirely.new"}', id="no object"),
    ],
)
def test_a_signed_event_that_the_store_does_not_handle_is_ignored(shop: Shop, body: bytes) -> None:
    answer = shop.post_webhook(body, signed(body).headers)

    assert (answer.status_code, answer.json) == (200, {"outcome": "ignored"})


def test_an_event_of_another_account_changes_nothing(shop: Shop) -> None:
    """As an endpoint of Stripe Connect sends, which names the account; our own events name none."""
    reference, event = paid_order(shop)
    foreign = signed({**event, "account": "acct_other"})

    answer = shop.post_webhook(foreign.body, foreign.headers)

    assert (answer.status_code, answer.json) == (200, {"outcome": "ignored"})
    assert shop.read(reference).state is OrderState.AWAITING_PAYMENT
    assert shop.receive(signed(event)) == 200
    assert shop.read(reference).state is OrderState.PAID


def test_a_new_secret_and_the_old_one_are_both_good_while_it_is_rolled(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(stripe_webhook_secret=f"whsec_new,{WEBHOOK_SECRET}")
    reference, event = paid_order(shop)

    answers = [shop.receive(signed(event, secret)) for secret in ("whsec_new", WEBHOOK_SECRET, "whsec_older")]

    assert answers == [200, 200, 400]
    assert shop.read(reference).state is OrderState.PAID


def test_an_event_of_another_program_on_the_account_is_remembered_and_ignored(shop: Shop) -> None:
    shop.stripe(
        "POST",
        "/v1/payment_intents",
        {
            "amount": "700",
            "currency": "usd",
            "confirm": "true",
            "payment_method": "pm_card_visa",
            "return_url": "http://other.test/",
        },
    )

    sent = shop.deliver()

    with shop.services.database.reading() as session:
        outcomes = {row.outcome for row in session.scalars(select(InboxEvent))}
    assert len(sent) >= 3
    assert outcomes == {"ignored"}


def test_an_unknown_event_type_is_accepted(shop: Shop) -> None:
    _, event = paid_order(shop)

    assert shop.receive(signed({**event, "id": "evt_new", "type": "payment_intent.invented_next_year"})) == 200


@pytest.mark.parametrize("event_type", sorted(HANDLERS))
def test_an_event_whose_object_does_not_fit_its_type_is_ignored(shop: Shop, event_type: str) -> None:
    _, event = paid_order(shop)
    odd = {**event, "type": event_type, "data": {"object": {"id": "cus_1", "object": "customer"}}}

    answer = shop.post_webhook(signed(odd).body, signed(odd).headers)

    assert (answer.status_code, answer.json) == (200, {"outcome": "ignored"})


def test_reordered_events_end_where_the_right_order_ends(shop: Shop) -> None:
    order = shop.order()
    payment = shop.open(order)
    shop.confirm(payment, "4000000000000002")
    intent = shop.confirm(payment, "4000002500003155")
    shop.challenge(intent, "complete")
    events = shop.lose()

    for delivery in reversed(events):
        assert shop.receive(delivery) == 200

    paid = shop.read(order.reference)
    assert (paid.state, paid.payment.state.value, paid.needs_review) == (OrderState.PAID, "paid", False)


def test_the_question_of_a_bank_that_arrives_after_its_refusal_changes_nothing(shop: Shop) -> None:
    shop.clock.stop()
    order = shop.order()
    shop.challenge(shop.confirm(shop.open(order), "4000002760003184"), "fail")
    asked, refused = (
        delivery
        for delivery in shop.lose()
        if event_of(delivery)["type"] in ("payment_intent.requires_action", "payment_intent.payment_failed")
    )

    assert [shop.receive(refused), shop.receive(asked)] == [200, 200]

    payment = shop.read(order.reference).payment
    assert (payment.state.value, payment.declines) == ("declined", 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"amount_received": 1}, "wrong_amount_received"),
        ({"amount": 1, "amount_received": 1}, "wrong_amount"),
        ({"currency": "eur"}, "wrong_currency"),
        ({"livemode": True}, "wrong_mode"),
    ],
)
def test_a_payment_that_does_not_match_its_order_opens_a_review(
    shop: Shop, change: dict[str, Any], reason: str
) -> None:
    reference, event = paid_order(shop)
    event["data"]["object"].update(change)

    answers = [shop.receive(signed(event)), shop.receive(signed({**event, "id": "evt_again"}))]

    order = shop.read(reference)
    assert answers == [200, 200]
    assert (order.state, order.needs_review) == (OrderState.AWAITING_PAYMENT, True)
    assert [entry.data["reason"] for entry in order.history if entry.type == "review.opened"] == [reason]
    assert shop.product().reserved == 2


def test_a_late_decline_never_undoes_a_paid_order(shop: Shop) -> None:
    order = shop.order()
    payment = shop.open(order)
    shop.confirm(payment, "4000000000000002")
    late_webhooks = shop.lose()
    shop.confirm(payment)
    shop.deliver()

    for delivery in late_webhooks:
        shop.receive(delivery)

    paid = shop.read(order.reference)
    assert (paid.state, paid.payment.state.value) == (OrderState.PAID, "paid")


@pytest.mark.on_both_databases
def test_a_failed_handler_records_its_error_and_the_retry_succeeds(shop: Shop) -> None:
    reference, event = paid_order(shop)
    with shop.services.database.transaction() as session:  # nothing is reserved, so that committing fails
        session.execute(text("UPDATE products SET reserved = 0"))

    failed = shop.receive(signed(event))
    with shop.services.database.reading() as session:
        note = session.get_one(InboxEvent, event["id"])
    unchanged = shop.read(reference)
    with shop.services.database.transaction() as session:
        session.execute(text("UPDATE products SET reserved = 2 WHERE slug = 'cedar-pencil'"))
    repaired = shop.receive(signed(event))
    with shop.services.database.reading() as session:
        after = session.get_one(InboxEvent, event["id"])

    assert (failed, repaired) == (500, 200)
    assert (after.outcome, after.last_error, after.deliveries) == ("handled", None, 2)
    assert (note.handled_at, note.last_error) == (None, "IntegrityError")
    assert (unchanged.state, unchanged.payment.state.value) == (OrderState.AWAITING_PAYMENT, "open")
    assert shop.read(reference).state is OrderState.PAID


def test_the_sandbox_retries_a_webhook_until_the_store_answers(shop: Shop) -> None:
    order = shop.order()
    shop.pay(order)
    shop.send_to(lambda _delivery: 500)

    shop.clock.forward(minutes=2)
    shop.deliver()

    assert shop.read(order.reference).state is OrderState.PAID


@pytest.mark.on_both_databases
def test_webhook_and_look_up_at_once_record_one_payment(shop: Shop) -> None:
    reference, event = paid_order(shop)
    shop.look_up(reference)
    shop.clock.forward(seconds=10)

    def record(number: int) -> None:
        if number % 2:
            shop.look_up(reference)
        else:
            shop.receive(signed(event))

    outcomes = at_once(10, record)

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert shop.history(reference).count("order.payment_received") == 1


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_a_webhook_must_be_a_post_request(shop: Shop, method: str) -> None:
    assert getattr(shop.app.test_client(), method)("/webhooks/stripe").status_code == 405


def test_a_huge_body_is_refused_unread(shop: Shop) -> None:
    assert shop.receive(signed(b'{"x":"' + b"x" * (2 * 1024 * 1024) + b'"}')) == 413
