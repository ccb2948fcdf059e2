"""One line in the log for each request, and the request's id and order on every other line written meanwhile."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from flask import Flask, Response, request
from structlog.contextvars import bind_contextvars, clear_contextvars

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = structlog.get_logger(__name__)

HEADER = "X-Request-Id"
QUIET = ("health.alive",)
_STARTED = "till.started"


@dataclass(frozen=True, slots=True)
class Started:
    """A request's id, and when it began, in seconds of a clock that never goes back."""

    id: str
    at: float


def register(app: Flask) -> None:
    """Give each request an id, returned to the caller as `X-Request-Id`.

    The route is logged, never the address: that can hold the key of a mailed link, or whatever somebody typed.
    """
    app.before_request(_begin)
    app.after_request(_end)


def start(environ: WSGIEnvironment) -> Started:
    """Begin a request, whose lines have its id from now on. Flask goes on with it where it gets to see it."""
    clear_contextvars()
    started = environ[_STARTED] = Started(uuid.uuid4().hex, time.monotonic())
    bind_contextvars(request_id=started.id)
    return started


def finish(started: Started, method: str, route: str, status: int) -> None:
    """Log a request that is answered."""
    milliseconds = round((time.monotonic() - started.at) * 1000)
    log.info("request", method=method, route=route, status=status, ms=milliseconds)


def _begin() -> None:
    if _STARTED not in request.environ:
        start(request.environ)
    if reference := (request.view_args or {}).get("reference"):
        bind_contextvars(order=reference)


def _end(response: Response) -> Response:
    started: Started | None = request.environ.get(_STARTED)
    if started is None:  # refused before it began, as by the router
        return response
    response.headers[HEADER] = started.id
    if request.endpoint not in QUIET:
        finish(started, request.method, str(request.url_rule or "none"), response.status_code)
    return response
