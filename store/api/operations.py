"""Views of the API: each says what it takes, what it answers and which scope it needs. The same words check a request,
write the answer, and are the OpenAPI document.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from store.api import caller
from store.api.problems import problem_of
from store.api.schemas import FieldProblem
from store.domain.api_keys import Scope
from store.domain.errors import StoreError
from store.services import repetition
from store.services.repetition import ClaimedRequest, GivenAnswer
from store.web.current import now, services
from store.web.errors import status_of

JSON = "application/json"
IDEMPOTENCY_KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_OPERATION: Final = "operation"


@dataclass(frozen=True, slots=True)
class Operation:
    """What a view takes and answers. Without a `scope` it is for whoever comes."""

    scope: Scope | None
    answer: type[BaseModel] | None
    statuses: tuple[int, ...] = (200,)
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None

    @property
    def writes(self) -> bool:
        return self.body is not None


class Unfit(Exception):
    """A request that says something which this address does not take; `faults` never quote what was sent."""

    def __init__(self, faults: list[FieldProblem]) -> None:
        self.faults = faults
        super().__init__(f"{len(faults)} faults")


def public(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view is for whoever comes, and answers by itself."""
    setattr(view, _OPERATION, Operation(None, None))
    return view


def reads(
    scope: Scope, answer: type[BaseModel], *, query: type[BaseModel] | None = None
) -> Callable[[Callable[..., BaseModel]], Callable[..., Response]]:
    """The view shows something: it gets the `query` of the address, and returns the answer."""
    operation = Operation(scope, answer, query=query)

    def mark(view: Callable[..., BaseModel]) -> Callable[..., Response]:
        @functools.wraps(view)
        def answered(**path: str) -> Response:
            asked = {} if query is None else {"query": _query(query)}
            return response_of(GivenAnswer(200, view(**path, **asked).model_dump_json()))

        setattr(answered, _OPERATION, operation)
        return answered

    return mark


def changes(
    scope: Scope, answer: type[BaseModel], *, body: type[BaseModel], statuses: tuple[int, ...] = (201,)
) -> Callable[[Callable[..., tuple[BaseModel, int]]], Callable[..., Response]]:
    """The view changes something, once for each idempotency key: it gets the `body` and the request that it works on,
    and returns the answer with its status. A refusal is an answer, too; where something did not answer or broke, the
    request may be repeated.
    """
    operation = Operation(scope, answer, statuses, body=body)

    def mark(view: Callable[..., tuple[BaseModel, int]]) -> Callable[..., Response]:
        @functools.wraps(view)
        def answered(**path: str) -> Response:
            asked = _body(body)
            begun = _begin(asked)
            if isinstance(begun, GivenAnswer):
                response = response_of(begun)
                response.headers[REPLAYED] = "true"
                return response
            return response_of(_finished(begun, lambda: view(**path, body=asked, claimed=begun)))

        setattr(answered, _OPERATION, operation)
        return answered

    return mark


def unfit_cursor() -> Unfit:
    """What to raise for a `cursor` that no page had as its `next`."""
    return Unfit([FieldProblem(pointer="?/cursor", detail="This is not the `next` of a page.")])


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """What was said of a view."""
    found: Operation | None = getattr(view, _OPERATION, None)
    return found


def response_of(answer: GivenAnswer) -> Response:
    """An answer as it is sent."""
    kind = JSON if answer.status < 400 else "application/problem+json"
    return Response(answer.body, answer.status, content_type=kind)


def _query(query: type[BaseModel]) -> BaseModel:
    try:
        return query.model_validate(request.args.to_dict())
    except ValidationError as failure:
        raise Unfit(_faults(failure, "?")) from None


def _body(body: type[BaseModel]) -> BaseModel:
    sent = request.get_data()
    if sent and request.mimetype != JSON:
        raise UnsupportedMediaType
    try:
        return body.model_validate_json(sent or b"{}")
    except ValidationError as failure:
        raise Unfit(_faults(failure, "#")) from None


def _faults(failure: ValidationError, root: str) -> list[FieldProblem]:
    return [
        FieldProblem(pointer="/".join([root, *map(str, fault["loc"])]), detail=fault["msg"])
        for fault in failure.errors(include_url=False, include_context=False, include_input=False)
    ]


def _begin(asked: BaseModel) -> ClaimedRequest | GivenAnswer:
    named = request.headers.get(IDEMPOTENCY_KEY, "").strip().strip('"')
    whole = f"{request.method} {request.path}\n{asked.model_dump_json()}"
    fingerprint = hashlib.sha256(whole.encode()).hexdigest()
    return repetition.begin(services(), caller.key().id, named, fingerprint, now())


def _finished(claimed: ClaimedRequest, work: Callable[[], tuple[BaseModel, int]]) -> GivenAnswer:
    try:
        done, status = work()
        answer = GivenAnswer(status, done.model_dump_json())
    except StoreError as refused:
        if status_of(type(refused)) >= 500:
            with services().database.transaction() as session:
                repetition.give_back(session, claimed)
            raise
        answer = problem_of(refused)
    with services().database.transaction() as session:
        repetition.finish(session, claimed, answer)
    return answer
