"""Plays recorded exchanges with Stripe against the sandbox and says where the answers differ."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient

Step = dict[str, Any]
Names = dict[str, Any]

NOTHING = object()
KINDS = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": float,
    "object": dict,
    "string": str,
}
#: Fields of an error that may be there only if the recording names them.
OPTIONAL_IN_ERRORS = (
    "advice_code",
    "charge",
    "code",
    "decline_code",
    "network_advice_code",
    "network_decline_code",
    "param",
    "payment_intent",
    "payment_method",
    "setup_intent",
)


def play(step: Step, http: FlaskClient, names: Names) -> tuple[int, Any]:
    """Send a step's request; what was answered. Names in braces stand for what earlier steps saved."""
    form = filled(step.get("endive_form", step.get("form", {})), names)
    answer = http.open(
        filled(step["path"], names),
        method=step["method"],
        query_string=urlencode(list(flat(filled(step.get("query", {}), names)))),
        data=urlencode(list(flat(form))),
        content_type="application/x-www-form-urlencoded",
        headers=filled(step.get("headers", {}), names),
    )
    return answer.status_code, answer.json


def differences(step: Step, status: int, body: Any, names: Names) -> Iterator[str]:
    """Every way in which the answer is not the recorded one."""
    if status != step["status"]:
        yield f"status {status}, recorded {step['status']}: {at(body, 'error.message')}"
    yield from _different_values(step, body, names)
    yield from _different_shapes(step, body, names)
    yield from _missing_keys(step, body)
    for path in _absent(step):
        if at(body, path) is not NOTHING:
            yield f"{path}: {at(body, path)!r}, recorded without"


def saved(step: Step, body: Any) -> Names:
    return {name: at(body, path) for name, path in step.get("save", {}).items()}


def at(body: Any, path: str) -> Any:
    """The value at a dotted path; numbers index lists, # is a list's length; NOTHING where there is none."""
    for part in path.split("."):
        if isinstance(body, dict) and part in body:
            body = body[part]
        elif isinstance(body, list) and part == "#":
            body = len(body)
        elif isinstance(body, list) and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        else:
            return NOTHING
    return body


def filled(value: Any, names: Names) -> Any:
    """The value with every {name} in its strings replaced; a string that is only a name becomes what was saved."""
    if isinstance(value, str):
        if re.fullmatch(r"\{\w+\}", value):
            return names[value[1:-1]]
        return re.sub(r"\{(\w+)\}", lambda match: str(names[match[1]]), value)
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    return value


def flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Form fields, nested with brackets."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from flat(item, f"{name}[{key}]" if name else str(key))
    elif isinstance(value, bool):
        yield name, str(value).lower()
    else:
        yield name, str(value)


def _different_values(step: Step, body: Any, names: Names) -> Iterator[str]:
    for path, wanted in {**step.get("expect", {}), **step.get("soft", {})}.items():
        if at(body, path) != filled(wanted, names):
            yield f"{path}: {at(body, path)!r}, recorded {filled(wanted, names)!r}"
    for path, allowed in step.get("one_of", {}).items():
        if at(body, path) not in allowed:
            yield f"{path}: {at(body, path)!r}, recorded one of {allowed!r}"


def _different_shapes(step: Step, body: Any, names: Names) -> Iterator[str]:
    for path, pattern in step.get("match", {}).items():
        if not re.search(filled(pattern, names), str(at(body, path))):
            yield f"{path}: {at(body, path)!r} does not match {pattern}"
    for path, kinds in step.get("types", {}).items():
        if not any(type(at(body, path)) is KINDS[kind] for kind in kinds.split("|")):
            yield f"{path}: {at(body, path)!r} is no {kinds}"


def _missing_keys(step: Step, body: Any) -> Iterator[str]:
    places = dict(step.get("keys_at", {}))
    if "keys" in step:
        places["error" if step.get("keys_of", "").startswith("error") else ""] = step["keys"]
    for path, keys in places.items():
        there = at(body, path) if path else body
        for key in keys:
            if not isinstance(there, dict) or key not in there:
                yield f"{path}.{key}: missing"


def _absent(step: Step) -> list[str]:
    absent = list(step.get("absent", []))
    expected = step.get("expect", {})
    if "error.type" in expected:
        mentioned = {path.split(".")[1] for path in _paths(step) if path.startswith("error.")}
        absent += [f"error.{name}" for name in OPTIONAL_IN_ERRORS if name not in mentioned]
        if "error.code" not in expected:
            absent.append("error.doc_url")
    return absent


def _paths(step: Step) -> list[str]:
    return [path for table in ("expect", "soft", "match", "types", "one_of") for path in step.get(table, {})]
