"""The Flask application: the API, what browsers load, and the sandbox's own pages."""

from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path

from flask import Flask, Request, Response, current_app, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from till_sandbox import ids
from till_sandbox.api.pipeline import broken_down, response, with_log
from till_sandbox.api.router import find
from till_sandbox.browser import blueprint as browser
from till_sandbox.clock import Clock, SystemClock
from till_sandbox.console import blueprint as console
from till_sandbox.control import blueprint as control
from till_sandbox.errors import ApiError, unrecognized_url
from till_sandbox.fault_middleware import FaultMiddleware
from till_sandbox.sandbox import Sandbox
from till_sandbox.webhooks import Send, send_over_http

#: Largest request taken, in bytes.
LARGEST_REQUEST = 2 * 1024 * 1024
#: Bytes of a request that is too large that are still read (and forgotten).
LARGEST_READ_ON = 32 * LARGEST_REQUEST

#: Where Stripe has its API. Of the second nothing is imitated.
API_PATHS = ("/v1", "/v2")

METHODS = ("DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT")


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
    app.add_url_rule("/v1/<path:path>", "api", _answer_call, methods=METHODS, provide_automatic_options=False)
    app.register_blueprint(browser)
    app.register_blueprint(control)
    app.register_blueprint(console)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.wsgi_app = FaultMiddleware(app.wsgi_app, sandbox)  # type: ignore[method-assign]  # Flask's way to wrap one
    return app


def answer_refusal(refusal: ApiError) -> Response:
    """Stripe's answer to what does not become a call of the API."""
    request_id = ids.new("req")
    return response(refusal.status, {"error": with_log(refusal.body(), request_id)}, request_id)


def _answer_call(path: str) -> Response:
    """Every call of the API; the path is looked up in the API's own table."""
    sandbox: Sandbox = current_app.extensions["sandbox"]
    asked: Request = request._get_current_object()  # type: ignore[attr-defined]  # looked up once, not at every use
    return sandbox.pipeline.answer(asked, find(asked.method, f"/v1/{path}"))


def _answer_http_error(error: HTTPException) -> Response | HTTPException:
    """Under Stripe's paths every error has Stripe's form, also Flask's own."""
    if not request.path.startswith(API_PATHS):
        return error
    if error.code == RequestEntityTooLarge.code:
        _read_on()
    if error.code in (404, 405):
        return answer_refusal(unrecognized_url(request.method, request.path))
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:  # a defect of the sandbox's own, already in its log
        return answer_refusal(broken_down())
    return answer_refusal(ApiError(error.description or error.name, status=status))


def _read_on() -> None:
    """Read what is still being sent, up to a limit: a caller cut off while it sends may never read the answer."""
    body = request.environ["wsgi.input"]
    for _ in range(LARGEST_READ_ON // LARGEST_REQUEST):
        if not body.read(LARGEST_REQUEST):
            return
