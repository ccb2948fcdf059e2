"""The faults of API calls: what a caller sees when Stripe or the network fails."""

import errno
import socket
import struct
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from till_sandbox import ids
from till_sandbox.api.http import Answer
from till_sandbox.api.pipeline import BREAKS_DOWN, FAULT, broken_down, response, with_log
from till_sandbox.errors import ApiError
from till_sandbox.faults import Fault
from till_sandbox.request_log import Entry

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from till_sandbox.sandbox import Sandbox


class FaultMiddleware:
    """WSGI middleware that plays the faults asked for on calls under /v1."""

    def __init__(self, application: "WSGIApplication", sandbox: "Sandbox") -> None:
        self._application = application
        self._sandbox = sandbox

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        faults = self._sandbox.faults
        fault = faults.next("api", f"{environ['REQUEST_METHOD']} {path}") if path.startswith("/v1/") else None
        if fault is None:
            return self._application(environ, start_response)
        key = environ.get("HTTP_IDEMPOTENCY_KEY") if environ["REQUEST_METHOD"] == "POST" else None
        kept = fault.kind == "error" and bool(key)
        if kept:
            environ[BREAKS_DOWN] = fault.when  # so that it is kept under the key, as every first answer is
        if kept or fault.when == "after":
            environ[FAULT] = fault.kind
            Response.from_app(self._application, environ, buffered=True)
        else:
            self._note(environ, fault)
        if fault.kind in ("reset", "timeout"):
            return _break_off(fault, environ)
        return _refusal(fault, kept=kept)(environ, start_response)

    def _note(self, environ: "WSGIEnvironment", fault: Fault) -> None:
        """Keep in the log of requests what the application never got to see."""
        entry = Entry(ids.new("req"), self._sandbox.state.now(), environ["REQUEST_METHOD"], environ["PATH_INFO"])
        entry.fault = fault.kind
        self._sandbox.requests.add(entry)


def _refusal(fault: Fault, *, kept: bool) -> Answer:
    if fault.kind == "rate_limit":
        error = ApiError(
            "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
            status=429,
            code="rate_limit",
        )
        headers = {"Stripe-Rate-Limited-Reason": "global-rate"}
    else:
        error = broken_down()
        # The SDKs repeat no request that would only bring the same answer again.
        headers = {"Stripe-Should-Retry": "false"} if kept else {}
    request_id = ids.new("req")
    return response(error.status, {"error": with_log(error.body(), request_id)}, request_id, headers)


def _break_off(fault: Fault, environ: "WSGIEnvironment") -> Iterable[bytes]:
    """End the connection without an answer: at once, or after the fault's time. Always raises."""
    connection: Any = environ.get("gunicorn.socket")
    if connection is None:  # called in process: there is nothing to wait for and nothing to cut
        raise TimeoutError("timed out on request") if fault.kind == "timeout" else _reset()
    if fault.kind == "timeout":
        time.sleep(fault.seconds)
    # Closed with a linger time of zero, a connection is reset instead of ended.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    raise _reset()


def _reset() -> ConnectionResetError:
    """With this error number Gunicorn takes the connection for gone and says nothing."""
    return ConnectionResetError(errno.ECONNRESET, "reset on request")
