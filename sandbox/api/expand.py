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
    if body.get("object") in ("list", "search_result"):
        if parts[0] != "data":
            raise _refused(path)
        for item in body["data"]:
            if parts[1:]:
                _walk(tx, item, parts[1:], path)
        return
    name, rest = parts[0], parts[1:]
    kind = str(body.get("object"))
    if name == "refunds" and kind == "charge":
        body[name] = body.get(name) or _refunds(tx, body)
    elif name not in _EXPANDABLE.get(kind, []) and name not in _ALSO.get(kind, []):
        if not (isinstance(body.get(name), dict | list) and rest):
            raise _refused(path)
    elif isinstance(body.get(name), str):
        body[name] = _load(tx, body[name])
    below = body.get(name)
    if rest and isinstance(below, dict):
        _walk(tx, below, rest, path)
    elif rest and isinstance(below, list):
        for item in below:
            _walk(tx, item, rest, path)


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
