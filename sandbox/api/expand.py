"""`expand`: objects in place of their ids, up to four levels deep. Which fields can be expanded: `data/sdk.json`."""

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
_ALSO = {"charge": ["payment_method", "dispute", "refunds"], "dispute": ["balance_transaction"]}


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
    name, rest = parts[0], parts[1:]
    if body.get("object") in ("list", "search_result"):
        if name != "data":
            raise _refused(path)
    else:
        _expand_field(tx, body, name, path, passing=bool(rest))
    if rest:
        below = body.get(name)
        for item in below if isinstance(below, list) else [below]:
            if isinstance(item, dict):
                _walk(tx, item, rest, path)


def _expand_field(tx: Transaction, body: dict[str, Any], name: str, path: str, *, passing: bool) -> None:
    """Put the object in place of its id. A field that holds objects already may be `passed` on the way down."""
    kind = str(body.get("object"))
    if kind == "charge" and name == "refunds":
        body[name] = body.get(name) or _refunds(tx, body)
    elif name in _EXPANDABLE.get(kind, []) or name in _ALSO.get(kind, []):
        if isinstance(body.get(name), str):
            body[name] = _load(tx, body[name])
    elif not (passing and isinstance(body.get(name), dict | list)):
        raise _refused(path)


def _load(tx: Transaction, object_id: str) -> Any:
    kind = _KINDS.get(object_id.split("_", 1)[0])
    found = tx.find(kind, object_id) if kind else None
    if found is None:
        return {"id": object_id, "object": kind, "deleted": True} if kind == "customer" else object_id
    return dict(found)


def _refunds(tx: Transaction, charge: dict[str, Any]) -> dict[str, Any]:
    refunds: list[Resource] = tx.all("refund", charge=charge["id"])
    return {
        "object": "list",
        "data": [dict(refund) for refund in refunds[:10]],
        "has_more": len(refunds) > 10,
        "total_count": len(refunds),
        "url": f"/v1/charges/{charge['id']}/refunds",
    }


def _refused(path: str) -> ApiError:
    return ApiError(f"This property cannot be expanded ({path}).", param="expand")
