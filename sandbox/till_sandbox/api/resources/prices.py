"""/v1/prices"""

from typing import Any

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.api.search import search as find
from till_sandbox.errors import ApiError
from till_sandbox.model.catalog import prices
from till_sandbox.state import Resource

MOST_KEYS = 10


def create(call: Call) -> Resource:
    return prices.create(call.tx, call.params)


def retrieve(call: Call) -> Resource:
    return _price(call)


def update(call: Call) -> Resource:
    return prices.update(call.tx, _price(call), call.params)


def list_all(call: Call) -> Listing:
    """Prices made inline, for one purchase, are never listed."""
    params = call.params
    equal = {name: params.get(name) for name in ("active", "currency", "product", "type")}
    equal |= {f"recurring.{name}": value for name, value in params.get("recurring", {}).items()}
    keys = tuple(params.get("lookup_keys", ()))
    if len(keys) > MOST_KEYS:
        raise ApiError(f"You can look up at most {MOST_KEYS} keys at once.", param="lookup_keys")
    where = " AND json_extract(private, '$.inline') IS NULL"
    if keys:
        where += f" AND json_extract(body, '$.lookup_key') IN ({', '.join('?' * len(keys))})"
    return listing(call, "price", equal, also=(where, keys))


def search(call: Call) -> dict[str, Any]:
    return find(call, "price")


def _price(call: Call) -> Resource:
    return call.tx.get("price", call.ids["price"], param="price")
