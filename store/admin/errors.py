"""What the store refuses a member of staff, answered once. A form that is refused leads back to its page, with a
sentence that says why; any other failure has a page of its own.
"""

from __future__ import annotations

import structlog
from flask import Flask, Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from store import logs
from store.admin import guard
from store.admin.presentation.refusals import refusal
from store.admin.presentation.words import SIGNING_IN, STATUS_WORDS
from store.domain.errors import NotFound, StoreError
from store.web.errors import status_of

log = structlog.get_logger(__name__)


def register(app: Flask) -> None:
    """Answer every exception: the store's, those of HTTP, and mistakes."""
    app.register_error_handler(StoreError, _answer_store_error)
    app.register_error_handler(guard.NotFresh, _answer_not_fresh)
    app.register_error_handler(CSRFError, _answer_csrf)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unexpected)


def page_of_form() -> str:
    """The address of a page of ours that shows the form of this request afresh. Never one out of the request."""
    return url_for("home.show") if request.form.get("back") == "today" else page_of_address()


def page_of_address() -> str:
    """The same, by the address that the form was sent to: nothing of the form is read."""
    blueprint, args = request.blueprint, request.view_args or {}
    if blueprint in ("products", "pictures") and "slug" in args:
        return url_for("products.edit", slug=args["slug"])
    if blueprint == "products":
        return url_for("products.categories")
    if blueprint in ("charges", "coupons"):
        return url_for(f"{blueprint}.index")
    if blueprint == "webhooks":
        return url_for("webhooks.index", show="failed")
    if blueprint in ("orders", "disputes") and "reference" in args:
        return url_for("orders.show", reference=args["reference"])
    if blueprint in ("programs", "endpoints"):
        return url_for("programs.index")
    if blueprint == "team":
        return url_for("team.listing")
    return url_for("account.show") if guard.member_or_none() is not None else url_for("security.login")


def _answer_store_error(error: StoreError) -> ResponseReturnValue:
    if request.method == "POST" and not isinstance(error, NotFound):
        flash(refusal(error), "bad")
        return redirect(page_of_form(), 303)
    status = status_of(type(error))
    return _page(status, refusal(error))


def _answer_not_fresh(_stale: guard.NotFresh) -> ResponseReturnValue:
    """Have the password typed again, and lead back: to the page of a form, which is not sent a second time."""
    flash(*SIGNING_IN["REAUTHENTICATION_REQUIRED"])
    back = f"{request.script_root}{request.path}" if request.method == "GET" else page_of_form()
    return redirect(url_for("security.verify", next=back), 303)


def _answer_csrf(_error: CSRFError) -> ResponseReturnValue:
    return _page(400, STATUS_WORDS["csrf"])


def _answer_http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error  # a redirect made by the router
    response = _page(error.code, STATUS_WORDS.get(str(error.code), STATUS_WORDS["400"]))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _answer_unexpected(failure: Exception) -> ResponseReturnValue:
    """A mistake of ours. Flask would log the failure's message, and with it whatever that quotes."""
    log.error("unexpected failure", failure=logs.where(failure))
    return _page(500, STATUS_WORDS["500"])


def _page(status: int, sentence: str) -> Response:
    return make_response(render_template("admin/error.html", status=status, sentence=sentence), status)
