"""Every failure answered once: a status and a page for each. Views do not catch.

The words are in `store/web/presentation/errors.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from store import logs
from store.domain import errors
from store.web import limits
from store.web.mount import current_path
from store.web.presentation.errors import (
    NOT_BY_THIS_STEP,
    NOT_KNOWN,
    NOTHING_CHARGED,
    ErrorMessage,
    error_message,
    message_for_status,
)

log = structlog.get_logger(__name__)

# One row for each error of the store; a subclass without a row of its own is answered as its nearest parent.
STATUS: Mapping[type[errors.StoreError], int] = {
    errors.NotFound: 404,
    errors.QuantityInvalid: 400,
    errors.AmountOutOfRange: 409,
    errors.CartEmpty: 409,
    errors.OutOfStock: 409,
    errors.NotShippedThere: 409,
    errors.ShippingMethodUnavailable: 409,
    errors.AddressMissing: 409,
    errors.CouponRefused: 409,
    errors.PriceChanged: 409,
    errors.TaxAddressUnknown: 409,
    errors.TaxesUnavailable: 503,
    errors.TaxCalculationGone: 503,
    errors.TaxNotRecorded: 503,
    errors.TooManyDeclines: 429,
    errors.OrderClosed: 409,
    errors.RefundRefused: 409,
    errors.CaptureRefused: 409,
    errors.EventGone: 409,
    errors.DisputeNotAnswered: 409,
    errors.EvidenceFileRefused: 409,
    errors.CatalogueRefused: 409,
    errors.PictureRefused: 409,
    errors.StaffRefused: 409,
    errors.ApiKeyRefused: 409,
    errors.EndpointRefused: 409,
    errors.EndpointUnreachable: 503,
    errors.RepetitionRefused: 409,
    errors.PaymentUnconfirmed: 503,
    errors.OrderNotFulfilled: 409,
    errors.SignatureInvalid: 400,
    errors.WebhookUnreadable: 400,
    errors.PaymentUnavailable: 503,
    errors.PaymentServiceFailed: 503,
    errors.DeadlineExceeded: 503,
    errors.ReviewNotResolved: 409,
    errors.PaymentMisconfigured: 503,
    errors.PaymentMissing: 503,
    errors.DetailsRefused: 409,
    errors.StoreBusy: 503,
    errors.MailUnavailable: 503,
    errors.MailRefused: 503,
    errors.StoreError: 500,
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
    response = _page(status, error_message(error), nothing_charged=error.nothing_charged)
    if status == 503:
        retry_after = error.retry_after if isinstance(error, errors.StoreBusy) else _RETRY_AFTER
        response.headers["Retry-After"] = str(retry_after)
    return response


def _answer_order_closed(error: errors.OrderClosed) -> ResponseReturnValue:
    """Paid in another tab, expired, or the bank is deciding: the order's own page says which it is."""
    if _wants_json():
        return _page(409, error_message(error))
    return redirect(url_for("orders.status", reference=error.reference), 303)


def _answer_csrf(_error: CSRFError) -> ResponseReturnValue:
    """A form without its token: most often cookies are off, or the page was open since long ago."""
    if _wants_json():
        return _page(400, message_for_status(400))
    return make_response(render_template("csrf.html", path=_page_of_form()), 400)


def _answer_http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error  # a redirect made by the router
    # Whoever has just paid and finds no page must not pay again.
    lost_order = error.code == 404 and request.path.startswith("/orders/")
    words = error_message(errors.NotFound(errors.Subject.ORDER)) if lost_order else message_for_status(error.code)
    response = _page(error.code, words)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    if error.code in (429, 503):
        response.headers.setdefault("Retry-After", str(limits.retry_after() or _RETRY_AFTER))
    return response


def _answer_unexpected(failure: Exception) -> ResponseReturnValue:
    """A mistake of ours. Flask would log the failure's message, and with it whatever that quotes."""
    log.error("unexpected failure", failure=logs.where(failure))
    return _page(500, message_for_status(500))


def _page(status: int, message: ErrorMessage, *, nothing_charged: bool = False) -> Response:
    if _wants_json():
        return make_response({"status": status, "message": message.message}, status)
    page = render_template(
        "error.html",
        status=status,
        message=message,
        money=_where_the_money_is(nothing_charged) if message.retry else "",
        not_known=NOT_KNOWN,
        retry=current_path() if message.retry and _can_be_loaded() else None,
    )
    return make_response(page, status)


def _can_be_loaded() -> bool:
    """Whether a link to this address is of use: that of the form which leads to the hosted page leads to the order."""
    return request.method == "GET" or request.endpoint == "orders.hosted_page"


def _where_the_money_is(nothing_charged: bool) -> str:
    if request.blueprint != "orders":
        return NOT_BY_THIS_STEP
    return NOTHING_CHARGED if nothing_charged else NOT_KNOWN


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
