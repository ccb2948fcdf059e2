"""Every failure answered once, as a problem in JSON. Views do not catch."""

from __future__ import annotations

import structlog
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from store import logs
from store.api.guard import NotAuthenticated, ScopeMissing
from store.api.operations import Unfit, response_of
from store.api.problems import problem, problem_of
from store.domain.errors import RepetitionRefusal, RepetitionRefused, StoreBusy, StoreError

log = structlog.get_logger(__name__)

_RETRY_AFTER = 10  # seconds, where the error does not say better


def register(app: Flask) -> None:
    """Answer every exception: the store's, those of HTTP, and mistakes."""
    app.register_error_handler(StoreError, _answer_store_error)
    app.register_error_handler(NotAuthenticated, _answer_not_authenticated)
    app.register_error_handler(ScopeMissing, _answer_scope_missing)
    app.register_error_handler(Unfit, _answer_unfit)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unexpected)


def _answer_store_error(error: StoreError) -> Response:
    response = response_of(problem_of(error))
    if response.status_code == 503:
        response.headers["Retry-After"] = str(error.retry_after if isinstance(error, StoreBusy) else _RETRY_AFTER)
    elif isinstance(error, RepetitionRefused) and error.reason is RepetitionRefusal.IN_PROGRESS:
        response.headers["Retry-After"] = str(_RETRY_AFTER)
    return response


def _answer_not_authenticated(_error: NotAuthenticated) -> Response:
    detail = "Send a key that works: Authorization: Bearer till_…"
    response = response_of(problem(401, "not_authenticated", detail))
    response.headers["WWW-Authenticate"] = 'Bearer realm="till"'
    return response


def _answer_scope_missing(error: ScopeMissing) -> Response:
    detail = "The key does not have the scope for this."
    response = response_of(problem(403, "scope_missing", detail, {"scope": error.scope}))
    response.headers["WWW-Authenticate"] = f'Bearer realm="till", error="insufficient_scope", scope="{error.scope}"'
    return response


def _answer_unfit(error: Unfit) -> Response:
    detail = "Something in the request is not taken."
    return response_of(problem(400, "request_invalid", detail, faults=error.faults))


def _answer_http(error: HTTPException) -> Response:
    status = error.code or 500
    code, detail = _HTTP.get(status, _HTTP[500 if status >= 500 else 400])
    response = response_of(problem(status, code, detail))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    if status in (429, 503):
        response.headers.setdefault("Retry-After", str(_RETRY_AFTER))
    return response


def _answer_unexpected(failure: Exception) -> Response:
    """A mistake of ours. Flask would log the failure's message, and with it whatever that quotes."""
    log.error("unexpected failure", failure=logs.where(failure))
    return response_of(problem(500, *_HTTP[500]))


_HTTP = {
    400: ("request_invalid", "Something in the request is not taken."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address takes other methods: see the header Allow."),
    413: ("request_too_large", "The body is too large."),
    415: ("not_json", "This address takes JSON: Content-Type: application/json."),
    429: ("too_many_requests", "Too many requests within a minute."),
    500: ("internal_error", "The store made a mistake. It is in its log, under the request's id."),
}
