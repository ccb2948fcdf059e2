"""One line in the log for each request, and the request's id and order on every other line written meanwhile."""

from __future__ import annotations

import time
import uuid

import structlog
from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

log = structlog.get_logger(__name__)

QUIET = ("health.alive",)


def register(app: Flask) -> None:
    """Give each request an id, returned to the caller as `X-Request-Id`.

    The route is logged, never the address: that can hold the key of a mailed link, or whatever somebody typed.
    """
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    clear_contextvars()
    g.request_id, g.began = uuid.uuid4().hex, time.monotonic()
    bind_contextvars(request_id=g.request_id)
    if reference := (request.view_args or {}).get("reference"):
        bind_contextvars(order=reference)


def _end(response: Response) -> Response:
    if "request_id" not in g:  # refused before it began, as by the router
        return response
    response.headers["X-Request-Id"] = g.request_id
    if request.endpoint not in QUIET:
        milliseconds = round((time.monotonic() - g.began) * 1000)
        log.info(
            "request",
            method=request.method,
            route=str(request.url_rule or "none"),
            status=response.status_code,
            ms=milliseconds,
        )
    return response
