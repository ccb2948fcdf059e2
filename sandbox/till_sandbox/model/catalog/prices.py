"""Prices. What they cost never changes; to charge something else, make another one."""

from typing import Any

from till_sandbox.errors import ApiError
from till_sandbox.model import events
from till_sandbox.model.catalog import products
from till_sandbox.model.catalog.price_fields import build, keep_hidden, take_lookup_key
from till_sandbox.model.catalog.rules import check_one_of
from till_sandbox.model.metadata import merged
from till_sandbox.state import Resource, Transaction


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """A new price of a product there is, or of one made of `product_data`. Emits price.created."""
    check_one_of(params, "product", "product_data", param="product")
    if "product_data" in params:
        params = {**params, "product": products.create(tx, params["product_data"])["id"]}
    elif "product" not in params:
        raise ApiError("You must specify either `product` or `product_data` when creating a price.")
    price = build(tx, params)
    tx.insert(price)
    events.emit(tx, "price.created", price)
    return price


def update(tx: Transaction, price: Resource, params: dict[str, Any]) -> Resource:
    """Emits price.updated."""
    before = price.snapshot()
    for name in ("active", "nickname"):
        if name in params:
            price[name] = params[name]
    if params.get("tax_behavior", price["tax_behavior"]) != price["tax_behavior"]:
        if price["tax_behavior"] != "unspecified":
            raise ApiError("You cannot change `tax_behavior` once it has been set.", param="tax_behavior")
        price["tax_behavior"] = params["tax_behavior"]
    if "metadata" in params:
        price["metadata"] = merged(price["metadata"], params["metadata"])
    if "lookup_key" in params:
        take_lookup_key(tx, price, params)
    if "currency_options" in params:
        keep_hidden(price, {"currency_options": params["currency_options"] or {}})
    tx.save(price)
    events.emit(tx, "price.updated", price, before)
    return price
