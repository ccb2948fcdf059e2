"""Charges: each try of a PaymentIntent to take money."""

from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import balance, declines, events, objects
from till_sandbox.model.details import check_email, shipping
from till_sandbox.model.metadata import merged
from till_sandbox.model.methods import of_charge, type_of
from till_sandbox.state import Resource, Transaction

#: Seconds until a card's hold lapses if it is not captured.
HOLD = 7 * 24 * 3600
#: Seconds after which an automatically captured charge has its balance transaction, and its dispute if there is one.
BOOKED_AFTER, DISPUTED_AFTER = 1.0, 1.0

_UNDECIDED = dict.fromkeys(
    (
        "advice_code",
        "network_advice_code",
        "network_decline_code",
        "network_status",
        "reason",
        "risk_level",
        "risk_score",
        "seller_message",
        "type",
    )
)
_RISK_SCORES = {"normal": 24, "elevated": 68, "highest": 92}


def succeed(tx: Transaction, intent: Resource, payment_method: Resource, secure: dict[str, Any] | None) -> Resource:
    """An approved charge: captured, or with manual capture held. Emits charge.succeeded."""
    own = intent["payment_method_options"].get(payment_method["type"], {}).get("capture_method")
    held = (own or intent["capture_method"]) == "manual"
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
    details = charge["payment_method_details"][payment_method["type"]]
    details["amount_authorized"] = intent["amount"]
    if held:
        details["capture_before"] = tx.now + HOLD
        tx.schedule("expire_hold", charge.id, after=HOLD)
    tx.insert(charge)
    events.emit(tx, "charge.succeeded", charge)
    if not held:
        if intent["capture_method"] == "automatic":
            book(tx, charge)
        else:
            tx.schedule("book_charge", charge.id, after=BOOKED_AFTER)
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
    _add_balance_transaction(tx, charge)
    events.emit(tx, "charge.captured", charge)
    _schedule_disputes(tx, charge)
    return charge


def book(tx: Transaction, charge: Resource) -> Resource:
    """Give a captured charge its balance transaction, if it has none yet. Emits charge.updated."""
    if charge["balance_transaction"] is not None or not charge["captured"] or charge["status"] != "succeeded":
        return charge
    before = charge.snapshot()
    _add_balance_transaction(tx, charge)
    events.emit(tx, "charge.updated", charge, before)
    return charge


def _add_balance_transaction(tx: Transaction, charge: Resource) -> None:
    row = balance.of_charge(tx, charge, available=of_charge(charge).consequences(charge).available)
    charge["balance_transaction"] = row.id
    tx.save(charge)


def update(tx: Transaction, charge: Resource, params: dict[str, Any]) -> Resource:
    book(tx, charge)
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


def _schedule_disputes(tx: Transaction, charge: Resource) -> None:
    for number, kind in enumerate(of_charge(charge).consequences(charge).disputes):
        tx.schedule("open_dispute", charge.id, after=DISPUTED_AFTER * (number + 1), kind=kind)


def _descriptor(suffix: str | None) -> dict[str, Any]:
    """What the cardholder's statement says."""
    return {
        "calculated_statement_descriptor": f"Stripe* {suffix}" if suffix else "Stripe",
        "statement_descriptor_suffix": suffix,
    }


def _build(tx: Transaction, intent: Resource, payment_method: Resource, secure: dict[str, Any] | None) -> Resource:
    """A charge that has not been decided yet."""
    name, method = payment_method["type"], type_of(payment_method)
    method.verify(tx, payment_method)
    options = intent["payment_method_options"].get(name, {})
    risk = method.risk(payment_method)
    given = {
        "id": ids.related("ch", intent.id),
        "amount": intent["amount"],
        "billing_details": payment_method["billing_details"],
        **_descriptor(intent["statement_descriptor_suffix"]),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "fraud_details": {},
        "metadata": dict(intent["metadata"]),
        "outcome": {**_UNDECIDED, "risk_level": risk, "risk_score": _RISK_SCORES[risk]},
        "payment_intent": intent.id,
        "payment_method": payment_method.id,
        "payment_method_details": {
            name: method.charge_details(payment_method, options, intent["amount"], secure),
            "type": name,
        },
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "shipping": intent["shipping"],
        "status": "pending",
        "transfer_group": intent["transfer_group"],
    }
    return objects.new(tx, "charge", given, dict(payment_method.private))
