"""`expand`: objects in place of their ids, up to four levels deep. Which fields can be expanded: `data/sdk.json`."""

from collections.abc import Callable
from typing import Any

from sandbox.data import load
from sandbox.errors import ApiError
from sandbox.state import Resource, Transaction

DEEPEST = 4

_EXPANDABLE: dict[str, list[str]] = load("sdk")["expandable"]

#: The kind of object behind an id, by its prefix.
_KINDS = {
    "ch": "charge",
    "cus": "customer",
    "du": "dispute",
    "pi": "payment_intent",
    "pm": "payment_method",
    "re": "refund",
    "seti": "setup_intent",
    "setatt": "setup_attempt",
    "txn": "balance_transaction",
}
#: Fields the library's types call plain ids, and Stripe expands all the same.
_ALSO = {"charge": ["payment_method", "dispute"], "dispute": ["balance_transaction"]}


def expand(tx: Transaction, body: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """The answer with the fields named by `paths` expanded; an error for any that can't be."""
    for path in paths:
        parts = path.split(".")
        if len([part for part in parts if part != "data"]) > DEEPEST:
            raise ApiError(
                f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}", param="expand"
            )
        _walk(tx, body, parts, path)
    return body


def _walk(tx: Transaction, body: dict[str, Any], parts: list[str], path: str) -> None:
    kind = str(body.get("object"))
    if kind in ("list", "search_result"):
        if parts[0] != "data":
            raise _refused(path)
        used, below = 1, body["data"]
    else:
        used, below = _expand_field(tx, kind, body, parts, path)
    rest = parts[used:]
    for item in (below if isinstance(below, list) else [below]) if rest else []:
        if isinstance(item, dict):
            _walk(tx, item, rest, path)


def _expand_field(
    tx: Transaction, kind: str, body: dict[str, Any], parts: list[str], path: str
) -> tuple[int, dict[str, Any] | list[Any] | None]:
    """Put the object in place of its id; how many parts of the path led there, and what is there now.

    A field that holds objects already may be passed on the way down.
    """
    name = parts[0]
    if kind in _LISTS and name in _LISTS[kind]:
        body[name] = body.get(name) or _LISTS[kind][name](tx, body)
        return 1, body[name]
    expandable = [*_EXPANDABLE.get(kind, []), *_ALSO.get(kind, [])]
    for used in range(1, len(parts) + 1):
        if ".".join(parts[:used]) in expandable:
            return used, _put_object(tx, body, parts[:used])
    if len(parts) > 1 and isinstance(body.get(name), dict | list):
        return 1, body[name]
    raise _refused(path)


def _put_object(tx: Transaction, body: dict[str, Any], parts: list[str]) -> dict[str, Any] | None:
    """Expand a field of the object or of a hash inside it; nothing, where there is nothing to expand."""
    for part in parts[:-1]:
        inside = body.get(part)
        if not isinstance(inside, dict):
            return None
        body[part] = body = dict(inside)
    name = parts[-1]
    if isinstance(body.get(name), str):
        body[name] = _load(tx, body[name])
    return body[name] if isinstance(body.get(name), dict) else None


def _load(tx: Transaction, object_id: str) -> Any:
    kind = _KINDS.get(object_id.split("_", 1)[0])
    found = tx.find(kind, object_id) if kind else None
    if found is None:
        return {"id": object_id, "object": kind, "deleted": True} if kind == "customer" else object_id
    return dict(found)


def _refunds(tx: Transaction, charge: dict[str, Any]) -> dict[str, Any]:
    return _list(tx.all("refund", charge=charge["id"]), f"/v1/charges/{charge['id']}/refunds")


def _none_of(name: str) -> Callable[[Transaction, dict[str, Any]], dict[str, Any]]:
    """Customers of the sandbox have none of them."""
    return lambda _tx, customer: _list([], f"/v1/customers/{customer['id']}/{name}")


def _list(found: list[Resource], url: str) -> dict[str, Any]:
    data = [dict(item) for item in found[:10]]
    return {"object": "list", "data": data, "has_more": len(found) > 10, "total_count": len(found), "url": url}


#: Lists that are only there when they are expanded.
_LISTS: dict[str, dict[str, Callable[[Transaction, dict[str, Any]], dict[str, Any]]]] = {
    "charge": {"refunds": _refunds},
    "customer": {name: _none_of(name) for name in ("sources", "subscriptions", "tax_ids")},
}


def _refused(path: str) -> ApiError:
    return ApiError(f"This property cannot be expanded ({path}).", param="expand")
