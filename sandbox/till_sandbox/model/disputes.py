"""Disputes: opened by the test cards made for it, answered with evidence, decided by what the evidence says."""

from datetime import UTC, datetime, timedelta
from typing import Any

from till_sandbox import ids
from till_sandbox.data import load
from till_sandbox.errors import ApiError
from till_sandbox.model import balance, early_fraud_warnings, events, files, objects
from till_sandbox.model.metadata import merged
from till_sandbox.model.methods import of_charge
from till_sandbox.state import Resource, Transaction

_DATA = load("disputes")
KINDS: dict[str, dict[str, Any]] = _DATA["kinds"]

#: Seconds until the bank decides on evidence, and until Stripe has filled in the evidence it has itself.
DECIDED_AFTER, FILLED_AFTER = 5.0, 1.0

_CLOSED = ("won", "lost", "warning_closed", "prevented")

_CHANGES: dict[str, Any] = load("sdk")["parameters"]["DisputeUpdateParams"]
#: The texts and files that evidence can hold.
_EVIDENCE = tuple(name for name in _CHANGES["evidence"]["fields"] if name != "enhanced_evidence")
#: Those that are files.
_FILES = tuple(
    path.removeprefix("evidence.") for path in load("sdk")["expandable"]["dispute"] if path.startswith("evidence.")
)


def open_for(tx: Transaction, charge: Resource, kind: str) -> Resource:
    """The cardholder complains. `kind` is a key of the disputes table. Emits charge.dispute.created.

    A chargeback takes the money and a fee at once (charge.dispute.funds_withdrawn), an inquiry only asks.
    """
    dispute = _blank(tx, charge, kind)
    tx.insert(dispute)
    if dispute["payment_method_details"]["card"]["case_type"] != "inquiry":
        _withdraw(tx, dispute)
    charge |= {"dispute": dispute.id, "disputed": True}
    tx.save(charge)
    tx.schedule("fill_evidence", dispute.id, after=FILLED_AFTER)
    events.emit(tx, "charge.dispute.created", dispute)
    if dispute["balance_transactions"]:
        events.emit(tx, "charge.dispute.funds_withdrawn", dispute)
    early_fraud_warnings.overtaken(tx, charge)
    return dispute


def update(tx: Transaction, dispute: Resource, params: dict[str, Any]) -> Resource:
    """Add evidence, and unless `submit` is false hand it to the bank. Emits charge.dispute.updated."""
    evidence = params.get("evidence")
    if dispute["status"] in _CLOSED and (evidence is not None or params.get("submit")):
        raise _closed()
    before = dispute.snapshot()
    if evidence:
        _add_evidence(tx, dispute, evidence)
    if "metadata" in params:
        dispute["metadata"] = merged(dispute["metadata"], params["metadata"])
    if "intended_submission_method" in params:
        dispute["intended_submission_method"] = params["intended_submission_method"]
    if params.get("submit", evidence is not None):
        _submit(tx, dispute)
    tx.save(dispute)
    events.emit(tx, "charge.dispute.updated", dispute, before)
    return dispute


def close(tx: Transaction, dispute: Resource) -> Resource:
    """Accept it: lost. Emits charge.dispute.closed."""
    if dispute["status"] in _CLOSED:
        raise _closed()
    return _finish(tx, dispute, "lost")


def decide(tx: Transaction, dispute: Resource, verdict: str) -> Resource:
    """The bank's answer: won, lost, or (an inquiry only) escalate. A dispute already closed stays as it is."""
    if dispute["status"] in _CLOSED:
        return dispute
    inquiry = dispute["status"].startswith("warning_")
    if verdict == "escalate":
        return _escalate(tx, dispute) if inquiry else dispute
    if verdict == "won" and not inquiry:
        row = balance.of_dispute(tx, dispute, amount=dispute["amount"], fee=0, returned=True)
        dispute["balance_transactions"] = [*dispute["balance_transactions"], dict(row)]
        dispute["is_charge_refundable"] = True
        tx.save(dispute)
        events.emit(tx, "charge.dispute.funds_reinstated", dispute)
    return _finish(tx, dispute, verdict)


def fill_evidence(tx: Transaction, dispute: Resource) -> None:
    """What Stripe knows itself: the customer's name and address, the charge's description."""
    charge = tx.get("charge", dispute["charge"])
    customer: dict[str, Any] = tx.find("customer", charge["customer"] or "") or {}
    known = {
        "customer_email_address": customer.get("email") or charge["billing_details"]["email"],
        "customer_name": customer.get("name") or customer.get("description") or charge["billing_details"]["name"],
        "product_description": charge["description"],
    }
    for name, value in known.items():
        dispute["evidence"][name] = dispute["evidence"][name] or value
    tx.save(dispute)


def _finish(tx: Transaction, dispute: Resource, verdict: str) -> Resource:
    dispute["status"] = "warning_closed" if dispute["status"].startswith("warning_") else verdict
    tx.save(dispute)
    events.emit(tx, "charge.dispute.closed", dispute)
    return dispute


def _escalate(tx: Transaction, dispute: Resource) -> Resource:
    before = dispute.snapshot()
    dispute["payment_method_details"]["card"] |= {"case_type": "chargeback", "network_reason_code": "10.4"}
    dispute |= {"is_charge_refundable": False, "network_reason_code": "10.4", "status": "needs_response"}
    _withdraw(tx, dispute)
    events.emit(tx, "charge.dispute.updated", dispute, before)
    events.emit(tx, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def _withdraw(tx: Transaction, dispute: Resource) -> None:
    row = balance.of_dispute(tx, dispute, amount=-dispute["amount"], fee=_DATA["fee"])
    dispute |= {"balance_transaction": row.id, "balance_transactions": [dict(row)]}
    tx.save(dispute)


def _submit(tx: Transaction, dispute: Resource) -> None:
    dispute["status"] = "warning_under_review" if dispute["status"].startswith("warning_") else "under_review"
    details = dispute["evidence_details"]
    details |= {"submission_count": details["submission_count"] + 1, "submission_method": "manual"}
    verdict = _DATA["verdicts"].get(dispute["evidence"]["uncategorized_text"])
    if verdict is not None:
        tx.schedule("decide_dispute", dispute.id, after=DECIDED_AFTER, verdict=verdict)


def _add_evidence(tx: Transaction, dispute: Resource, given: dict[str, Any]) -> None:
    for name in _EVIDENCE:
        if name in given:
            dispute["evidence"][name] = given[name] or None
    files.check_evidence(tx, dispute["evidence"], _FILES)
    enhanced = given.get("enhanced_evidence") or {}
    dispute["evidence"]["enhanced_evidence"] |= enhanced
    eligibility = dispute["evidence_details"]["enhanced_eligibility"]
    for name in ("visa_compliance", "mastercard_compliance"):
        if enhanced.get(name, {}).get("fee_acknowledged") and name in eligibility:
            eligibility[name]["status"] = "fee_acknowledged"
    dispute["evidence_details"]["has_evidence"] = True


def _closed() -> ApiError:
    return ApiError("This dispute is already closed")


def _blank(tx: Transaction, charge: Resource, kind: str) -> Resource:
    said = KINDS[kind]
    inquiry = said["case_type"] == "inquiry"
    eligibility = {name: dict(value) for name, value in said.get("enhanced_eligibility", {}).items()}
    last_day = datetime.fromtimestamp(tx.now, UTC) + timedelta(days=_DATA["days_to_respond"])
    reason = {"case_type": said["case_type"], "network_reason_code": said["network_reason_code"]}
    name = charge["payment_method_details"]["type"]
    given = {
        "id": ids.new("du"),
        "amount": charge["amount_captured"],
        "charge": charge.id,
        "currency": charge["currency"],
        "enhanced_eligibility_types": sorted(eligibility),
        "evidence": {**dict.fromkeys(_EVIDENCE), "appeal": None, "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": int(last_day.replace(hour=23, minute=59, second=59).timestamp()),
            "enhanced_eligibility": eligibility,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "intended_submission_method": said.get("intended_submission_method"),
        "is_charge_refundable": inquiry,
        "network_reason_code": said["network_reason_code"],
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            name: dict(sorted({**of_charge(charge).dispute_details(charge), **reason}.items())),
            "type": name,
        },
        "reason": said["reason"],
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    return objects.new(tx, "dispute", given)
