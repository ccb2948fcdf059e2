"""The page of a Checkout Session, where a customer pays: its address is the session's `url`.

What they change on it is sent as JSON, which no page of another origin can do, and answered with what the page shows
next. Who knows the address may pay.
"""

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template, request
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as BaseResponse

from till_sandbox.browser import checkout_texts as texts
from till_sandbox.browser.checkout_form import read
from till_sandbox.browser.responses import page_response, private, script_response
from till_sandbox.data import load
from till_sandbox.errors import ApiError
from till_sandbox.model import money
from till_sandbox.model.checkout import page
from till_sandbox.model.checkout.changes import Shown
from till_sandbox.model.checkout.page import Attempt
from till_sandbox.state import Resource, State

blueprint = Blueprint("checkout", __name__, template_folder="templates")

#: What stands for the session's id in its `success_url`.
ID = "{CHECKOUT_SESSION_ID}"


@blueprint.get("/sandbox/checkout/page.js")
def page_script() -> BaseResponse:
    """The script of the page."""
    return script_response("checkout/main.js")


@blueprint.get("/c/pay/<session_id>")
def show(session_id: str) -> Response:
    """The page; once the session is complete or its time is over, that there is nothing to do."""
    shown = page.find(_state(), session_id)
    if shown.session["url"] is None or shown.session["expires_at"] <= _state().now():
        return _answered("browser/checkout_done.html", **_merchant(shown.session))
    countries = load("countries")["names"]
    asked = shown.session["shipping_address_collection"]
    delivered = {code: name for code, name in countries.items() if asked and code in asked["allowed_countries"]}
    return _answered(
        "browser/checkout.html",
        countries=countries,
        delivered=delivered,
        options=_shipping_options(shown),
        submit=texts.submit_text(shown.session, shown.lines),
        **_merchant(shown.session),
        **_summary(shown),
    )


@blueprint.post("/c/pay/<session_id>/pay")
def pay(session_id: str) -> Response:
    """Press the button. Answers where to go, which bank's page to show, or why it was refused and at which field."""
    return _outcome(page.pay(_state(), session_id, read(_body())))


@blueprint.get("/c/pay/<session_id>/outcome")
def outcome(session_id: str) -> Response:
    """The same once the bank's page is closed."""
    return _outcome(page.intent_of(_state(), session_id))


@blueprint.post("/c/pay/<session_id>/change")
def change(session_id: str) -> Response:
    """Use a code, take it back, choose how it is delivered, how many, how much. Answers the order as it is then, as
    HTML."""
    body = _body()
    try:
        shown = _changed(_state(), session_id, body)
    except ApiError as refusal:
        return private(jsonify({"error": {"field": refusal.param, "message": texts.refusal_text(refusal)}}))
    html = render_template("browser/_checkout_summary.html", **_summary(shown))
    return private(jsonify({"summary": html, "submit": texts.submit_text(shown.session, shown.lines)}))


@blueprint.errorhandler(page.SessionNotFound)
def not_found(_error: page.SessionNotFound) -> Response:
    answer = _answered("browser/checkout_unknown.html")
    answer.status_code = 404
    return answer


def _changed(state: State, session_id: str, body: dict[str, Any]) -> Shown:
    if "promotionCode" in body:
        code = str(body["promotionCode"])
        return page.use_code(state, session_id, code) if code else page.remove_code(state, session_id)
    if "shippingRate" in body:
        return page.choose_shipping(state, session_id, str(body["shippingRate"]))
    if isinstance(body.get("amount"), int):
        return page.set_amount(state, session_id, body["amount"])
    if "line" in body and isinstance(body.get("quantity"), int):
        return page.set_quantity(state, session_id, str(body["line"]), body["quantity"])
    raise BadRequest("nothing to change")


def _outcome(attempt: Attempt) -> Response:
    session, intent, refusal = attempt.session, attempt.intent, attempt.refusal
    if session["status"] == "complete":
        return private(jsonify({"redirect": session["success_url"].replace(ID, session["id"])}))
    if session["status"] != "open" or (refusal is not None and texts.is_closed(refusal)):
        return private(jsonify({"closed": True}))
    if intent is not None and intent["status"] == "requires_action":
        return private(jsonify({"challenge": intent["next_action"]["use_stripe_sdk"]["stripe_js"]}))
    field = refusal.param if refusal is not None and refusal.status != 402 else None
    message = texts.refusal_text(refusal) if refusal is not None else texts.failure_text(intent)
    return private(jsonify({"error": {"field": field, "message": message}}))


def _summary(shown: Shown) -> dict[str, Any]:
    """What the part of the page needs that says what is bought and what it costs."""
    session = shown.session
    lines = [
        {
            "adjustable": line["adjustable_quantity"],
            "description": product["description"],
            "each": texts.amount(round(float(line.private["unit_amount"])), session) if line["quantity"] > 1 else None,
            "id": line.id,
            "name": line["description"],
            "quantity": line["quantity"],
            "total": texts.amount(line["amount_subtotal"], session),
        }
        for line, product in zip(shown.lines, shown.products, strict=True)
    ]
    return {
        "session": session,
        "lines": lines,
        "code": shown.code,
        "custom": _custom(shown),
        "sums": texts.sums(shown),
        "total": texts.amount(session["amount_total"], session) if session["mode"] == "payment" else None,
        "due": texts.is_due(session, shown.lines),
    }


def _custom(shown: Shown) -> dict[str, Any] | None:
    """The amount that the customer may choose, as it is written in the field for it."""
    if not shown.lines or shown.lines[0]["price"]["custom_unit_amount"] is None:
        return None
    decimals = money.decimals_of(shown.session["currency"])
    amount = int(shown.lines[0].private["unit_amount"])
    return {"decimals": decimals, "written": f"{amount / 10**decimals:.{decimals}f}" if amount else ""}


def _shipping_options(shown: Shown) -> list[dict[str, Any]]:
    chosen = (shown.session["shipping_cost"] or {}).get("shipping_rate")
    return [
        {
            "id": rate.id,
            "name": rate["display_name"],
            "estimate": texts.estimate(rate["delivery_estimate"]),
            "cost": texts.amount(option["shipping_amount"], shown.session) if option["shipping_amount"] else "Free",
            "chosen": rate.id == chosen,
        }
        for rate, option in zip(shown.rates, shown.session["shipping_options"], strict=True)
    ]


def _merchant(session: Resource) -> dict[str, Any]:
    branding = session["branding_settings"] or {}
    return {"merchant": branding.get("display_name") or "Sandbox account", "cancel_url": session["cancel_url"]}


def _answered(template: str, **shown: Any) -> Response:
    return page_response(render_template(template, **shown), frame_src="'self'", frame_ancestors="'none'")


def _body() -> dict[str, Any]:
    try:
        body = request.get_json()
    except RecursionError as error:
        raise BadRequest("too deep") from error
    if not isinstance(body, dict):
        raise BadRequest("expected a JSON object")
    return body


def _state() -> State:
    state: State = current_app.extensions["sandbox"].state
    return state
