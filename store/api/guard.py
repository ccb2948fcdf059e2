"""Who may ask for what: a program shows its key with each request, and the key has the scope that the view needs."""

from __future__ import annotations

from flask import Flask, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import parse
from werkzeug.exceptions import TooManyRequests

from store.api import caller
from store.api.operations import operation_of
from store.domain.api_keys import Scope
from store.services import api_keys
from store.web.current import now, services

REQUESTS_PER_MINUTE = 600  # of one key
FAILURES_PER_MINUTE = 60  # of one network address, without a key that works


class NotAuthenticated(Exception):
    """The request has no key, or none that works."""


class ScopeMissing(Exception):
    """The key may not do this; `scope` is what it would need."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__(scope)


def register(app: Flask) -> None:
    """Let nobody in without a key that has the scope. Call it when every view is there."""
    undecided = [endpoint for endpoint, view in app.view_functions.items() if operation_of(view) is None]
    if undecided:
        raise LookupError(f"nobody has said who may ask for {', '.join(undecided)}")
    app.before_request(_let_in)
    limiter = Limiter(
        _whose,
        default_limits=[f"{REQUESTS_PER_MINUTE} per minute"],
        headers_enabled=True,
        swallow_errors=True,
        in_memory_fallback_enabled=True,
        storage_options={"wrap_exceptions": True},
    )
    limiter.init_app(app)  # after the above: it counts for the key that was found
    app.extensions["api_limiter"] = limiter


def _let_in() -> None:
    if request.endpoint is None:
        return
    operation = operation_of(current_app.view_functions[request.endpoint])
    if operation is None or operation.scope is None:
        return
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    found = api_keys.find(services(), token.strip(), now()) if kind.casefold() == "bearer" else None
    if found is None:
        _count_failure()
        raise NotAuthenticated
    g.api_key = found
    if operation.scope not in found.scopes:
        raise ScopeMissing(operation.scope)


def _count_failure() -> None:
    counter = current_app.extensions["api_limiter"].limiter
    if not counter.hit(parse(f"{FAILURES_PER_MINUTE} per minute"), "no-key", get_remote_address()):
        raise TooManyRequests


def _whose() -> str:
    found = caller.key_or_none()
    return f"key {found.prefix}" if found is not None else f"address {get_remote_address()}"
