"""Making things happen: faults, deliveries, challenges, what the dashboard does, and the passing of time."""

from contextlib import AbstractContextManager
from typing import Any

from flask import Blueprint

from till_sandbox import faults
from till_sandbox.api.keys import account_of
from till_sandbox.control import request_args
from till_sandbox.control.listings import list_faults
from till_sandbox.errors import ApiError
from till_sandbox.model import authentications, challenges, disputes, events, payouts, refunds
from till_sandbox.model.checkout import page
from till_sandbox.model.checkout.paying import Said
from till_sandbox.state import Transaction

blueprint = Blueprint("commands", __name__)

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
#: What can be done with a delivery: sent as it should be, or with one of the faults of a webhook.
WAYS = ("as_usual", *faults.KINDS["webhook"])


@blueprint.post("/faults")
def add_fault() -> tuple[dict[str, Any], int]:
    """Have something go wrong: {"target": "api" or "webhook", "kind": …, "times": …}; see `sandbox.faults.Fault`."""
    detail: dict[str, type | tuple[type, ...]] = {
        "when": str,
        "match": str,
        "seconds": (int, float),
        "probability": (int, float),
        "seed": int,
    }
    body = request_args.body({"target": str, "kind": str, "times": int, **detail}, required=("target", "kind"))
    target, kind, times = body.pop("target"), body.pop("kind"), body.pop("times", 1)
    if kind not in faults.KINDS.get(target, ()):
        raise ApiError("; ".join(f"target {name}: kind is one of {', '.join(of)}" for name, of in faults.KINDS.items()))
    if times < 1 and times != faults.FOREVER:
        raise ApiError(f"times is a number of times, or {faults.FOREVER} for as long as it is not cleared")
    if body.get("when", "before") not in ("before", "after"):
        raise ApiError("when must be before or after")
    _check_seconds(body)
    if kind == "reorder":
        body.setdefault("seconds", faults.OVERTAKEN_WITHIN)
    request_args.sandbox().faults.add(target, kind, times, body)
    return list_faults(), 201


@blueprint.delete("/faults")
def clear_faults() -> dict[str, Any]:
    """Let everything work again."""
    request_args.sandbox().faults.clear()
    return list_faults()


@blueprint.delete("/faults/<int:fault>")
def clear_fault(fault: int) -> dict[str, Any]:
    """Take one fault back."""
    request_args.sandbox().faults.clear(min(fault, request_args.LARGEST))
    return list_faults()


@blueprint.post("/deliveries/<int:delivery>/send")
def send_delivery(delivery: int) -> dict[str, Any]:
    """Send it (again) now. {"times": 2} sends it twice; {"way": "bad_signature"} (or another webhook fault, with
    "seconds" for a delay) has it go wrong once.
    """
    body = request_args.body({"times": int, "way": str, "seconds": (int, float)})
    times, way = body.get("times", 1), body.get("way", "as_usual")
    if not 1 <= times <= request_args.MOST:
        raise ApiError(f"times is from 1 to {request_args.MOST}")
    _check_seconds(body)
    if way not in WAYS:
        raise ApiError(f"way must be one of {', '.join(WAYS)}")
    state = request_args.sandbox().state
    with state.read("") as tx:
        row = tx.execute(
            "SELECT account, event, endpoint FROM deliveries WHERE id = ?", min(delivery, request_args.LARGEST)
        )
        found = row.fetchone()
    if found is None:
        raise request_args.unknown("delivery", str(delivery))
    with state.write(found["account"]) as tx:
        event, endpoint = tx.get("event", found["event"]), tx.get("webhook_endpoint", found["endpoint"])
        if way != "as_usual":
            seconds = body.get("seconds", faults.OVERTAKEN_WITHIN if way == "reorder" else 10)
            detail = {"match": f"{event['type']} {event.id}", "seconds": seconds}
            faults.add(tx, "webhook", way, times, detail)
        for _ in range(times):
            events.deliver(tx, event, endpoint)
    request_args.sandbox().faults.expect()
    return {"sent": times}


@blueprint.post("/challenges/<challenge_id>")
def decide_challenge(challenge_id: str) -> dict[str, Any]:
    """Decide it: {"outcome": "complete"} or {"outcome": "fail"}; or "abandon" it, as a cardholder does who closes the
    bank's page: nobody can answer any more, and the payment goes on waiting for an answer.
    """
    outcome = request_args.body({"outcome": str}, required=("outcome",))["outcome"]
    if outcome not in ("complete", "fail", "abandon"):
        raise ApiError("outcome must be complete, fail or abandon")
    with _account_of(challenge_id) as tx:
        challenge = tx.get(challenges.KIND, challenge_id)
        if challenge["status"] != "pending":
            pass
        elif outcome == "abandon":
            challenge["status"] = "abandoned"
            tx.save(challenge)
        else:
            kind = "setup_intent" if challenge["intent"].startswith("seti_") else "payment_intent"
            authentications.apply_decision(tx, challenge, tx.get(kind, challenge["intent"]), outcome)
        return {"challenge": dict(challenge)}


@blueprint.post("/checkout_sessions/<session_id>/pay")
def pay_session(session_id: str) -> tuple[dict[str, Any], int]:
    """Pay a Checkout Session as a customer does on its page, with a test card: {"payment_method": "pm_card_visa"}.

    Optionally what they type: "email", "name", "phone", "country", "postal_code", "line1", "city", "state", which is
    also where it is delivered to, "shipping_rate", "promotion_code" and "custom_fields". {"delayed": "succeeds"} (or
    "fails") has the payment decided five seconds later. Answers with the session; with the "challenge" that is to be
    decided first; or with 402 and the "error" that the page shows.
    """
    texts = ("city", "country", "email", "line1", "name", "payment_method", "phone", "postal_code", "promotion_code")
    fields: dict[str, type | tuple[type, ...]] = dict.fromkeys((*texts, "delayed", "shipping_rate", "state"), str)
    body = request_args.body({**fields, "custom_fields": dict})
    if body.get("delayed", "fails") not in ("succeeds", "fails"):
        raise ApiError("delayed is succeeds or fails")
    state = request_args.sandbox().state
    try:
        if "promotion_code" in body:
            page.use_code(state, session_id, body["promotion_code"])
        if "shipping_rate" in body:
            page.choose_shipping(state, session_id, body["shipping_rate"])
        attempt = page.pay(state, session_id, _typed(page.find(state, session_id).session, body))
    except page.SessionNotFound as error:
        raise request_args.unknown("Checkout Session", session_id) from error
    if attempt.refusal is not None:
        return {"error": attempt.refusal.message, "session": dict(attempt.session)}, attempt.refusal.status
    if attempt.intent is not None:
        challenge = attempt.intent["next_action"]["use_stripe_sdk"]["source"]
        return {"session": dict(attempt.session), "challenge": {"id": challenge}}, 200
    return {"session": dict(attempt.session)}, 200


def _typed(session: dict[str, Any], body: dict[str, Any]) -> Said:
    """What a customer types who is asked for everything and says no more than they have to."""
    asked = session["shipping_address_collection"]
    countries = asked["allowed_countries"] if asked else ["US"]
    place = {"country": "US" if "US" in countries else countries[0], "line1": "1 Main St", "city": "Springfield"}
    place |= {name: body[name] for name in ("city", "country", "line1", "postal_code", "state") if name in body}
    name = body.get("name", "Test Customer")
    return Said(
        method={"payment_method": body.get("payment_method", "pm_card_visa")},
        email=body.get("email", "customer@example.com"),
        name=name,
        phone=body.get("phone", "+15555550100"),
        address=place,
        shipping_name=name if asked else None,  # else it goes where the account says
        shipping_address=place if asked else None,
        custom_fields={str(key): str(answer) for key, answer in body.get("custom_fields", {}).items()},
        accepts_terms=True,
        delayed=body.get("delayed"),
    )


@blueprint.post("/refunds")
def refund() -> dict[str, Any]:
    """Refund as if from the dashboard: {"charge": …} or {"payment_intent": …}, optionally "amount" and "reason"."""
    fields = {"charge": str, "payment_intent": str, "amount": int, "reason": str}
    body = request_args.body(fields)
    if body.get("reason", REASONS[0]) not in REASONS:
        raise ApiError(f"reason must be one of {', '.join(REASONS)}")
    with _account_of(body.get("charge") or body.get("payment_intent") or "") as tx:
        return {"refund": dict(refunds.create(tx, body))}


@blueprint.post("/disputes")
def dispute() -> dict[str, Any]:
    """Dispute a charge as its cardholder would: {"charge": …}, optionally "kind" (a key of data/disputes.json)."""
    body = request_args.body({"charge": str, "kind": str}, required=("charge",))
    kind = body.get("kind", "fraudulent")
    if kind not in disputes.KINDS:
        raise ApiError(f"kind must be one of {', '.join(disputes.KINDS)}")
    with _account_of(body["charge"]) as tx:
        charge = tx.get("charge", body["charge"])
        if not charge["captured"]:
            raise ApiError(f"{charge.id} took no money: there is nothing to dispute")
        return {"dispute": dict(disputes.open_for(tx, charge, kind))}


@blueprint.post("/payouts")
def pay_out() -> dict[str, Any]:
    """Pay out all that is available, as Stripe does each day: {"key": …}."""
    body = request_args.body({"key": str}, required=("key",))
    with request_args.sandbox().state.write(_account_of_key(body["key"])) as tx:
        return {"payouts": [dict(payout) for payout in payouts.pay_out_all(tx)]}


@blueprint.post("/payouts/<payout_id>/fail")
def fail_payout(payout_id: str) -> dict[str, Any]:
    """Have the bank send a payout back, optionally with a "code"."""
    code = request_args.body({"code": str}).get("code", "account_closed")
    if code not in payouts.FAILURES:
        raise ApiError(f"code must be one of {', '.join(payouts.FAILURES)}")
    with _account_of(payout_id) as tx:
        return {"payout": dict(payouts.fail(tx, tx.get(payouts.KIND, payout_id), code))}


@blueprint.post("/clock")
def clock() -> dict[str, Any]:
    """Move the sandbox's time forward: {"advance": seconds}."""
    seconds = request_args.body({"advance": int}, required=("advance",))["advance"]
    if seconds < 0:
        raise ApiError("time only goes forward")
    state = request_args.sandbox().state
    if state.ahead + seconds > request_args.LONGEST:
        raise ApiError("advance is too large")
    state.advance_clock(seconds)
    return {"now": int(state.now()), "ahead": int(state.ahead)}


@blueprint.post("/endpoints")
def add_endpoint() -> dict[str, Any]:
    """Send every event of a key's account to an address: {"key": …, "url": …, "secrets": [whsec_…]}."""
    body = request_args.body({"key": str, "url": str, "secrets": list}, required=("key", "url", "secrets"))
    if not all(isinstance(secret, str) for secret in body["secrets"]):
        raise ApiError("secrets is of the wrong type")
    _account_of_key(body["key"])
    request_args.sandbox().forward(body["key"], body["url"], body["secrets"])
    return {"forwarding_to": body["url"]}


@blueprint.post("/reset")
def reset() -> dict[str, Any]:
    """Forget everything but where events are forwarded to."""
    request_args.body({})
    request_args.sandbox().reset()
    return {"reset": True}


def _check_seconds(body: dict[str, Any]) -> None:
    if not 0 <= body.get("seconds", 0) <= request_args.LONGEST:
        raise ApiError(f"seconds is from 0 to {request_args.LONGEST}")


def _account_of_key(key: str) -> str:
    try:
        return account_of(key)
    except ValueError as error:
        raise ApiError(str(error)) from error


def _account_of(object_id: str) -> AbstractContextManager[Transaction]:
    """A write transaction of the account an object belongs to."""
    with request_args.sandbox().state.read("") as tx:
        row = tx.execute("SELECT account FROM objects WHERE id = ?", object_id).fetchone()
    if row is None:
        raise request_args.unknown("object", object_id)
    return request_args.sandbox().state.write(row["account"])
