"""Looking inside: what there is in every account, or in one, newest first."""

from typing import Any

from flask import Blueprint, current_app, request

from till_sandbox.control import request_args
from till_sandbox.model import challenges, money
from till_sandbox.model.checkout import sessions
from till_sandbox.state import Transaction

blueprint = Blueprint("listings", __name__)


@blueprint.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@blueprint.get("/accounts")
def accounts() -> dict[str, Any]:
    """Every account that was used, or the one asked for, with its number of payments; the newest of them first."""
    account = request_args.account()
    with request_args.sandbox().state.read("") as tx:
        rows = tx.execute(
            "SELECT account AS id, count(*) FILTER (WHERE kind = 'payment_intent') AS payments "
            "FROM objects WHERE account = coalesce(?, account) GROUP BY account ORDER BY min(seq) DESC LIMIT ?",
            account,
            request_args.limit(),
        )
        return {"accounts": [dict(row) for row in rows]}


@blueprint.get("/payments")
def payments() -> dict[str, Any]:
    """PaymentIntents; `text` is the amount as it is written."""
    found = _newest("payment_intent", about=None)
    return {"payments": [{**it, "text": money.text(it["amount"], it["currency"])} for it in found]}


@blueprint.get("/checkout_sessions")
def list_checkout_sessions() -> dict[str, Any]:
    """Checkout Sessions; `text` is the total as it is written, null where there is none."""
    found = _newest(sessions.KIND, about=None)
    return {"checkout_sessions": [{**it, "text": _total(it)} for it in found]}


def _total(session: dict[str, Any]) -> str | None:
    total = session["amount_total"]
    return None if total is None else money.text(total, session["currency"])


@blueprint.get("/challenges")
def list_challenges() -> dict[str, Any]:
    """3-D Secure challenges."""
    return {"challenges": _newest(challenges.KIND, about=None)}


@blueprint.get("/events")
def list_events() -> dict[str, Any]:
    """Events; `?about=` a PaymentIntent or any other object: only those about it."""
    return {"events": _newest("event", about=request.args.get("about"))}


@blueprint.get("/events/<event_id>")
def event(event_id: str) -> dict[str, Any]:
    """One event."""
    with request_args.sandbox().state.read("") as tx:
        row = tx.execute(
            "SELECT account, json(body) AS body FROM objects WHERE id = ? AND kind = 'event'", event_id
        ).fetchone()
    if row is None:
        raise request_args.unknown("event", event_id)
    return {"event": {"account": row["account"], **current_app.json.loads(row["body"])}}


@blueprint.get("/deliveries")
def deliveries() -> dict[str, Any]:
    """Deliveries, each with its attempts; `?about=` as for events."""
    about = request.args.get("about")
    where, values = _where(request_args.account(), about, table="o.")
    with request_args.sandbox().state.read("") as tx:
        rows = tx.execute(
            "SELECT d.*, json_extract(o.body, '$.type') AS type, json_extract(e.body, '$.url') AS url "  # noqa: S608  # only names of ours
            "FROM deliveries d JOIN objects o ON o.id = d.event JOIN objects e ON e.id = d.endpoint "
            f"WHERE {where} ORDER BY d.id DESC LIMIT ?",
            *values,
            request_args.limit(),
        ).fetchall()
        return {"deliveries": [{**row, "attempts": _attempts(tx, row["id"])} for row in map(dict, rows)]}


@blueprint.get("/requests")
def list_requests() -> dict[str, Any]:
    """The newest requests to the API, each with its answer; `?about=` an object that one of them names."""
    log = request_args.sandbox().requests
    found = log.newest(request_args.limit(), account=request_args.account(), about=request.args.get("about"))
    return {"requests": found}


@blueprint.get("/clock")
def clock() -> dict[str, Any]:
    """The sandbox's time, and how far ahead of this machine's it is, in seconds."""
    state = request_args.sandbox().state
    return {"now": int(state.now()), "ahead": int(state.ahead)}


@blueprint.get("/faults")
def list_faults() -> dict[str, Any]:
    """What is still to go wrong, oldest first."""
    return {"faults": [vars(fault) for fault in request_args.sandbox().faults.all()]}


def _newest(kind: str, about: str | None) -> list[dict[str, Any]]:
    where, values = _where(request_args.account(), about)
    with request_args.sandbox().state.read("") as tx:
        rows = tx.execute(
            "SELECT account, json(body) AS body FROM objects "  # noqa: S608  # only names of ours
            f"WHERE kind = ? AND NOT deleted AND {where} ORDER BY seq DESC LIMIT ?",
            kind,
            *values,
            request_args.limit(),
        )
        return [{"account": row["account"], **current_app.json.loads(row["body"])} for row in rows]


def _where(account: str | None, about: str | None, table: str = "") -> tuple[str, list[str]]:
    """A condition on events (or on any object, where `about` is None), and its values."""
    conditions, values = ["1"], []
    if account is not None:
        conditions.append(f"{table}account = ?")
        values.append(account)
    if about:
        subject = (
            f"json_extract({table}body, '$.data.object.id'), json_extract({table}body, '$.data.object.payment_intent')"
        )
        conditions.append(f"? IN ({subject})")
        values.append(about)
    return " AND ".join(conditions), values


def _attempts(tx: Transaction, delivery: int) -> list[dict[str, Any]]:
    rows = tx.execute("SELECT at, seconds, status, answer FROM attempts WHERE delivery = ? ORDER BY id", delivery)
    return [dict(row) for row in rows]
