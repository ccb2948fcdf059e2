"""The Flask application: the API, what browsers load, and the sandbox's own pages."""

from pathlib import Path

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

from sandbox import ids
from sandbox.api.pipeline import response, with_log
from sandbox.api.route import Route
from sandbox.api.routes import ROUTES
from sandbox.browser import blueprint as browser
from sandbox.clock import Clock, SystemClock
from sandbox.control import blueprint as control
from sandbox.errors import ApiError, unrecognized_url
from sandbox.line import Line
from sandbox.sandbox import Sandbox
from sandbox.webhooks import Send, send_over_http

#: Largest request taken, in bytes.
LARGEST_REQUEST = 2 * 1024 * 1024


def create_app(
    database: str | Path,
    *,
    clock: Clock | None = None,
    public_url: str = "http://127.0.0.1:4242",
    send: Send = send_over_http,
) -> Flask:
    """A sandbox on a database file. `app.extensions["sandbox"]` is its Sandbox.

    Nothing happens by itself until `Sandbox.start` is called; tests call `Sandbox.deliver_due` instead.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_REQUEST
    sandbox = Sandbox(database, clock=clock or SystemClock(), public_url=public_url, send=send)
    app.extensions["sandbox"] = sandbox
    for route in ROUTES:
        _add(app, route)
    app.register_blueprint(browser)
    app.register_blueprint(control)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.wsgi_app = Line(app.wsgi_app, sandbox.faults)  # type: ignore[method-assign]  # Flask's way to wrap one
    return app


def _add(app: Flask, route: Route) -> None:
    def view(**path_ids: str) -> Response:
        sandbox: Sandbox = current_app.extensions["sandbox"]
        return sandbox.pipeline.answer(request, route, path_ids)

    rule = route.path.replace("{", "<").replace("}", ">")
    app.add_url_rule(
        rule, f"{route.method} {route.path}", view, methods=[route.method], provide_automatic_options=False
    )


def _answer_http_error(error: HTTPException) -> Response | HTTPException:
    """Under /v1 every error is one of Stripe's; a method it does not have there is an unknown URL too."""
    if not request.path.startswith("/v1"):
        return error
    refusal = unrecognized_url(request.method, request.path)
    if error.code not in (404, 405, 308):
        refusal = ApiError(error.description or error.name, status=error.code or 400)
    request_id = ids.new("req")
    return response(refusal.status, {"error": with_log(refusal.body(), request_id)}, request_id)
