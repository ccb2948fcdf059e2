"""The API in front of the Flask application: what is asked under /v1 is answered here, without Flask's own machinery.

Most of what a sandbox is asked is asked here, and Flask's contexts, routing and signals cost as much as a small answer.
"""

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from till_sandbox import ids
from till_sandbox.api.http import LARGEST_REQUEST, Answer, Request
from till_sandbox.api.pipeline import Pipeline, broken_down, response, with_log
from till_sandbox.api.router import find
from till_sandbox.errors import ApiError

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/v1/"

#: Bytes of a request that is too large that are still read (and forgotten).
LARGEST_READ_ON = 32 * LARGEST_REQUEST

_log = logging.getLogger(__name__)


class ApiApplication:
    """WSGI middleware that answers every call of the API and hands on everything else."""

    def __init__(self, application: "WSGIApplication", pipeline: Pipeline) -> None:
        self._application = application
        self._pipeline = pipeline

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(PREFIX):
            return self._application(environ, start_response)
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Answer:
        try:
            return self._pipeline.answer(request, find(request.method, request.path))
        except HTTPException as error:
            return answer_http_error(error, request.environ)
        except Exception:  # noqa: BLE001  # whatever the defect is, its caller gets an answer that the libraries can read
            _log.exception("%s %s broke down", request.method, request.path)
            return answer_refusal(broken_down())


def answer_refusal(refusal: ApiError) -> Answer:
    """Stripe's answer to what does not become a call of the API."""
    request_id = ids.new("req")
    return response(refusal.status, {"error": with_log(refusal.body(), request_id)}, request_id)


def answer_http_error(error: HTTPException, environ: "WSGIEnvironment") -> Answer:
    """The same for an error of the library that reads requests."""
    if error.code == RequestEntityTooLarge.code:
        _read_on(environ["wsgi.input"])
    return answer_refusal(ApiError(error.description or error.name, status=error.code or HTTPStatus.BAD_REQUEST))


def _read_on(body: "InputStream") -> None:
    """Read what is still being sent, up to a limit: a caller cut off while it sends may never read the answer."""
    for _ in range(LARGEST_READ_ON // LARGEST_REQUEST):
        if not body.read(LARGEST_REQUEST):
            return
