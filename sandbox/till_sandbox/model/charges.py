"""Charges: each try of a PaymentIntent to take money from a card."""

from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import balance, cards, declines, events
from till_sandbox.model.details import check_email, shipping
from till_sandbox.model.metadata import merged
from till_sandbox.model.payment_methods import card_of, network_of, run_checks
from till_sandbox.state import Resource, Transaction

#: Seconds until a card's hold lapses if it is not captured.
HOLD = 7 * 24 * 3600
#: Seconds after which an automatically captured charge has its balance transaction, and its dispute if there is one.
SETTLES_AFTER, DISPUTED_AFTER = 1.0, 1.0

_RISK_SCORES = {"normal": 24, "elevated": 68, "highest": 92}


def succeed(tx: Transaction, intent: Resource, payment_method: Resource, secure: dict[str, Any] | None) -> Resource:
    """An approved charge: captured, or with manual capture held. Emits charge.succeeded."""
    of_cards = intent["payment_method_options"].get("card", {}).get("capture_method")
    held = (of_cards or intent["capture_method"]) == "manual"
    charge = _build(tx, intent, payment_method, secure)
    charge |= {
        "amount_captured": 0 if held else intent["amount"],
        "captured": not held,
        "paid": True,
        "receipt_url": f"https://pay.stripe.com/receipts/payment/{ids.random_text(40)}",
        "status": "succeeded",
    }
    charge["outcome"] |= {
        "network_status": "approved_by_network",
        "seller_message": "Payment complete.",
        "type": "authorized",
    }
    charge["payment_method_details"]["card"]["amount_authorized"] = intent["amount"]
    if held:
        charge["payment_method_details"]["card"]["capture_before"] = tx.now + HOLD
        tx.schedule("expire_hold", charge.id, after=HOLD)
    tx.insert(charge)
    events.emit(tx, "charge.succeeded", charge)
    if not held:
        if intent["capture_method"] == "automatic":
            settle(tx, charge)
        else:
            tx.schedule("settle_charge", charge.id, after=SETTLES_AFTER)
        _schedule_disputes(tx, charge)
    return charge


def fail(
    tx: Transaction, intent: Resource, payment_method: Resource, reason: str, secure: dict[str, Any] | None
) -> Resource:
    """A declined charge; `reason` is a key of the declines table. Emits charge.failed."""
    charge = _build(tx, intent, payment_method, secure)
    charge |= {"failure_code": declines.code(reason), "failure_message": declines.message(reason), "status": "failed"}
    charge["outcome"] |= declines.outcome(reason)
    if reason == "incorrect_cvc":
        charge["payment_method_details"]["card"]["checks"]["cvc_check"] = "fail"
    tx.insert(charge)
    events.emit(tx, "charge.failed", charge)
    return charge


def capture(tx: Transaction, charge: Resource, amount: int, *, suffix: str | None) -> Resource:
    """Take `amount` of a hold; the rest is released. Emits charge.captured."""
    charge |= {"amount_captured": amount, "captured": True, **_descriptor(suffix)}
    card = card_of_charge(charge)
    row = balance.of_charge(tx, charge, available=card.funds == "available")
    charge["balance_transaction"] = row.id
    tx.save(charge)
    events.emit(tx, "charge.captured", charge)
    _schedule_disputes(tx, charge)
    return charge


def settle(tx: Transaction, charge: Resource) -> Resource:
    """Give a captured charge its balance transaction, if it has none yet. Emits charge.updated."""
    if charge["balance_transaction"] is not None or not charge["captured"] or charge["status"] != "succeeded":
        return charge
    before = charge.snapshot()
    row = balance.of_charge(tx, charge, available=card_of_charge(charge).funds == "available")
    charge["balance_transaction"] = row.id
    tx.save(charge)
    events.emit(tx, "charge.updated", charge, before)
    return charge


def update(tx: Transaction, charge: Resource, params: dict[str, Any]) -> Resource:
    settle(tx, charge)
    before = charge.snapshot()
    if "metadata" in params:
        charge["metadata"] = merged(charge["metadata"], params["metadata"])
    if "customer" in params:
        _set_customer(tx, charge, params["customer"])
    if "description" in params:
        charge["description"] = params["description"] or None
    if "receipt_email" in params:
        charge["receipt_email"] = check_email(params["receipt_email"], "receipt_email")
    if "shipping" in params:
        charge["shipping"] = shipping(params["shipping"])
    if "fraud_details" in params:
        charge["fraud_details"] = {name: value for name, value in params["fraud_details"].items() if value}
    tx.save(charge)
    events.emit(tx, "charge.updated", charge, before)
    return charge


def send_receipt_to(tx: Transaction, charge: Resource, email: str) -> Resource:
    """Another address for the receipt than the payment's. Emits nothing: it is part of a capture."""
    charge["receipt_email"] = check_email(email, "receipt_email")
    return tx.save(charge)


def _set_customer(tx: Transaction, charge: Resource, customer_id: str) -> None:
    """A charge without a customer may get one, for good."""
    tx.get("customer", customer_id, param="customer", status=400)
    if charge["customer"] not in (None, customer_id):
        raise ApiError("You cannot change the customer of a charge that already has one.", param="customer")
    charge["customer"] = customer_id


def card_of_charge(charge: Resource) -> cards.Card:
    """The test card that was charged."""
    return cards.by_name(charge.private["card"])


def _schedule_disputes(tx: Transaction, charge: Resource) -> None:
    for number, kind in enumerate(card_of_charge(charge).disputes):
        tx.schedule("open_dispute", charge.id, after=DISPUTED_AFTER * (number + 1), kind=kind)


def _descriptor(suffix: str | None) -> dict[str, Any]:
    """What the cardholder's statement says."""
    return {
        "calculated_statement_descriptor": f"Stripe* {suffix}" if suffix else "Stripe",
        "statement_descriptor_suffix": suffix,
    }


def _build(tx: Transaction, intent: Resource, payment_method: Resource, secure: dict[str, Any] | None) -> Resource:
    """A charge that has not been decided yet, with every key Stripe sends."""
    card = card_of(payment_method)
    checks = run_checks(tx, payment_method)
    shown = payment_method["card"]
    amount = intent["amount"]
    details = {
        "card": {
            "amount_authorized": None,
            "authorization_code": f"{int.from_bytes(ids.random_text(4).encode()) % 10**6:06d}",
            "brand": shown["brand"],
            "checks": dict(checks),
            "country": shown["country"],
            "electronic_commerce_indicator": secure["electronic_commerce_indicator"] if secure else "07",
            "exp_month": shown["exp_month"],
            "exp_year": shown["exp_year"],
            "extended_authorization": {"status": "disabled"},
            "fingerprint": shown["fingerprint"],
            "funding": shown["funding"],
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "last4": shown["last4"],
            "mandate": None,
            "multicapture": {"status": "unavailable"},
            "network": network_of(payment_method, intent["payment_method_options"].get("card", {}).get("network")),
            "network_token": {"used": False},
            "network_transaction_id": card.network_transaction_id,
            "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
            "regulated_status": "unregulated",
            "three_d_secure": secure,
            "transaction_link_id": None,
            "wallet": None,
        },
        "type": "card",
    }
    outcome = {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": None,
        "reason": None,
        "risk_level": card.risk,
        "risk_score": _RISK_SCORES[card.risk],
        "seller_message": None,
        "type": None,
    }
    return Resource(
        {
            "id": ids.related("ch", intent.id),
            "object": "charge",
            "amount": amount,
            "amount_captured": 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "authorization_code": None,
            "balance_transaction": None,
            "billing_details": payment_method["billing_details"],
            **_descriptor(intent["statement_descriptor_suffix"]),
            "captured": False,
            "created": tx.now,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "destination": None,
            "dispute": None,
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "fraud_details": {},
            "level3": None,
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "on_behalf_of": None,
            "order": None,
            "outcome": outcome,
            "paid": False,
            "payment_intent": intent.id,
            "payment_method": payment_method.id,
            "payment_method_details": details,
            "presentment_details": None,
            "radar_options": {},
            "receipt_email": intent["receipt_email"],
            "receipt_number": None,
            "receipt_url": None,
            "refunded": False,
            "review": None,
            "shipping": intent["shipping"],
            "source": None,
            "source_transfer": None,
            "statement_descriptor": None,
            "status": "pending",
            "transfer": None,
            "transfer_data": None,
            "transfer_group": intent["transfer_group"],
        },
        {"card": card.name},
    )
