"""`expand`: objects in place of their ids, up to four levels deep. `data/sdk.json` says which fields can be expanded.

Whether a path can be expanded depends only on the kinds of objects along it, never on what this answer holds.
"""

from collections.abc import Callable
from typing import Any

from till_sandbox.data import load
from till_sandbox.errors import ApiError
from till_sandbox.model.checkout import discounts
from till_sandbox.state import Resource, Transaction
from till_sandbox.state.names import CHOSEN_IDS

DEEPEST = 4

_EXPANDABLE: dict[str, list[str]] = load("sdk")["expandable"]

#: The kind of object behind an id, by its prefix.
_KINDS = {
    "ch": "charge",
    "clock": "test_helpers.test_clock",
    "cs": "checkout.session",
    "cus": "customer",
    "du": "dispute",
    "file": "file",
    "pi": "payment_intent",
    "pm": "payment_method",
    "po": "payout",
    "price": "price",
    "promo": "promotion_code",
    "re": "refund",
    "seti": "setup_intent",
    "setatt": "setup_attempt",
    "shr": "shipping_rate",
    "txn": "balance_transaction",
    "txr": "tax_rate",
}
#: The kind of object behind a field, where it is not the field's own name.
_BEHIND = {
    **dict.fromkeys(
        (path.rpartition(".")[2] for path in _EXPANDABLE["dispute"] if path.startswith("evidence.")), "file"
    ),
    "default_payment_method": "payment_method",
    "default_price": "price",
    "failure_balance_transaction": "balance_transaction",
    "latest_attempt": "setup_attempt",
    "latest_charge": "charge",
    "test_clock": "test_helpers.test_clock",
}
#: Fields the library's types call plain ids, and Stripe expands all the same.
_ALSO = {"charge": ["payment_method", "dispute"], "dispute": ["balance_transaction"]}
#: Fields that lead to objects which are always there in full, or to one of several kinds.
_LEADING: dict[str, dict[str, tuple[str, ...]]] = {
    "balance_transaction": {"source": ("charge", "dispute", "payout", "refund")},
    "dispute": {"balance_transactions": ("balance_transaction",)},
    "item": {"price": ("price",)},
    "payment_intent": {"last_payment_error.payment_method": ("payment_method",)},
    "setup_attempt": {"setup_error.payment_method": ("payment_method",)},
    "setup_intent": {"last_setup_error.payment_method": ("payment_method",)},
    "tax.calculation": {"line_items": ("list of tax.calculation_line_item",)},
    "tax.transaction": {"line_items": ("list of tax.transaction_line_item",)},
}
#: The kind of what a list holds, where the list is called otherwise.
_LISTED = {"line_item": "item"}
#: The same by the beginning of the list's address, where others are called so too.
_LISTED_BELOW = {
    "/v1/tax/calculations/": "tax.calculation_line_item",
    "/v1/tax/transactions/": "tax.transaction_line_item",
}
#: What the kind of a list begins with; the kind of what it lists follows.
_LIST_OF = "list of "


def expand(tx: Transaction, body: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """The answer with the fields named by `paths` expanded; an error for any that can't be."""
    for path in paths:
        parts = path.split(".")
        if len([part for part in parts if part != "data"]) > DEEPEST:
            raise ApiError(
                f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}", param="expand"
            )
        if not _can_be_expanded(_kind_of(body), parts):
            raise ApiError(f"This property cannot be expanded ({path}).", param="expand")
        _fill(tx, body, parts)
    return body


def _kind_of(body: dict[str, Any]) -> str:
    """The kind of an object, or of a list, whose address says what it lists even when it is empty."""
    kind = str(body["object"])
    if kind not in ("list", "search_result"):
        return kind
    below = next((kind for start, kind in _LISTED_BELOW.items() if str(body["url"]).startswith(start)), None)
    if below is not None:
        return _LIST_OF + below
    listed = str(body["url"]).removesuffix("/search").rpartition("/")[2].removesuffix("s")
    return _LIST_OF + _kind_named(listed)


def _kind_named(name: str) -> str:
    """The kind that a list's name is about, in the singular."""
    return _LISTED.get(name) or next((kind for kind in _EXPANDABLE if kind.rpartition(".")[2] == name), name)


def _can_be_expanded(kind: str, parts: list[str]) -> bool:
    if not parts or not (kind in _EXPANDABLE or kind.startswith(_LIST_OF)):
        return True  # of kinds that are not imitated nobody here knows the fields
    used, behind = _field(kind, parts)
    return any(_can_be_expanded(found, parts[used:]) for found in behind)


def _field(kind: str, parts: list[str]) -> tuple[int, tuple[str, ...]]:
    """How many parts of the path name a field of the kind, and the kinds of what it can hold; (0, ()) for no field."""
    fields = _fields(kind)
    for used in range(1, len(parts) + 1):
        name = ".".join(parts[:used])
        if name in fields:
            return used, fields[name]
    return 0, ()


def _fields(kind: str) -> dict[str, tuple[str, ...]]:
    """Every field of a kind that can be expanded or is an object already."""
    if kind.startswith(_LIST_OF):
        return {"data": (kind.removeprefix(_LIST_OF),)}
    fields: dict[str, tuple[str, ...]] = {}
    for path in [*_EXPANDABLE.get(kind, []), *_ALSO.get(kind, [])]:
        name = path.rpartition(".")[2]
        fields[path] = (_BEHIND.get(name, name),)
    for name in _HIDDEN.get(kind, {}):
        fields[name] = (_LIST_OF + _kind_named(name.removesuffix("s")),)
    return fields | _LEADING.get(kind, {})


def _fill(tx: Transaction, body: dict[str, Any], parts: list[str]) -> None:
    """Put the objects along the path in place of their ids, as far as there are any."""
    kind = _kind_of(body)
    used, behind = _field(kind, parts)
    if not behind:
        return
    hidden = _HIDDEN.get(kind, {}).get(".".join(parts[:used]))
    if hidden is not None:
        _reveal(body, parts[:used], lambda: hidden(tx, body))
    below = _put_object(tx, body, parts[:used], behind)
    for item in (below if isinstance(below, list) else [below]) if parts[used:] else []:
        if isinstance(item, dict):
            _fill(tx, item, parts[used:])


def _reveal(body: dict[str, Any], parts: list[str], find: Callable[[], Any]) -> None:
    """Put there what is hidden at a field of the object, or of a hash inside it."""
    value = find()
    for part in parts[:-1]:
        if body[part] is None:
            return
        body[part] = body = dict(body[part])
    body[parts[-1]] = body.get(parts[-1]) or value


def _put_object(tx: Transaction, body: dict[str, Any], parts: list[str], behind: tuple[str, ...]) -> Any:
    """Expand a field of the object, or of a hash or of hashes inside it. Returns what is there now, or None."""
    for place, part in enumerate(parts[:-1]):
        inside = body.get(part)
        if isinstance(inside, list):
            body[part] = [dict(it) for it in inside]
            return [_put_object(tx, it, parts[place + 1 :], behind) for it in body[part]]
        if not isinstance(inside, dict):
            return None
        body[part] = body = dict(inside)
    name = parts[-1]
    if isinstance(body.get(name), str):
        body[name] = _load(tx, body[name], behind)
    return body.get(name)


def _load(tx: Transaction, object_id: str, behind: tuple[str, ...]) -> Any:
    chosen = CHOSEN_IDS.intersection(behind)
    kind = next(iter(chosen)) if chosen else _KINDS.get(object_id.split("_", 1)[0])
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


def _kept(name: str) -> Callable[[Transaction, dict[str, Any]], Any]:
    """What the sandbox knows of the object beside what it always shows."""

    def find(tx: Transaction, body: dict[str, Any]) -> Any:
        found = tx.find(str(body["object"]), body["id"])
        return None if found is None else found.private.get(name)

    return find


def _products_of(tx: Transaction, coupon: dict[str, Any]) -> Any:
    products = _kept("products")(tx, coupon)
    return {"products": products} if products else None


def _amounts_of(tx: Transaction, coupon: dict[str, Any]) -> Any:
    """In every currency it has an amount in."""
    own = {} if coupon["currency"] is None else {coupon["currency"]: {"amount_off": coupon["amount_off"]}}
    return own | _kept("currency_options")(tx, coupon) or None


def _prices_of(tx: Transaction, price: dict[str, Any]) -> Any:
    """In every currency it has an amount in."""
    names = ("custom_unit_amount", "tax_behavior", "unit_amount", "unit_amount_decimal")
    return {price["currency"]: {name: price[name] for name in names}} | (_kept("currency_options")(tx, price) or {})


def _line_items(tx: Transaction, session: dict[str, Any]) -> dict[str, Any] | None:
    lines = _kept("lines")(tx, session)
    if lines is None:
        return None
    listed = _list([tx.get("item", line) for line in lines], f"/v1/checkout/sessions/{session['id']}/line_items")
    return {name: value for name, value in listed.items() if name != "total_count"}


def _lines_of(kind: str, place: str) -> Callable[[Transaction, dict[str, Any]], Any]:
    """The lines of a calculation or a transaction."""

    def find(tx: Transaction, body: dict[str, Any]) -> dict[str, Any]:
        lines = [tx.get(kind, line) for line in _kept("lines")(tx, body)]
        return _list(lines, f"/v1/tax/{place}/{body['id']}/line_items")

    return find


def _taxes_of(tx: Transaction, line: dict[str, Any]) -> list[dict[str, Any]]:
    return [_tax(tx, *tax) for tax in _kept("taxes")(tx, line) or []]


def _discounts_of(tx: Transaction, line: dict[str, Any]) -> list[dict[str, Any]]:
    item = tx.get("item", line["id"])
    kept = item.private["discount"]
    if kept is None:
        return []
    session = tx.get("checkout.session", item.private["session"])
    return [{"amount": item["amount_discount"], "discount": dict(discounts.shown(tx, session, kept))}]


def _breakdown_of(tx: Transaction, session: dict[str, Any]) -> dict[str, Any]:
    """What was taken off and what came on top, each in one sum."""
    taxes: dict[str, list[int]] = {}
    for line in _kept("lines")(tx, session) or []:
        for rate, amount, on in tx.get("item", line).private["taxes"]:
            before = taxes.get(rate, [0, 0])
            taxes[rate] = [before[0] + amount, before[1] + on]
    kept = _kept(discounts.KEPT)(tx, session)
    off = session["total_details"]["amount_discount"]
    return {
        "discounts": [{"amount": off, "discount": dict(discounts.shown(tx, session, kept))}] if kept else [],
        "taxes": [_tax(tx, rate, *amounts) for rate, amounts in taxes.items()],
    }


def _tax(tx: Transaction, rate: str, amount: int, on: int) -> dict[str, Any]:
    return {"amount": amount, "rate": dict(tx.get("tax_rate", rate)), "taxability_reason": None, "taxable_amount": on}


#: What is only there when it is expanded.
_HIDDEN: dict[str, dict[str, Callable[[Transaction, dict[str, Any]], Any]]] = {
    "charge": {"refunds": _refunds},
    "checkout.session": {"line_items": _line_items, "total_details.breakdown": _breakdown_of},
    "coupon": {"applies_to": _products_of, "currency_options": _amounts_of},
    "customer": {name: _none_of(name) for name in ("sources", "subscriptions", "tax_ids")},
    "item": {"discounts": _discounts_of, "taxes": _taxes_of},
    "price": {"currency_options": _prices_of, "tiers": _kept("tiers")},
    "tax.calculation": {
        "line_items": _lines_of("tax.calculation_line_item", "calculations"),
        "shipping_cost.tax_breakdown": _kept("shipping_breakdown"),
    },
    "tax.calculation_line_item": {"tax_breakdown": _kept("tax_breakdown")},
    "tax.transaction": {"line_items": _lines_of("tax.transaction_line_item", "transactions")},
}
