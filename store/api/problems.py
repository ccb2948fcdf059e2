"""What a program is told when something is refused or fails: one shape, RFC 9457's, with the store's own codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from http import HTTPStatus

from structlog.contextvars import get_contextvars

from store.api.schemas import FieldProblem, ProblemDetail
from store.domain import errors
from store.domain.errors import RepetitionRefusal, StoreError
from store.domain.money import Money
from store.services.repetition import GivenAnswer
from store.web.errors import status_of


def problem(
    status: int,
    code: str,
    detail: str,
    more: Mapping[str, object] | None = None,
    *,
    faults: list[FieldProblem] | None = None,
) -> GivenAnswer:
    """An answer that says what went wrong, and `more` of it; what is None is left out."""
    shape = ProblemDetail(
        type=f"urn:till:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        request_id=get_contextvars().get("request_id"),
        errors=faults,
    )
    whole = shape.model_copy(update=dict(more or {}))
    return GivenAnswer(status, whole.model_dump_json(exclude_none=True))


def problem_of(error: StoreError) -> GivenAnswer:
    """An error of the store, with its data."""
    status = status_of(type(error))
    if isinstance(error, errors.RepetitionRefused):
        status = _REPETITION[error.reason]
    more = {field.name: _plain(getattr(error, field.name)) for field in fields(error)}
    reason = getattr(error, "reason", None)
    detail = _DETAILS.get(f"{error.code}.{reason}" if reason is not None else error.code, "The store refuses this.")
    return problem(status, error.code, detail, {name: value for name, value in more.items() if value != ""})


def _plain(value: object) -> object:
    if isinstance(value, Money):
        return {"minor": value.minor, "currency": value.currency}
    return value.isoformat() if isinstance(value, datetime) else value


_REPETITION: Mapping[RepetitionRefusal, int] = {
    RepetitionRefusal.KEY_MISSING: 400,
    RepetitionRefusal.KEY_INVALID: 400,
    RepetitionRefusal.KEY_OF_ANOTHER_REQUEST: 422,
    RepetitionRefusal.IN_PROGRESS: 409,
}
# By the error's code, and its reason where it has one.
_DETAILS: Mapping[str, str] = {
    "not_found": "It is not there.",
    "order_closed": "The order is paid or closed by now, or the bank is deciding.",
    "store_busy": "The database did not answer in time, so nothing was changed.",
    "payment_unavailable": "The payment service does not answer right now.",
    "payment_service_failed": "The payment service broke down over this.",
    "deadline_exceeded": "There was no time left to ask the payment service.",
    "payment_misconfigured": "The payment service refuses what the store asks.",
    "payment_missing": "The payment is of another account or mode of the payment service.",
    "repetition_refused.idempotency_key_missing": "A request that changes something needs the header Idempotency-Key.",
    "repetition_refused.idempotency_key_invalid": "An Idempotency-Key is 1 to 255 visible characters of ASCII.",
    "repetition_refused.idempotency_key_of_another_request": "Another request came with this Idempotency-Key.",
    "repetition_refused.idempotency_key_in_progress": "The request with this Idempotency-Key is being worked on.",
    "order_not_fulfilled.not_paid": "The order is not paid, so it is not to be sent.",
    "order_not_fulfilled.review_open": "The order waits for a person, who resolves its review in /admin.",
    "order_not_fulfilled.disputed": "The cardholder disputes the payment; `disputed` sends it all the same.",
    "refund_refused.disputed": "The cardholder disputes the payment: the bank has that money.",
    "capture_refused.not_authorised": "No card is authorised for this order.",
    "capture_refused.ended": "The authorisation has ended, and nothing was charged.",
    "capture_refused.by_payment_service": "The payment service does not charge the card.",
    "capture_refused.other_account": "The payment is of another account or mode of the payment service.",
    "capture_refused.too_much": "No more than `amount` was authorised.",
    "capture_refused.not_a_whole_step": "An amount in this currency is a multiple of `amount`.",
    "capture_refused.earlier_unanswered": "`amount` was asked for, and is not answered yet.",
    "order_not_fulfilled.tracking_invalid": "The tracking is not one line of visible characters.",
    "order_not_fulfilled.carrier_invalid": "The carrier is not one line of visible characters.",
    "order_not_fulfilled.fewer_left": "So many pieces are not left to be sent.",
    "order_not_fulfilled.nothing_chosen": "There is nothing to be sent.",
    "order_not_fulfilled.rest_is_paid": "All of it is charged, so what is not sent has to be refunded.",
    "order_not_fulfilled.stock_gone": "Its things were sold when its money went back.",
    "refund_refused.not_by_line": "Only an amount of this order can be refunded.",
    "refund_refused.fewer_left": "So much is not left to be refunded.",
    "refund_refused.not_charged": "Nothing was charged for what was chosen.",
    "refund_refused.charged": "What was chosen was charged.",
    "refund_refused.by_payment_service": "The payment service does not refund this payment: it was returned already.",
    "refund_refused.other_account": "The payment is of another account or mode of the payment service.",
    "refund_refused.not_a_whole_step": "An amount in this currency is a multiple of `amount`.",
    "refund_refused.too_much": "No more than `amount` can be returned.",
    "refund_refused.other_currency": "The order was paid in another currency.",
    "refund_refused.earlier_unanswered": "A refund of `amount` is not answered yet; `another` asks for one besides.",
    "refund_refused.key_of_another_order": "This refund was requested for another order.",
    "refund_refused.key_of_another_amount": "This refund was requested with another amount.",
    "catalogue_refused.below_reserved": "`count` pieces are reserved for open orders: so many have to stay.",
}
