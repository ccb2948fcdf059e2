"""What Stripe's objects mean to the store, field by field."""

from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from store.domain.errors import Detail
from store.domain.states import PaymentEvent
from store.gateway.port import FraudWarningSnapshot, HostedPageSnapshot, PaymentSnapshot, RiskReviewSnapshot
from store.gateway.stripe.mapping import detail_of, event_of, is_of_own_account, snapshot_of
from store.gateway.stripe.webhooks import readable

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
INTENT: dict[str, Any] = {
    "id": "pi_1",
    "object": "payment_intent",
    "amount": 700,
    "amount_received": 0,
    "currency": "usd",
    "livemode": False,
    "status": "requires_payment_method",
}


CHECKOUT: dict[str, Any] = {
    "id": "cs_1",
    "object": "checkout.session",
    "mode": "payment",
    "status": "complete",
    "payment_status": "unpaid",
    "payment_intent": "pi_1",
    "amount_total": 700,
    "currency": "usd",
    "livemode": False,
    "metadata": {"order_reference": "ABCD", "payment_number": "7"},
}


def event(type: str, object: dict[str, Any]) -> dict[str, Any]:  # noqa: A002  # as Stripe names them
    created = int(NOW.timestamp())
    return {"id": "evt_1", "type": type, "livemode": False, "created": created, "data": {"object": object}}


@pytest.mark.parametrize(
    "status", ["requires_source", "requires_source_action", "requires_reauthorization", "of_next_year"]
)
def test_a_status_that_the_store_does_not_know_says_nothing(status: str) -> None:
    assert snapshot_of({**INTENT, "status": status}, NOW).event is None


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("requires_payment_method", PaymentEvent.OPENED),
        ("requires_confirmation", PaymentEvent.OPENED),
        ("requires_action", PaymentEvent.ACTION_REQUIRED),
        ("processing", PaymentEvent.PROCESSING),
        ("requires_capture", PaymentEvent.AUTHORISED),
        ("succeeded", PaymentEvent.PAID),
        ("canceled", PaymentEvent.CANCELLED),
    ],
)
def test_every_status_of_a_card_payment_is_known(status: str, meaning: PaymentEvent) -> None:
    assert snapshot_of({**INTENT, "status": status}, NOW).event is meaning


def test_a_snapshot_of_an_event_is_as_old_as_the_event() -> None:
    parsed = event_of(event("payment_intent.processing", INTENT))

    assert isinstance(parsed.object, PaymentSnapshot)
    assert parsed.object.observed_at == parsed.created == NOW


def test_an_early_fraud_warning_names_the_payment_it_is_about() -> None:
    warning = {
        "id": "issfr_1",
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": "ch_1",
        "created": 1,
        "fraud_type": "made_with_stolen_card",
        "livemode": False,
        "payment_intent": "pi_1",
    }

    parsed = event_of(event("radar.early_fraud_warning.created", warning))

    assert parsed.object == FraudWarningSnapshot("issfr_1", "pi_1", True, "made_with_stolen_card")


@pytest.mark.parametrize(
    ("change", "is_open", "reason"),
    [
        ({"open": True, "reason": "rule"}, True, "rule"),
        ({"open": False, "reason": "approved", "closed_reason": "approved"}, False, "approved"),
        ({"open": False, "reason": "refunded_as_fraud", "closed_reason": None}, False, "refunded_as_fraud"),
    ],
)
def test_a_review_of_the_payment_service_says_whether_it_is_open_and_why(
    change: dict[str, Any], is_open: bool, reason: str
) -> None:
    review = {"id": "prv_1", "object": "review", "opened_reason": "rule", "payment_intent": "pi_1", **change}

    parsed = event_of(event("review.opened", review))

    assert parsed.object == RiskReviewSnapshot("prv_1", "pi_1", is_open, reason)


def test_a_listed_event_that_cannot_be_read_stops_no_other() -> None:
    with capture_logs() as log:
        assert readable(event("payment_intent.succeeded", {"object": "payment_intent"})) is None

    assert [(line["event"], line["event_id"]) for line in log] == [("event not readable", "evt_1")]


@pytest.mark.parametrize(("named", "own"), [({}, True), ({"account": None}, True), ({"account": "acct_1"}, False)])
def test_only_an_event_of_another_account_names_its_account(named: dict[str, Any], own: bool) -> None:
    assert is_of_own_account({**event("payment_intent.succeeded", INTENT), **named}) is own


@pytest.mark.parametrize(
    ("type_", "changes", "meaning"),
    [
        ("completed", {"payment_status": "paid"}, PaymentEvent.PAID),
        ("completed", {}, PaymentEvent.PROCESSING),
        ("async_payment_succeeded", {"payment_status": "paid"}, PaymentEvent.PAID),
        ("async_payment_failed", {}, PaymentEvent.DECLINED),
        ("expired", {"status": "expired"}, None),  # whatever was tried on it
    ],
)
def test_a_page_says_what_became_of_its_payment(
    type_: str, changes: dict[str, Any], meaning: PaymentEvent | None
) -> None:
    page = event_of(event(f"checkout.session.{type_}", {**CHECKOUT, **changes})).object

    assert isinstance(page, HostedPageSnapshot)
    assert not page.open
    assert (page.payment.event if page.payment else None) is meaning
    assert (page.order_reference, page.payment_number) == ("ABCD", 7)


def test_a_page_that_takes_no_payment_is_another_programs() -> None:
    setup = {**CHECKOUT, "mode": "setup", "amount_total": None, "currency": None}

    assert event_of(event("checkout.session.completed", setup)).object is None


@pytest.mark.parametrize("written", ["", "-1", "1.5", "seven", "٧", "9" * 30])
def test_a_number_that_the_store_has_not_written_is_none(written: str) -> None:
    assert snapshot_of({**INTENT, "metadata": {"payment_number": written}}, NOW).payment_number is None


@pytest.mark.parametrize(
    ("param", "detail"),
    [
        ("shipping[address][line1]", Detail.LINE1),
        ("payment_intent_data[shipping][address][line1]", Detail.LINE1),
        ("payment_intent_data[shipping][name]", Detail.FULL_NAME),
        ("payment_intent_data[receipt_email]", Detail.EMAIL),
        ("customer_email", Detail.EMAIL),
        ("payment_intent_data[metadata]", None),
        ("line_items[0][quantity]", None),
    ],
)
def test_a_detail_is_known_by_the_parameter_that_it_travels_in(param: str, detail: Detail | None) -> None:
    assert detail_of(param) is detail
