"""The address Stripe sends events to: raw body, signature, and an answer that says whether to send it again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, request
from flask.typing import ResponseReturnValue

from store.services.services import Services
from store.web import request_log
from store.web.current import now, services
from store.web.security import LARGEST_EVENT, csrf, security_headers
from store.webhooks import inbox
from store.webhooks.inbox import InboxResult

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from store.gateway.deadline import RequestDeadline

PATH = "/webhooks/stripe"
_FAILURE = "till.webhook_failure"

blueprint = Blueprint("webhooks", __name__)
csrf.exempt(blueprint)  # the signature says who sends it


@blueprint.post(PATH)
def stripe() -> ResponseReturnValue:
    """200 once the event is dealt with or not ours, 400 when it cannot be believed, 5xx to get it again.

    Most deliveries never come here: see `Entry`.
    """
    failure: Exception | None = request.environ.get(_FAILURE)
    if failure is not None:
        raise failure
    body = request.get_data(cache=False)
    outcome = inbox.receive(services(), body, request.headers.get("Stripe-Signature"), now())
    return {"outcome": outcome}, 200


class Entry:
    """WSGI middleware that takes webhooks before Flask does, which has nothing to add to an answer without a page, a
    form or a cookie, and costs more than all that a webhook needs.

    What cannot be answered with 200 goes on to Flask with its failure; so does what is no whole POST request of a
    length that is said and not too great.
    """

    def __init__(self, app: Flask, request_deadline: RequestDeadline) -> None:
        self._flask, self._app, self._deadline = app, app.wsgi_app, request_deadline
        secure = security_headers(app.extensions["services"].settings).headers.items()
        self._headers = [*secure, ("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        self._bodies = {outcome: _body(outcome) for outcome in InboxResult}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        length = _length(environ)
        if length is None:
            return self._app(environ, start_response)
        body = _read(environ, length)
        if len(body) < length:
            return self._app(environ, start_response)
        started = request_log.start(environ)
        services: Services = self._flask.extensions["services"]
        self._deadline.begin()
        try:
            outcome = inbox.receive(services, body, environ.get("HTTP_STRIPE_SIGNATURE"), services.clock())
        except Exception as failure:  # noqa: BLE001  # whatever it is, Flask's error pages know it
            environ[_FAILURE] = failure
            return self._app(environ, start_response)
        finally:
            self._deadline.end()
        answer = self._bodies[outcome]
        headers = [*self._headers, ("Content-Length", str(len(answer))), (request_log.HEADER, started.id)]
        request_log.finish(started, "POST", PATH, 200)
        start_response("200 OK", headers)
        return [answer]


def _body(outcome: InboxResult) -> bytes:
    """As Flask writes it."""
    return json.dumps({"outcome": outcome}, separators=(",", ":")).encode() + b"\n"


def _length(environ: WSGIEnvironment) -> int | None:
    """The length of a webhook's body; None for everything that Flask has to look at."""
    if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "POST" or "HTTP_TRANSFER_ENCODING" in environ:
        return None
    said = environ.get("CONTENT_LENGTH", "")
    plain = said.isdecimal() and len(said) <= len(str(LARGEST_EVENT))
    return int(said) if plain and int(said) <= LARGEST_EVENT else None


def _read(environ: WSGIEnvironment, length: int) -> bytes:
    """The body, which may break off."""
    parts = []
    try:
        while length > 0 and (part := environ["wsgi.input"].read(length)):
            parts.append(part)
            length -= len(part)
    except (OSError, ValueError):  # the other end has gone
        parts.clear()
    body = b"".join(parts)
    environ["wsgi.input"] = BytesIO(body)
    return body
