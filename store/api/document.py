"""The OpenAPI document, made of the views themselves: what they take, what they answer, and which scope they need."""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from typing import Any

from flask import Blueprint, Response, current_app
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from store.api import PATH
from store.api.operations import IDEMPOTENCY_KEY, JSON, REPLAYED, Operation, operation_of, public
from store.api.schemas import ProblemDetail
from store.domain.api_keys import Scope
from store.services.repetition import LONGEST_KEY
from store.web.current import services

blueprint = Blueprint("document", __name__)

VERSION = "1.0.0"
_REF = "#/components/schemas/{model}"
_PROBLEMS = {
    400: "Something in the request is not taken.",
    401: "There is no key, or none that works.",
    403: "The key does not have the scope.",
    404: "It is not there.",
    409: "The store refuses this: `code` and `reason` say why. Or the same request is being worked on.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "Another request came with this Idempotency-Key.",
    429: "Too many requests within a minute.",
    500: "The store made a mistake.",
    503: "The database or the payment service does not answer right now.",
}


@blueprint.get("/openapi.json")
@public
def show() -> Response:
    """This document."""
    return Response(json.dumps(document()), content_type=JSON)


def document() -> dict[str, Any]:
    """The document of the current application."""
    paths: dict[str, dict[str, Any]] = {}
    models: set[type[BaseModel]] = {ProblemDetail}
    for rule in current_app.url_map.iter_rules():
        operation = operation_of(current_app.view_functions[rule.endpoint])
        if operation is None or operation.answer is None:
            continue
        models |= {operation.answer} | ({operation.body} if operation.body else set())
        path = re.sub(r"<[a-z]+:([a-z]+)>", r"{\1}", rule.rule.removeprefix(PATH))
        paths.setdefault(path, {})["post" if operation.writes else "get"] = _described(rule, operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{services().settings.store_name}: orders and stock",
            "version": VERSION,
            "description": "Amounts are in minor units of their currency, times in UTC.",
        },
        "servers": [{"url": services().settings.store_url + PATH}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": _schemas(models),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": f"Scopes: {', '.join(Scope)}."}
            },
        },
    }


def statuses(rule: Rule, operation: Operation) -> list[int]:
    """Every status that a view may answer with."""
    found = {*operation.statuses, 401, 403, 429, 500, 503}
    if operation.writes or operation.query is not None:
        found.add(400)
    if rule.arguments:
        found.add(404)
    if operation.writes:
        found |= {409, 413, 415, 422}
    return sorted(found)


def _described(rule: Rule, operation: Operation) -> dict[str, Any]:
    view = current_app.view_functions[rule.endpoint]
    words = " ".join((inspect.getdoc(view) or "").split())
    described: dict[str, Any] = {
        "operationId": rule.endpoint.replace(".", "_"),
        "summary": words.partition(".")[0] + ".",
        "description": words,
        "security": [{"key": [operation.scope]}],
        "parameters": [*_path_parameters(rule), *_query_parameters(operation)],
        "responses": {str(status): _response(status, operation) for status in statuses(rule, operation)},
    }
    if operation.body is not None:
        described["parameters"].append(_IDEMPOTENCY)
        described["requestBody"] = {"content": {JSON: {"schema": _reference(operation.body)}}}
    return described


def _path_parameters(rule: Rule) -> list[dict[str, Any]]:
    converters = current_app.url_map.converters
    named = re.findall(r"<([a-z]+):([a-z]+)>", rule.rule)
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{converters[converter].regex}$"},
        }
        for converter, name in named
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    shape = operation.query.model_json_schema()
    known = shape.get("$defs", {})
    found = []
    for name, schema in shape["properties"].items():
        # An enumeration stands in the parameter itself.
        whole = {**known[schema["$ref"].rpartition("/")[2]], **schema} if "$ref" in schema else schema
        kept = {key: value for key, value in whole.items() if key not in ("$ref", "title", "description")}
        found.append(
            {"name": name, "in": "query", "schema": kept}
            | ({"description": schema["description"]} if "description" in schema else {})
        )
    return found


def _response(status: int, operation: Operation) -> dict[str, Any]:
    if status >= 400:
        content = {"application/problem+json": {"schema": _reference(ProblemDetail)}}
        answer: dict[str, Any] = {"description": _PROBLEMS[status], "content": content}
        if status in (429, 503):
            answer["headers"] = {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds."}}
        return answer
    shape = operation.answer or BaseModel
    answer = {"description": " ".join((inspect.getdoc(shape) or "").split()), "content": {}}
    answer["content"] = {JSON: {"schema": _reference(shape)}}
    if operation.writes:
        words = "Whether this is the answer that an earlier request with the same key got."
        answer["headers"] = {REPLAYED: {"schema": {"type": "string", "const": "true"}, "description": words}}
    return answer


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


@cache
def _schemas_of(models: frozenset[type[BaseModel]]) -> dict[str, Any]:
    asked = {model for model in models if model.__name__.endswith("Request")}
    modes = [(model, "validation" if model in asked else "serialization") for model in models]
    _by_model, shapes = models_json_schema(modes, ref_template=_REF)  # type: ignore[arg-type]  # the modes are literals
    defined: dict[str, Any] = shapes["$defs"]
    return dict(sorted(defined.items()))


def _schemas(models: set[type[BaseModel]]) -> dict[str, Any]:
    return _schemas_of(frozenset(models))


_IDEMPOTENCY = {
    "name": IDEMPOTENCY_KEY,
    "in": "header",
    "required": True,
    "description": "Names the request: sent again with the same key within 24 hours, it is done once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
}
