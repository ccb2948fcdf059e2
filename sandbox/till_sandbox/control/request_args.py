"""What a request to the control API says, checked."""

from collections.abc import Mapping
from typing import Any

from flask import current_app, request

from till_sandbox.api.keys import account_of
from till_sandbox.errors import ApiError
from till_sandbox.sandbox import Sandbox

#: The most that is listed or sent at once.
MOST = 200
#: The largest number that is taken: every program's numbers are exact up to here, and SQLite's too.
LARGEST = 2**53
#: The longest time, in seconds: a hundred years.
LONGEST = 100 * 366 * 24 * 3600


def sandbox() -> Sandbox:
    found: Sandbox = current_app.extensions["sandbox"]
    return found


def body(fields: Mapping[str, type | tuple[type, ...]], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """The request's JSON object, if it has only these fields, of these types, and all the required ones."""
    try:
        given = request.get_json()
    except RecursionError as error:
        raise ApiError("too deep") from error
    if not isinstance(given, dict):
        raise ApiError("expected a JSON object")
    for name, value in given.items():
        if name not in fields:
            raise ApiError(f"unknown field {name}; known: {', '.join(fields) or 'none'}")
        if not isinstance(value, fields[name]) or isinstance(value, bool):
            raise ApiError(f"{name} is of the wrong type")
        if isinstance(value, int | float) and not abs(value) <= LARGEST:  # so written, it finds what is no number too
            raise ApiError(f"{name} is too large")
        if not str(value).isprintable():
            raise ApiError(f"{name} holds what is no text")
    for name in required:
        if name not in given:
            raise ApiError(f"{name} is missing")
    return given


def limit() -> int:
    """How many things to list, from the query: 50 unless told, MOST at most."""
    given = request.args.get("limit", "50")
    if not (given.isascii() and given.isdigit()):
        raise ApiError("limit must be a number")
    return min(max(int(given[:9]), 1), MOST)


def account() -> str | None:
    """The account to list from, named in the query by its id or one of its keys; None for every account."""
    given = request.args.get("account", "")
    if not given or given.startswith("acct_"):
        return given or None
    try:
        return account_of(given)
    except ValueError as error:
        raise ApiError(f"account is an id (acct_…) or {error}") from error


def unknown(kind: str, object_id: str) -> ApiError:
    return ApiError(f"no such {kind}: {object_id}", status=404)
