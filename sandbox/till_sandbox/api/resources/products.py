"""/v1/products"""

from typing import Any

from till_sandbox.api.call import Call, Listing, listing
from till_sandbox.api.search import search as find
from till_sandbox.model.catalog import products
from till_sandbox.state import Resource
from till_sandbox.state.names import stored_name


def create(call: Call) -> Resource:
    return products.create(call.tx, call.params)


def retrieve(call: Call) -> Resource:
    return _product(call)


def update(call: Call) -> Resource:
    return products.update(call.tx, _product(call), call.params)


def delete(call: Call) -> dict[str, Any]:
    return products.delete(call.tx, _product(call))


def list_all(call: Call) -> Listing:
    """Ids of deleted products and of none are left out."""
    equal = {name: call.params.get(name) for name in ("active", "shippable", "type", "url")}
    ids = call.params.get("ids")
    also: tuple[str, tuple[Any, ...]] = ("", ())
    if ids:
        names = tuple(stored_name(call.tx.account, "product", product) for product in ids)
        also = (f" AND id IN ({', '.join('?' * len(names))})", names)
    return listing(call, "product", equal, also=also)


def search(call: Call) -> dict[str, Any]:
    return find(call, "product")


def _product(call: Call) -> Resource:
    return call.tx.get("product", call.ids["product"])
