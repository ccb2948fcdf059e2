"""Every failure answered once: a status and a page for each. Views do not catch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from store import logs
from store.domain import errors

log = structlog.get_logger(__name__)

# One row for each error of the store; a subclass without a row of its own is answered as its nearest parent.
STATUS: Mapping[type[errors.StoreError], int] = {
    errors.NotFound: 404,
    errors.QuantityInvalid: 400,
    errors.AmountOutOfRange: 409,
    errors.CartEmpty: 409,
    errors.OutOfStock: 409,
    errors.OrderClosed: 409,
    errors.RefundRefused: 409,
    errors.SignatureInvalid: 400,
    errors.WebhookUnreadable: 400,
    errors.PaymentUnavailable: 503,
    errors.PaymentServiceFailed: 503,
    errors.DeadlineExceeded: 503,
    errors.ReviewNotResolved: 409,
    errors.PaymentMisconfigured: 503,
    errors.StoreBusy: 503,
    errors.MailUnavailable: 503,
    errors.StoreError: 500,
}


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """`money` says where the shopper's money is, where that can be in doubt; `retry` offers the same page again."""

    heading: str
    message: str
    money: str = ""
    retry: bool = False


_NOTHING_CHARGED = "Nothing was charged."
_NOT_BY_THIS = "Nothing was charged by this step."
# An order's own pages must not say that, while nobody can look whether it was paid.
_NOT_SEEN = "We cannot see right now whether you were charged."

PAGES: Mapping[int, ErrorPage] = {
    400: ErrorPage("We could not read that", "The request was not complete. Please go back and try again."),
    403: ErrorPage("This is not open to you", "You may not see this page."),
    404: ErrorPage(
        "We could not find that page", "It may have moved, or it belongs to an order made in another browser."
    ),
    405: ErrorPage("That does not work here", "This address cannot be used that way."),
    409: ErrorPage("That is no longer possible", "Something changed in the meantime."),
    413: ErrorPage("That was too much at once", "What was sent is larger than any form of ours. Please shorten it."),
    415: ErrorPage("We could not read that", "What was sent was not a form."),
    429: ErrorPage("A little too fast", "Please wait a minute and try again.", _NOT_BY_THIS, retry=True),
    500: ErrorPage(
        "Something went wrong on our side",
        "We have been told and will look into it. Your cart and your orders are kept.",
        _NOT_BY_THIS,
        retry=True,
    ),
    503: ErrorPage(
        "We cannot take payments right now",
        "Your cart and your orders are kept. Please try again in a moment.",
        _NOT_BY_THIS,
        retry=True,
    ),
}

_RETRY_AFTER = 10  # seconds, where the error does not say better
_JSON_PATHS = ("/webhooks/", "/healthz", "/readyz")


def register(app: Flask) -> None:
    """Answer every exception: the store's, those of HTTP, and mistakes."""
    app.register_error_handler(errors.StoreError, _answer_store_error)
    app.register_error_handler(errors.OrderClosed, _answer_order_closed)
    app.register_error_handler(CSRFError, _answer_csrf)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unexpected)


def status_of(error: type[errors.StoreError]) -> int:
    """The HTTP status an error of the store is answered with."""
    return next(STATUS[kind] for kind in error.__mro__ if kind in STATUS)


def _answer_store_error(error: errors.StoreError) -> ResponseReturnValue:
    status = status_of(type(error))
    response = _page(status, error.message, nothing_charged=error.nothing_charged)
    if status == 503:
        response.headers["Retry-After"] = str(getattr(error, "retry_after", _RETRY_AFTER))
    return response


def _answer_order_closed(error: errors.OrderClosed) -> ResponseReturnValue:
    """Paid in another tab, expired, or the bank is deciding: the order's own page says which it is."""
    if _wants_json():
        return _page(409, error.message)
    return redirect(url_for("orders.status", reference=error.reference), 303)


def _answer_csrf(error: CSRFError) -> ResponseReturnValue:
    """A form without its token: most often cookies are off, or the page was open since long ago."""
    if _wants_json():
        return _page(400, str(error.description))
    return make_response(render_template("csrf.html", path=_page_of_form()), 400)


def _answer_http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error  # a redirect made by the router
    response = _page(error.code, None)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    if error.code in (429, 503):
        response.headers.setdefault("Retry-After", str(_RETRY_AFTER))
    return response


def _answer_unexpected(failure: Exception) -> ResponseReturnValue:
    """A mistake of ours. Flask would log the failure's message, and with it whatever that quotes."""
    log.error("unexpected failure", failure=logs.where(failure))
    return _page(500, None)


def _page(status: int, message: str | None, *, nothing_charged: bool = False) -> Response:
    page = PAGES.get(status) or (PAGES[400] if status < 500 else PAGES[500])
    if status == 404 and not _wants_json():
        message = None  # the heading says already that it was not found
    if _wants_json():
        return make_response({"status": status, "message": message or page.message}, status)
    money = page.money
    if page.money and request.blueprint == "orders":
        money = _NOTHING_CHARGED if nothing_charged else _NOT_SEEN
    retry = request.full_path.rstrip("?") if page.retry and request.method == "GET" else None
    return make_response(
        render_template(
            "error.html",
            status=status,
            page=page,
            message=message or page.message,
            money=money,
            unseen=money is _NOT_SEEN,
            retry=retry,
        ),
        status,
    )


def _wants_json() -> bool:
    """Programs ask these addresses, people do not read their answers."""
    return request.path.startswith(_JSON_PATHS) or request.path.endswith(".json")


def _page_of_form() -> str:
    """A page of ours that shows the refused form afresh. Never an address out of the request."""
    if request.blueprint == "checkout":
        return url_for("checkout.details")
    if request.blueprint == "orders" and request.view_args:
        return url_for("orders.status", reference=request.view_args["reference"])
    return url_for("cart.show")
