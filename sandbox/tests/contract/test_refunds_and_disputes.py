"""What follows a payment: refunds, disputes, customers."""

from collections.abc import Callable

import pytest
import stripe

from till_sandbox.testing import ManualClock

Later = Callable[[float], None]


def pay(client: stripe.StripeClient, card: str = "pm_card_visa", **more: object) -> str:
    """Pay 49.00 with a card; the charge's id."""
    params = {"amount": 4900, "currency": "usd", "confirm": True, "payment_method": card, **more}
    return str(client.v1.payment_intents.create(params).latest_charge)  # type: ignore[arg-type]  # built from parts


def events(client: stripe.StripeClient, prefix: str) -> list[str]:
    found = reversed(client.v1.events.list({"limit": 100}).data)
    return [event.type for event in found if event.type.startswith(prefix) or ".refund" in event.type]


def test_refunds_add_up(client: stripe.StripeClient) -> None:
    charge = pay(client)

    first = client.v1.refunds.create({"charge": charge, "amount": 1900})
    partly = client.v1.charges.retrieve(charge)
    rest = client.v1.refunds.create({"payment_intent": str(first.payment_intent)})
    wholly = client.v1.charges.retrieve(charge, {"expand": ["refunds"]})

    assert (first.status, first.amount, rest.amount) == ("succeeded", 1900, 3000)
    assert (partly.amount_refunded, partly.refunded) == (1900, False)
    assert (wholly.amount_refunded, wholly.refunded) == (4900, True)
    assert wholly.refunds is not None
    assert [refund.id for refund in wholly.refunds.data] == [rest.id, first.id]
    assert client.v1.payment_intents.retrieve(str(first.payment_intent)).status == "succeeded"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"amount": 5000}, r"Refund amount \(\$50.00\) is greater than unrefunded amount on charge \(\$49.00\)"),
        ({"amount": 0}, "Invalid positive integer"),
        ({"reason": "because"}, "Invalid reason"),
    ],
)
def test_a_refund_that_cannot_be_is_refused(
    client: stripe.StripeClient, params: dict[str, object], message: str
) -> None:
    charge = pay(client)

    with pytest.raises(stripe.InvalidRequestError, match=message):
        client.v1.refunds.create({"charge": charge, **params})  # type: ignore[arg-type]  # wrong on purpose


def test_what_is_refunded_cannot_be_refunded_again(client: stripe.StripeClient) -> None:
    charge = pay(client)
    client.v1.refunds.create({"charge": charge})

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"charge": charge})

    assert refusal.value.code == "charge_already_refunded"


def test_the_reference_of_a_refund_arrives_later(client: stripe.StripeClient, later: Later) -> None:
    refund = client.v1.refunds.create({"charge": pay(client)})

    later(3)

    card = client.v1.refunds.retrieve(refund.id).destination_details
    assert card is not None
    assert card.card is not None
    assert card.card.reference_status == "available"
    assert events(client, "refund") == ["refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"]


def test_a_pending_refund_succeeds_later(client: stripe.StripeClient, later: Later) -> None:
    refund = client.v1.refunds.create({"charge": pay(client, "pm_card_pendingRefund")})
    assert refund.status == "pending"

    later(6)

    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert "refund.updated" in events(client, "refund")


def test_a_refund_can_fail_after_it_succeeded(client: stripe.StripeClient, later: Later) -> None:
    charge = pay(client, "pm_card_refundFail")
    refund = client.v1.refunds.create({"charge": charge})
    assert refund.status == "succeeded"

    later(6)

    failed = client.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert isinstance(failed.failure_balance_transaction, stripe.BalanceTransaction)
    assert failed.failure_balance_transaction.amount == 4900
    assert client.v1.charges.retrieve(charge).amount_refunded == 0
    assert events(client, "refund")[-1] == "refund.failed"


def test_a_chargeback_takes_the_money_and_a_fee(client: stripe.StripeClient, later: Later, clock: ManualClock) -> None:
    charge = pay(client, "pm_card_createDispute")

    later(2)

    dispute = client.v1.disputes.list({"charge": charge}).data[0]
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", "fraudulent", 4900)
    (row,) = dispute.balance_transactions
    assert (row.amount, row.fee, row.net, row.reporting_category) == (-4900, 1500, -6400, "dispute")
    assert dispute.evidence_details.due_by is not None
    assert dispute.evidence_details.due_by > clock.now()
    assert client.v1.charges.retrieve(charge).disputed
    assert events(client, "charge.dispute") == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"charge": charge})
    assert refusal.value.code == "charge_disputed"


@pytest.mark.parametrize(
    ("evidence", "status", "told"),
    [
        ("winning_evidence", "won", ["charge.dispute.funds_reinstated", "charge.dispute.closed"]),
        ("losing_evidence", "lost", ["charge.dispute.closed"]),
    ],
)
def test_the_evidence_decides(
    client: stripe.StripeClient, later: Later, evidence: str, status: str, told: list[str]
) -> None:
    charge = pay(client, "pm_card_createDispute")
    later(2)
    dispute = client.v1.disputes.list({"charge": charge}).data[0]

    under_review = client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": evidence}})
    later(6)

    assert (under_review.status, under_review.evidence_details.submission_count) == ("under_review", 1)
    decided = client.v1.disputes.retrieve(dispute.id)
    assert decided.status == status
    assert decided.is_charge_refundable is (status == "won")
    assert events(client, "charge.dispute")[2:] == ["charge.dispute.updated", *told]
    with pytest.raises(stripe.InvalidRequestError, match="This dispute is already closed"):
        client.v1.disputes.close(dispute.id)


def test_an_inquiry_moves_no_money_until_it_escalates(client: stripe.StripeClient, later: Later) -> None:
    charge = pay(client, "pm_card_createDisputeInquiry")
    later(2)
    inquiry = client.v1.disputes.list({"charge": charge}).data[0]
    assert (inquiry.status, inquiry.balance_transactions) == ("warning_needs_response", [])

    client.v1.disputes.update(inquiry.id, {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}})
    later(6)

    escalated = client.v1.disputes.retrieve(inquiry.id)
    assert (escalated.status, len(escalated.balance_transactions)) == ("needs_response", 1)


def test_a_dispute_waits_for_the_capture(client: stripe.StripeClient, later: Later) -> None:
    intent = client.v1.payment_intents.create(
        {
            "amount": 4900,
            "currency": "usd",
            "confirm": True,
            "payment_method": "pm_card_createDispute",
            "capture_method": "manual",
        }
    )
    later(3)
    assert client.v1.disputes.list().data == []

    client.v1.payment_intents.capture(intent.id)
    later(3)

    assert len(client.v1.disputes.list({"payment_intent": intent.id}).data) == 1


def test_an_early_fraud_warning_comes_before_any_dispute(client: stripe.StripeClient, later: Later) -> None:
    charge = pay(client, "pm_card_createIssuerFraudRecord")

    later(2)

    (warning,) = client.v1.radar.early_fraud_warnings.list({"charge": charge}).data
    assert warning.actionable
    assert client.v1.disputes.list().data == []


@pytest.mark.parametrize("refunded", [4900, 100])
def test_a_warning_prevents_nothing_once_all_is_refunded(
    client: stripe.StripeClient, later: Later, refunded: int
) -> None:
    charge = pay(client, "pm_card_createIssuerFraudRecord")
    later(2)

    client.v1.refunds.create({"charge": charge, "amount": refunded})

    (warning,) = client.v1.radar.early_fraud_warnings.list({"charge": charge}).data
    types = [event.type for event in client.v1.events.list({"type": "radar.early_fraud_warning.updated"}).data]
    assert warning.actionable is (refunded < 4900)
    assert types == ([] if warning.actionable else ["radar.early_fraud_warning.updated"])


def test_a_saved_card_pays_for_its_customer_only(client: stripe.StripeClient) -> None:
    ada, bob = (client.v1.customers.create({"name": name}) for name in ("Ada", "Bob"))
    saved = client.v1.payment_methods.attach("pm_card_visa", {"customer": ada.id})

    pay(client, saved.id, customer=ada.id)
    with pytest.raises(stripe.InvalidRequestError, match="does not belong to the Customer"):
        pay(client, saved.id, customer=bob.id)

    assert [method.id for method in client.v1.payment_methods.list({"customer": ada.id}).data] == [saved.id]


def test_a_card_used_with_setup_future_usage_is_saved(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ada"})

    pay(client, customer=customer.id, setup_future_usage="off_session")

    assert len(client.v1.customers.payment_methods.list(customer.id).data) == 1


def test_a_setup_that_is_declined_can_be_tried_again(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ada"})
    setup = client.v1.setup_intents.create({"customer": customer.id})

    with pytest.raises(stripe.CardError) as refusal:
        client.v1.setup_intents.confirm(setup.id, {"payment_method": "pm_card_chargeDeclinedExpiredCard"})
    done = client.v1.setup_intents.confirm(setup.id, {"payment_method": "pm_card_visa"})

    assert refusal.value.code == "expired_card"
    assert (done.status, done.last_setup_error) == ("succeeded", None)
    attempts = client.v1.setup_attempts.list({"setup_intent": setup.id}).data
    assert [attempt.status for attempt in attempts] == ["succeeded", "failed"]
    assert len(client.v1.payment_methods.list({"customer": customer.id}).data) == 1


def test_a_refund_names_the_card_and_the_customer_it_goes_to(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"payment_method": "pm_card_visa"})
    (card,) = client.v1.customers.payment_methods.list(customer.id)
    intent = client.v1.payment_intents.create(
        {"amount": 4900, "currency": "usd", "confirm": True, "customer": customer.id, "payment_method": card.id}
    )

    refund = client.v1.refunds.create({"payment_intent": intent.id})

    assert (refund.payment_method, refund.customer) == (card.id, customer.id)


def test_a_charge_refunded_at_once_has_its_balance_transaction(client: stripe.StripeClient) -> None:
    charge = pay(client)

    client.v1.refunds.create({"charge": charge, "amount": 100})

    assert client.v1.charges.retrieve(charge).balance_transaction is not None


def test_the_balance_has_a_prefunding(client: stripe.StripeClient) -> None:
    prefunding = client.v1.balance.retrieve().refund_and_dispute_prefunding

    assert prefunding is not None
    assert [row.amount for row in prefunding.available] + [row.amount for row in prefunding.pending] == [0, 0]
