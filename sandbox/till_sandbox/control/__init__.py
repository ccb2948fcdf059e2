"""The control API under /sandbox: look inside, and make the sandbox do what Stripe's dashboard (or bad luck) would.

Requests and answers are JSON; a request that changes something must say so in its content type, so that no page of
another origin can send it. What is wrong with a request is answered as {"error": …}.
"""

from flask import Blueprint, Response, jsonify
from werkzeug.exceptions import HTTPException

from till_sandbox.control import commands, listings
from till_sandbox.errors import ApiError

blueprint = Blueprint("control", __name__, url_prefix="/sandbox")
blueprint.register_blueprint(listings.blueprint)
blueprint.register_blueprint(commands.blueprint)


@blueprint.errorhandler(ApiError)
def _answer_refusal(error: ApiError) -> tuple[Response, int]:
    return jsonify({"error": error.message}), error.status


@blueprint.errorhandler(HTTPException)
def _answer_http_error(error: HTTPException) -> tuple[Response, int]:
    return jsonify({"error": error.description or error.name}), error.code or 500
