"""The control API under /sandbox: look inside, and make the sandbox do what Stripe's dashboard (or bad luck) would.

Requests and answers are JSON; a request that changes something must say so in its content type, so that no page of
another origin can send it. What is wrong with a request is answered as {"error": …}.
"""

import ipaddress
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException

from till_sandbox.control import commands, listings
from till_sandbox.errors import ApiError

blueprint = Blueprint("control", __name__, url_prefix="/sandbox")
blueprint.register_blueprint(listings.blueprint)
blueprint.register_blueprint(commands.blueprint)


@blueprint.before_request
def _refuse_other_sites() -> None:
    """A page of another site must not reach what is in here: neither by its own origin, nor by a name of its own that
    it lets point at this machine.
    """
    if not _is_here(urlsplit(f"//{request.host}").hostname or ""):
        raise ApiError(
            f"the control API does not answer for {request.host}: use 127.0.0.1, or start it with --allow-host",
            status=403,
        )
    origin = request.headers.get("Origin")
    if origin is not None and origin != request.host_url.rstrip("/"):
        raise ApiError(f"the control API does not answer pages of {origin}", status=403)


def _is_here(host: str) -> bool:
    """Whether nobody else can have chosen the name. An address is no name that could be pointed elsewhere."""
    if host == "localhost" or host in current_app.config["CONTROL_HOSTS"]:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@blueprint.errorhandler(ApiError)
def _answer_refusal(error: ApiError) -> tuple[Response, int]:
    return jsonify({"error": error.message}), error.status


@blueprint.errorhandler(HTTPException)
def _answer_http_error(error: HTTPException) -> tuple[Response, int]:
    return jsonify({"error": error.description or error.name}), error.code or 500
