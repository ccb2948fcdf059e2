"""The Flask application: the API, what browsers load, and the sandbox's own pages."""

from collections.abc import Iterable
from pathlib import Path

from flask import Flask, request
from werkzeug.exceptions import HTTPException

from till_sandbox.api.application import ApiApplication, answer_http_error, answer_refusal
from till_sandbox.api.http import LARGEST_REQUEST, Answer
from till_sandbox.browser import blueprint as browser
from till_sandbox.browser import checkout
from till_sandbox.clock import Clock, SystemClock
from till_sandbox.console import blueprint as console
from till_sandbox.control import blueprint as control
from till_sandbox.errors import unrecognized_url
from till_sandbox.fault_middleware import FaultMiddleware
from till_sandbox.sandbox import Sandbox
from till_sandbox.webhooks import Send, send_over_http

#: Where Stripe has its API. Of the second nothing is imitated.
API_PATHS = ("/v1", "/v2")


def create_app(
    database: str | Path,
    *,
    clock: Clock | None = None,
    public_url: str = "http://127.0.0.1:4242",
    send: Send = send_over_http,
    allowed_hosts: Iterable[str] = (),
) -> Flask:
    """A sandbox on a database file. `app.extensions["sandbox"]` is its Sandbox.

    The control API answers on this machine's addresses and on the names in `allowed_hosts`.

    Nothing happens by itself until `Sandbox.start` is called; tests call `Sandbox.deliver_due` instead.
    """
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # an address with one too many is unknown; nobody is sent to another one
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_REQUEST
    sandbox = Sandbox(database, clock=clock or SystemClock(), public_url=public_url, send=send)
    app.extensions["sandbox"] = sandbox
    app.config["CONTROL_HOSTS"] = frozenset(allowed_hosts)
    app.register_blueprint(browser)
    app.register_blueprint(checkout)
    app.register_blueprint(control)
    app.register_blueprint(console)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.wsgi_app = FaultMiddleware(  # type: ignore[method-assign]  # Flask's way to wrap one
        ApiApplication(app.wsgi_app, sandbox.pipeline), sandbox
    )
    return app


def _answer_http_error(error: HTTPException) -> Answer | HTTPException:
    """Under Stripe's paths every error has Stripe's form, also Flask's own."""
    if not request.path.startswith(API_PATHS):
        return error
    if error.code in (404, 405):
        return answer_refusal(unrecognized_url(request.method, request.path))
    return answer_http_error(error, request.environ)
