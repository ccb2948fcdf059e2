"""Webhooks: signed so that the official library takes them, written down first, tried again until they are taken."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stripe
from flask.testing import FlaskClient

from till_sandbox.api.keys import account_of
from till_sandbox.app import create_app
from till_sandbox.sandbox import Sandbox
from till_sandbox.state import Resource
from till_sandbox.testing import Endpoint, ManualClock, connect
from till_sandbox.webhooks import Outgoing, send_over_http

URL = "http://shop.example/webhooks"


@pytest.fixture
def listening(client: stripe.StripeClient) -> stripe.WebhookEndpoint:
    return client.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["*"]})


@pytest.fixture
def started(sandbox: Sandbox) -> Iterator[Sandbox]:
    """A sandbox that does what is due by itself."""
    sandbox.start()
    yield sandbox
    sandbox.stop()


def make_event(client: stripe.StripeClient) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create({"amount": 500, "currency": "usd"}, {"idempotency_key": "the-key"})


def test_an_event_arrives_signed(
    client: stripe.StripeClient, sandbox: Sandbox, endpoint: Endpoint, listening: stripe.WebhookEndpoint
) -> None:
    intent = make_event(client)

    sandbox.deliver_due()

    (sent,) = endpoint.received
    assert sent.url == URL
    assert stripe.WebhookSignature.verify_header(sent.body, sent.headers["Stripe-Signature"], str(listening.secret))
    event = json.loads(sent.body)
    assert (event["type"], event["data"]["object"]["id"]) == ("payment_intent.created", intent.id)
    assert event["request"]["idempotency_key"] == "the-key"
    assert event["request"]["id"].startswith("req_")
    assert event["pending_webhooks"] == 1
    assert client.v1.events.retrieve(event["id"]).pending_webhooks == 0


def test_an_event_comes_in_the_version_of_its_endpoint(
    client: stripe.StripeClient, sandbox: Sandbox, endpoint: Endpoint
) -> None:
    client.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["*"], "api_version": "2026-08-26.dahlia"})
    make_event(client)

    sandbox.deliver_due()

    (event,) = endpoint.events
    assert event["api_version"] == "2026-08-26.dahlia"
    assert client.v1.events.retrieve(event["id"]).api_version == "2026-10-28.endive"


def test_another_secret_does_not_fit(
    client: stripe.StripeClient, sandbox: Sandbox, endpoint: Endpoint, listening: stripe.WebhookEndpoint
) -> None:
    make_event(client)

    sandbox.deliver_due()

    (sent,) = endpoint.received
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(sent.body, sent.headers["Stripe-Signature"], "whsec_other")


def test_two_secrets_mean_two_signatures(sandbox: Sandbox, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    sandbox.forward("sk_test_contract", URL, ["whsec_old", "whsec_new"])
    make_event(client)

    sandbox.deliver_due()

    (sent,) = endpoint.received
    for secret in ("whsec_old", "whsec_new"):
        assert stripe.WebhookSignature.verify_header(sent.body, sent.headers["Stripe-Signature"], secret)


def test_forwarding_twice_keeps_one_endpoint(sandbox: Sandbox, client: stripe.StripeClient) -> None:
    sandbox.forward("sk_test_contract", URL, ["whsec_a"])
    sandbox.forward("sk_test_contract", URL, ["whsec_b"])

    assert len(client.v1.webhook_endpoints.list().data) == 1


@pytest.mark.parametrize("refusal", [500, 302, 404, None])
def test_what_is_not_taken_is_tried_again_with_longer_waits(
    client: stripe.StripeClient,
    sandbox: Sandbox,
    clock: ManualClock,
    endpoint: Endpoint,
    listening: stripe.WebhookEndpoint,
    refusal: int | None,
) -> None:
    endpoint.answers = [refusal, refusal, refusal]
    make_event(client)

    attempts = []
    for _ in range(20):
        attempts.append(sandbox.deliver_due())
        clock.advance(1)

    assert [second for second, made in enumerate(attempts) if made] == [0, 1, 3, 7]
    headers = [sent.headers["Stripe-Signature"] for sent in endpoint.received]
    assert len(set(headers)) == 4
    assert len({sent.body for sent in endpoint.received}) == 1


def test_only_the_types_asked_for_are_sent(client: stripe.StripeClient, sandbox: Sandbox, endpoint: Endpoint) -> None:
    client.v1.webhook_endpoints.create({"url": URL, "enabled_events": ["payment_intent.succeeded"]})

    client.v1.payment_intents.create(
        {"amount": 500, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
    )
    sandbox.deliver_due()

    assert endpoint.types == ["payment_intent.succeeded"]


def test_a_restart_sends_what_was_on_its_way(tmp_path: Path, clock: ManualClock) -> None:
    before, after = Endpoint(answers=[500]), Endpoint()
    first = create_app(tmp_path / "state.sqlite3", clock=clock, send=before)
    first.extensions["sandbox"].forward("sk_test_contract", URL, ["whsec_a"])
    make_event(connect(first))
    first.extensions["sandbox"].deliver_due()
    first.extensions["sandbox"].stop()

    second = create_app(tmp_path / "state.sqlite3", clock=clock, send=after)
    clock.advance(2)
    second.extensions["sandbox"].deliver_due()
    second.extensions["sandbox"].stop()

    assert after.types == ["payment_intent.created"]


def test_an_event_can_be_sent_again(
    http: FlaskClient,
    client: stripe.StripeClient,
    sandbox: Sandbox,
    endpoint: Endpoint,
    listening: stripe.WebhookEndpoint,
) -> None:
    make_event(client)
    sandbox.deliver_due()
    event_id = client.v1.events.list().data[0].id

    assert http.post(f"/v1/events/{event_id}/retry", data={"webhook_endpoint": listening.id}).status_code == 200
    sandbox.deliver_due()

    assert [event["id"] for event in endpoint.events] == [event_id, event_id]


def test_a_disabled_or_deleted_endpoint_gets_nothing(
    client: stripe.StripeClient, sandbox: Sandbox, endpoint: Endpoint, listening: stripe.WebhookEndpoint
) -> None:
    client.v1.webhook_endpoints.update(listening.id, {"disabled": True})
    make_event(client)
    client.v1.webhook_endpoints.update(listening.id, {"disabled": False})
    client.v1.payment_intents.create({"amount": 600, "currency": "usd"})
    client.v1.webhook_endpoints.delete(listening.id)

    sandbox.deliver_due()

    assert endpoint.received == []
    with pytest.raises(stripe.InvalidRequestError, match="No such webhook endpoint"):
        client.v1.webhook_endpoints.retrieve(listening.id)


def test_events_are_found_by_type_and_by_delivery(
    client: stripe.StripeClient,
    sandbox: Sandbox,
    clock: ManualClock,
    endpoint: Endpoint,
    listening: stripe.WebhookEndpoint,
) -> None:
    make_event(client)
    sandbox.deliver_due()
    clock.advance(10)
    endpoint.answers = [500, 500]
    client.v1.payment_intents.cancel(client.v1.payment_intents.list().data[0].id)
    sandbox.deliver_due()

    def types(**query: object) -> list[str]:
        return [event.type for event in client.v1.events.list(query).data]  # type: ignore[arg-type]  # built by name

    assert types(delivery_success=True) == ["payment_intent.created"]
    assert types(delivery_success=False) == ["payment_intent.canceled"]
    assert types(type="payment_intent.*") == ["payment_intent.canceled", "payment_intent.created"]
    assert types(types=["payment_intent.created", "charge.failed"]) == ["payment_intent.created"]
    assert types(created={"gte": int(clock.now())}) == ["payment_intent.canceled"]


def test_deliveries_go_out_by_themselves_once_started(
    client: stripe.StripeClient,
    started: Sandbox,
    endpoint: Endpoint,
    listening: stripe.WebhookEndpoint,
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    make_event(client)

    eventually(lambda: endpoint.types == ["payment_intent.created"])


@pytest.mark.parametrize(
    "url", ["http://[::/", "http://exa mple/", "http://127.0.0.1:99999/", "http://\udcff.example/"]
)
def test_an_address_that_is_nonsense_is_no_answer(url: str) -> None:
    answer = send_over_http(Outgoing(url, b"{}", {}))

    assert (answer.status, answer.delivered) == (None, False)


def test_what_cannot_be_done_now_does_not_hold_up_the_rest(
    client: stripe.StripeClient, sandbox: Sandbox, later: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    with sandbox.state.write(account_of("sk_test_contract")) as tx:
        intent = tx.insert(Resource({"id": "ch_broken", "object": "charge", "balance_transaction": None}))
        tx.schedule("book_charge", intent.id, after=0)
        tx.schedule("book_charge", "ch_gone", after=0)
    client.v1.payment_intents.create(
        {"amount": 500, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
    )

    later(2)

    assert client.v1.events.list({"type": "charge.updated"}).data
    assert "book_charge is put off" in caplog.text
