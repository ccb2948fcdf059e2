"""The control API under /sandbox: look inside, and make the sandbox do what Stripe's dashboard (or bad luck) would.

Requests and answers are JSON; a request that changes something must say so in its content type, so that no page of
another origin can send it. What is wrong with a request is answered as {"error": …}.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from sandbox import faults
from sandbox.api.keys import account_of
from sandbox.errors import ApiError
from sandbox.model import authentications, challenges, disputes, events, money, refunds
from sandbox.sandbox import Sandbox
from sandbox.state import Transaction

blueprint = Blueprint("control", __name__, url_prefix="/sandbox")

MOST = 200
REASONS = ("duplicate", "fraudulent", "requested_by_customer")


@blueprint.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@blueprint.get("/payments")
def payments() -> dict[str, Any]:
    """PaymentIntents of every account, newest first; `text` is the amount as it is written."""
    found = _newest("payment_intent")
    return {"payments": [{**it, "text": money.text(it["amount"], it["currency"])} for it in found]}


@blueprint.get("/events")
def list_events() -> dict[str, Any]:
    """Events of every account, newest first."""
    return {"events": _newest("event")}


@blueprint.get("/deliveries")
def deliveries() -> dict[str, Any]:
    """Deliveries, newest first, each with its attempts."""
    with _sandbox().state.read("") as tx:
        rows = tx.execute(
            "SELECT d.*, json_extract(o.body, '$.type') AS type, json_extract(e.body, '$.url') AS url "
            "FROM deliveries d JOIN objects o ON o.id = d.event JOIN objects e ON e.id = d.endpoint "
            "ORDER BY d.id DESC LIMIT ?",
            _limit(),
        ).fetchall()
        return {"deliveries": [{**row, "attempts": _attempts(tx, row["id"])} for row in map(dict, rows)]}


@blueprint.post("/deliveries/<int:delivery>/send")
def send_delivery(delivery: int) -> dict[str, Any]:
    """Send it (again) now. {"times": 2} sends it twice."""
    times = _body({"times": int}).get("times", 1)
    with _sandbox().state.read("") as tx:
        row = tx.execute("SELECT account, event, endpoint FROM deliveries WHERE id = ?", delivery).fetchone()
    if row is None:
        raise _unknown("delivery", str(delivery))
    with _sandbox().state.write(row["account"]) as tx:
        for _ in range(min(times, MOST)):
            events.deliver(tx, tx.get("event", row["event"]), tx.get("webhook_endpoint", row["endpoint"]))
    return {"sent": times}


@blueprint.get("/challenges")
def list_challenges() -> dict[str, Any]:
    """3-D Secure challenges of every account, newest first."""
    return {"challenges": _newest(challenges.KIND)}


@blueprint.post("/challenges/<challenge_id>")
def settle_challenge(challenge_id: str) -> dict[str, Any]:
    """Decide it: {"outcome": "complete"} or {"outcome": "fail"}. (Abandoning one is doing nothing.)"""
    outcome = _body({"outcome": str}, required=("outcome",))["outcome"]
    if outcome not in ("complete", "fail"):
        raise ApiError("outcome must be complete or fail")
    with _account_of(challenge_id) as tx:
        challenge = tx.get(challenges.KIND, challenge_id)
        if challenge["status"] == "pending":
            kind = "setup_intent" if challenge["intent"].startswith("seti_") else "payment_intent"
            authentications.decide(tx, challenge, tx.get(kind, challenge["intent"]), outcome)
        return {"challenge": dict(challenge)}


@blueprint.post("/refunds")
def refund() -> dict[str, Any]:
    """Refund as if from the dashboard: {"charge": …} or {"payment_intent": …}, optionally "amount" and "reason"."""
    fields = {"charge": str, "payment_intent": str, "amount": int, "reason": str}
    body = _body(fields)
    if body.get("reason", REASONS[0]) not in REASONS:
        raise ApiError(f"reason must be one of {', '.join(REASONS)}")
    with _account_of(body.get("charge") or body.get("payment_intent") or "") as tx:
        return {"refund": dict(refunds.create(tx, body))}


@blueprint.post("/disputes")
def dispute() -> dict[str, Any]:
    """Dispute a charge as its cardholder would: {"charge": …}, optionally "kind" (a key of data/disputes.json)."""
    body = _body({"charge": str, "kind": str}, required=("charge",))
    kind = body.get("kind", "fraudulent")
    if kind not in disputes.KINDS:
        raise ApiError(f"kind must be one of {', '.join(disputes.KINDS)}")
    with _account_of(body["charge"]) as tx:
        charge = tx.get("charge", body["charge"])
        if not charge["captured"]:
            raise ApiError(f"{charge.id} took no money: there is nothing to dispute")
        return {"dispute": dict(disputes.open_for(tx, charge, kind))}


@blueprint.post("/clock")
def clock() -> dict[str, Any]:
    """Move the sandbox's time forward: {"advance": seconds}."""
    seconds = _body({"advance": int}, required=("advance",))["advance"]
    if seconds < 0:
        raise ApiError("time only goes forward")
    _sandbox().state.advance_clock(seconds)
    return {"now": int(_sandbox().state.now())}


@blueprint.get("/faults")
def list_faults() -> dict[str, Any]:
    return {"faults": [vars(fault) for fault in _sandbox().faults.all()]}


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
    body = _body({"target": str, "kind": str, "times": int, **detail}, required=("target", "kind"))
    target, kind, times = body.pop("target"), body.pop("kind"), body.pop("times", 1)
    if kind not in faults.KINDS.get(target, ()):
        raise ApiError("; ".join(f"target {name}: kind is one of {', '.join(of)}" for name, of in faults.KINDS.items()))
    if times < 1 and times != faults.FOREVER:
        raise ApiError(f"times is a number of times, or {faults.FOREVER} for as long as it is not cleared")
    if body.get("when", "before") not in ("before", "after"):
        raise ApiError("when must be before or after")
    if kind == "reorder":
        body.setdefault("seconds", 2)
    _sandbox().faults.add(target, kind, times, body)
    return list_faults(), 201


@blueprint.delete("/faults")
def clear_faults() -> dict[str, Any]:
    _sandbox().faults.clear()
    return list_faults()


@blueprint.post("/endpoints")
def add_endpoint() -> dict[str, Any]:
    """Send every event of a key's account to an address: {"key": …, "url": …, "secrets": [whsec_…]}."""
    body = _body({"key": str, "url": str, "secrets": list}, required=("key", "url", "secrets"))
    try:
        account_of(body["key"])
    except ValueError as error:
        raise ApiError(str(error)) from error
    _sandbox().forward(body["key"], body["url"], body["secrets"])
    return {"forwarding_to": body["url"]}


@blueprint.post("/reset")
def reset() -> dict[str, Any]:
    """Forget everything but where events are forwarded to."""
    _body({})
    _sandbox().reset()
    return {"reset": True}


@blueprint.errorhandler(ApiError)
def _answer_refusal(error: ApiError) -> tuple[Response, int]:
    return jsonify({"error": error.message}), error.status


@blueprint.errorhandler(HTTPException)
def _answer_http_error(error: HTTPException) -> tuple[Response, int]:
    return jsonify({"error": error.description or error.name}), error.code or 500


def _sandbox() -> Sandbox:
    found: Sandbox = current_app.extensions["sandbox"]
    return found


def _body(fields: Mapping[str, type | tuple[type, ...]], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """The request's JSON object, if it has only these fields, of these types, and all the required ones."""
    body = request.get_json()
    if not isinstance(body, dict):
        raise ApiError("expected a JSON object")
    for name, value in body.items():
        if name not in fields:
            raise ApiError(f"unknown field {name}; known: {', '.join(fields) or 'none'}")
        if not isinstance(value, fields[name]) or isinstance(value, bool):
            raise ApiError(f"{name} is of the wrong type")
    for name in required:
        if name not in body:
            raise ApiError(f"{name} is missing")
    return body


def _limit() -> int:
    given = request.args.get("limit", "50")
    if not (given.isascii() and given.isdigit()):
        raise ApiError("limit must be a number")
    return min(max(int(given), 1), MOST)


def _newest(kind: str) -> list[dict[str, Any]]:
    with _sandbox().state.read("") as tx:
        rows = tx.execute(
            "SELECT account, json(body) AS body FROM objects WHERE kind = ? AND NOT deleted ORDER BY seq DESC LIMIT ?",
            kind,
            _limit(),
        )
        return [{"account": row["account"], **current_app.json.loads(row["body"])} for row in rows]


def _attempts(tx: Transaction, delivery: int) -> list[dict[str, Any]]:
    rows = tx.execute("SELECT at, seconds, status, answer FROM attempts WHERE delivery = ? ORDER BY id", delivery)
    return [dict(row) for row in rows]


def _account_of(object_id: str) -> AbstractContextManager[Transaction]:
    """A write transaction of the account an object belongs to."""
    with _sandbox().state.read("") as tx:
        row = tx.execute("SELECT account FROM objects WHERE id = ?", object_id).fetchone()
    if row is None:
        raise _unknown("object", object_id)
    return _sandbox().state.write(row["account"])


def _unknown(kind: str, object_id: str) -> ApiError:
    return ApiError(f"no such {kind}: {object_id}", status=404)
