"""Products."""

from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import events, objects
from till_sandbox.model.catalog.price_fields import build
from till_sandbox.model.catalog.rules import check_at_most, claim
from till_sandbox.model.metadata import merged
from till_sandbox.state import Resource, Transaction
from till_sandbox.state.names import stored_name

MOST_IMAGES = 8
MOST_FEATURES = 15
_TEXTS = ("description", "statement_descriptor", "tax_code", "unit_label", "url")


def create(tx: Transaction, params: dict[str, Any], *, inline: bool = False) -> Resource:
    """A new product, with its default price if `default_price_data` is given. Emits product.created.

    `inline`: made of the data in another object, and not announced.
    """
    chosen = params.get("id")
    product_id = chosen or f"prod_{ids.random_text(14)}"
    name = claim(tx, "product", product_id) if chosen else stored_name(tx.account, "product", product_id)
    given = {
        "id": product_id,
        "active": params.get("active", True),
        "attributes": [],
        "name": params["name"],
        "type": "service",
        "updated": tx.now,
    }
    product = objects.new(tx, "product", given, {"stored_as": name})
    _apply(product, params)
    tx.insert(product)
    price = None
    if "default_price_data" in params:
        price = build(tx, {**params["default_price_data"], "product": product_id})
        product["default_price"] = price["id"]
        tx.insert(price)
    if not inline:
        events.emit(tx, "product.created", product)
    if price is not None:
        events.emit(tx, "price.created", price)
    return product


def update(tx: Transaction, product: Resource, params: dict[str, Any]) -> Resource:
    """Emits product.updated, in which the time of the change does not count as changed."""
    before = product.snapshot()
    if "default_price" in params:
        price = tx.get("price", params["default_price"], param="default_price", status=400)
        if price["product"] != product["id"]:
            raise ApiError(
                f"The price {price.id} does not belong to the product {product['id']}.", param="default_price"
            )
        product["default_price"] = price.id
    for name in ("active", "name"):
        if name in params:
            product[name] = params[name]
    _apply(product, params)
    product["updated"] = before["updated"] = tx.now
    tx.save(product)
    events.emit(tx, "product.updated", product, before)
    return product


def delete(tx: Transaction, product: Resource) -> dict[str, Any]:
    """Only a product without prices. Emits product.deleted with the product, no longer active."""
    if tx.all("price", product=product["id"]):
        raise ApiError("This product cannot be deleted because it has one or more user-created prices.")
    product["active"] = False
    tx.save(product)
    events.emit(tx, "product.deleted", product)
    tx.delete(product)
    return {"id": product["id"], "object": "product", "deleted": True}


def _apply(product: Resource, params: dict[str, Any]) -> None:
    product |= {name: params[name] or None for name in _TEXTS if name in params}
    if "tax_code" in params:
        code = params["tax_code"] or None
        product["tax_details"] = {"performance_location": None, "tax_code": code} if code else None
    if "tax_details" in params:
        said = params["tax_details"] or {}
        details = {name: said.get(name) or None for name in ("performance_location", "tax_code")}
        product |= {"tax_details": details if said else None, "tax_code": details["tax_code"]}
    if "shippable" in params:
        product["shippable"] = params["shippable"]
    if "images" in params:
        product["images"] = check_at_most(params["images"] or [], MOST_IMAGES, "images")
    if "marketing_features" in params:
        features = check_at_most(params["marketing_features"] or [], MOST_FEATURES, "marketing_features")
        product["marketing_features"] = features
    if "package_dimensions" in params:
        product["package_dimensions"] = params["package_dimensions"] or None
    if "metadata" in params:
        product["metadata"] = merged(product["metadata"], params["metadata"])
