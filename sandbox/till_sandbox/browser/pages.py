"""The addresses a browser knows: the script, the frames it opens, and the bank's page.

The frames may be shown inside any shop's page, so they allow every ancestor; in return they load nothing that is not
the sandbox's own and run no script that is not a file of its own.
"""

from typing import Literal
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, current_app, redirect, render_template, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from till_sandbox.browser import fields
from till_sandbox.browser.responses import page_response, private, script_response
from till_sandbox.model import authentications, money
from till_sandbox.model.authentications import Authentication
from till_sandbox.state import State

blueprint = Blueprint(
    "browser", __name__, static_folder="static", static_url_path="/sandbox/frames/static", template_folder="templates"
)

#: The releases of Stripe.js, by the folder that each is served from (README of @stripe/stripe-js).
RELEASES = ("v3", "acacia", "basil", "clover", "dahlia", "endive")


@blueprint.get("/v3", strict_slashes=False)
@blueprint.get(f"/<any({', '.join(RELEASES)}):_release>/stripe.js")
def stripe_js(_release: str = "v3") -> BaseResponse:
    """The classic script that defines `Stripe`, at the addresses it has at Stripe. Any page may load it, with or
    without CORS.

    Every release is the same script, which imitates endive; only `Stripe.version` says the name it was loaded by.
    """
    response = script_response("stripe/main.js")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blueprint.get("/sandbox/frames/<any(authenticated, challenge, controller, field, form):name>.js")
def frame_script(name: str) -> BaseResponse:
    """The script of one of the pages below."""
    return script_response(f"frames/{name}.js")


@blueprint.get("/v3/controller.html")
def controller() -> Response:
    """The hidden frame that talks to the API for a shop's page."""
    return page_response(render_template("browser/controller.html"))


@blueprint.get("/v3/elements-inner-card.html")
def field() -> Response:
    """The inside of the card Element that the query names in `componentName`: `card`, `cardNumber`, `cardExpiry` or
    `cardCvc`."""
    kind = request.args.get("componentName", "")
    if kind not in fields.PARTS:
        raise NotFound
    page = render_template(
        "browser/field.html",
        kind=kind,
        title=fields.TITLES[kind],
        parts=fields.PARTS[kind],
        inputs=fields.INPUTS,
        countries=fields.card_countries() if kind == "card" else None,
    )
    return page_response(page)


@blueprint.get("/v3/elements-inner-<kind>.html")
def form(kind: str) -> Response:
    """The inside of an Element that is a form: the Payment Element's, an address, an e-mail address."""
    if kind not in fields.FORM_TITLES:
        raise NotFound
    page = render_template(
        "browser/form.html", kind=kind, title=fields.FORM_TITLES[kind], fields=fields.form_fields(kind)
    )
    return page_response(page)


@blueprint.get("/v3/three-ds-2-challenge.html")
def challenge_frame() -> Response:
    """The frame around the bank's page, which a shop's page shows in its dialog."""
    return page_response(render_template("browser/challenge_frame.html"), frame_src="'self'")


@blueprint.get("/sandbox/3ds/<authentication_id>")
def challenge(authentication_id: str) -> BaseResponse:
    """The bank's 3-D Secure page, or, once the cardholder has decided, what follows."""
    try:
        authentication = authentications.find(_state(), authentication_id, request.args.get("client_secret", ""))
    except authentications.NotFound:
        return _nothing_to_confirm()
    if authentication.status != "pending":
        return _decided_page(authentication)
    page = render_template(
        "browser/challenge.html",
        merchant=authentication.merchant,
        amount=_amount(authentication),
        last4=authentication.last4,
    )
    return page_response(page, form_action=f"'self' {_origin(authentication)}".strip())


@blueprint.post("/sandbox/3ds/<authentication_id>")
def decide(authentication_id: str) -> BaseResponse:
    """The cardholder's decision, in `outcome`: complete or fail. What was decided first stays."""
    outcomes: dict[str, Literal["complete", "fail"]] = {"complete": "complete", "fail": "fail"}
    outcome = outcomes.get(request.form.get("outcome", ""))
    if outcome is None:
        return _nothing_to_confirm("The authentication can be completed or failed.", status=400)
    try:
        decided = authentications.decide(_state(), authentication_id, request.args.get("client_secret", ""), outcome)
    except authentications.NotFound:
        return _nothing_to_confirm()
    return _decided_page(decided)


def _decided_page(decided: Authentication) -> BaseResponse:
    if request.args.get("redirect") == "1" and decided.return_url:
        return private(redirect(_return_address(decided), code=303))
    page = render_template(
        "browser/outcome.html", completed=decided.status == "complete", framed=request.args.get("redirect") != "1"
    )
    return page_response(page)


def _nothing_to_confirm(reason: str = "No payment is waiting at this address.", status: int = 404) -> Response:
    response = page_response(render_template("browser/unknown.html", reason=reason))
    response.status_code = status
    return response


def _return_address(decided: Authentication) -> str:
    """`return_url` with what Stripe adds: the intent, its client secret, and whether the authentication succeeded."""
    kind = "setup_intent" if decided.amount is None else "payment_intent"
    added = urlencode(
        {
            kind: decided.intent,
            f"{kind}_client_secret": decided.intent_secret,
            "redirect_status": "succeeded" if decided.status == "complete" else "failed",
        }
    )
    parts = urlsplit(decided.return_url or "")
    return parts._replace(query=f"{parts.query}&{added}" if parts.query else added).geturl()


def _origin(authentication: Authentication) -> str:
    """Where the form may lead after the decision: browsers hold a form's redirects against form-action as well."""
    if request.args.get("redirect") != "1" or not authentication.return_url:
        return ""
    parts = urlsplit(authentication.return_url)
    return f"{parts.scheme}://{parts.netloc}"


def _amount(authentication: Authentication) -> str:
    if authentication.amount is None or authentication.currency is None:
        return "Nothing now"
    return f"{money.text(authentication.amount, authentication.currency)} {authentication.currency.upper()}"


def _state() -> State:
    state: State = current_app.extensions["sandbox"].state
    return state
