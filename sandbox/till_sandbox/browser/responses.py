"""How scripts and pages are answered: with a strict policy, and nothing kept that may hold a secret."""

from typing import TypeVar

from flask import Response, make_response, request
from werkzeug.wrappers import Response as BaseResponse

from till_sandbox.browser.script import assemble

AnyResponse = TypeVar("AnyResponse", bound=BaseResponse)

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
}


def script_response(entry: str) -> BaseResponse:
    """The script that begins at a module, asked for anew each time and sent when it has changed."""
    response = Response(assemble(entry), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.add_etag()
    return response.make_conditional(request)


def page_response(text: str, **directives: str) -> Response:
    """A page with the policy of all of them; `directives` are its own, with _ for a hyphen."""
    policy = _POLICY | {name.replace("_", "-"): sources for name, sources in directives.items()}
    response = make_response(text)
    response.headers["Content-Security-Policy"] = "; ".join(f"{name} {sources}" for name, sources in policy.items())
    response.headers["X-Content-Type-Options"] = "nosniff"
    return private(response)


def private(response: AnyResponse) -> AnyResponse:
    """Addresses here carry client secrets: nothing is kept, and no other site is told where the browser came from."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
