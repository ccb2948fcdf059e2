"""The lines of an order: prices there are or that are made for it, how many, and the taxes on them."""

from fractions import Fraction
from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import money, objects
from till_sandbox.model.catalog import products
from till_sandbox.model.catalog.price_fields import build
from till_sandbox.model.catalog.rules import check_one_of, require
from till_sandbox.model.checkout.totals import Line, Rate, half_up
from till_sandbox.model.metadata import merged
from till_sandbox.state import Resource, Transaction

MOST = 100
MOST_RATES = 5
#: The largest number of one thing that can be bought.
LARGEST_QUANTITY = 999_999
DEFAULT_MAXIMUM = 99


def add(tx: Transaction, items: list[dict[str, Any]], currency: str | None) -> list[Resource]:
    """New lines as `line_items` says. All are in one currency: the one given, or that of the first."""
    if len(items) > MOST:
        raise ApiError(f"The `line_items` parameter can have at most {MOST} items.", param="line_items")
    lines: list[Resource] = []
    for number, item in enumerate(items):
        line = _add(tx, item, currency, f"line_items[{number}]")
        currency = currency or line["currency"]
        lines.append(line)
    _check_custom(lines)
    return lines


def change(tx: Transaction, lines: list[Resource], items: list[dict[str, Any]], currency: str) -> list[Resource]:
    """The lines after an update, which names all: those it names by their id stay, with what is said about them."""
    known = {line.id: line for line in lines}
    changed = []
    for number, item in enumerate(items):
        param = f"line_items[{number}]"
        if "id" not in item:
            changed.append(_add(tx, item, currency, param))
            continue
        line = known.get(item["id"])
        if line is None:
            raise ApiError(f"No such line item: '{item['id']}'", code="resource_missing", param=f"{param}[id]")
        if "quantity" in item:
            set_quantity(line, item["quantity"], f"{param}[quantity]")
        if "metadata" in item:
            line["metadata"] = merged(line["metadata"] or {}, item["metadata"])
        if "tax_rates" in item:
            line.private["tax_rates"] = _rates(tx, item["tax_rates"] or [], param)
        if "adjustable_quantity" in item:
            line["adjustable_quantity"] = _adjustable(item["adjustable_quantity"], param)
        changed.append(tx.save(line))
    _check_custom(changed)
    return changed


def set_quantity(line: Resource, quantity: int, param: str) -> None:
    if not 1 <= quantity <= LARGEST_QUANTITY:
        raise ApiError(
            "This value must be greater than or equal to 1."
            if quantity < 1
            else f"This value must be less than or equal to {LARGEST_QUANTITY}.",
            code="parameter_invalid_integer",
            param=param,
        )
    line["quantity"] = quantity


def custom_limits(line: Resource) -> tuple[int, int] | None:
    """The least and the most that customers may choose to pay for it; None where they have no choice."""
    custom = line["price"]["custom_unit_amount"]
    if custom is None:
        return None
    return custom["minimum"] or money.least_of(line["currency"]), custom["maximum"] or money.LARGEST


def choose_amount(line: Resource, amount: int) -> None:
    """What the customer wants to pay for a line whose price lets them choose."""
    limits = custom_limits(line)
    if limits is None:
        raise ApiError("This amount cannot be chosen.", param="customUnitAmount")
    least, most = limits
    for refused, words, bound in ((amount < least, "at least", least), (amount > most, "no more than", most)):
        if refused:
            text = money.text(bound, line["currency"])
            raise ApiError(f"Amount must be {words} {text}.", param="customUnitAmount")
    line.private["unit_amount"] = str(amount)


def measured(tx: Transaction, line: Resource, products_discounted: list[str] | None) -> Line:
    """The line as its totals are computed from. A discount for some products only is for no others (None: for all)."""
    rates = tuple(
        Rate(rate.id, Fraction(str(rate["percentage"])), rate["inclusive"])
        for rate in (tx.get("tax_rate", rate_id) for rate_id in line.private["tax_rates"])
    )
    fits = products_discounted is None or line["price"]["product"] in products_discounted
    return Line(_subtotal(line), rates, fits)


def _subtotal(line: Resource) -> int:
    """Price times quantity; with `transform_quantity`, of the packs that makes."""
    quantity, packs = line["quantity"], line["price"]["transform_quantity"]
    if packs:
        rest = packs["divide_by"] - 1 if packs["round"] == "up" else 0
        quantity = (quantity + rest) // packs["divide_by"]
    return half_up(Fraction(line.private["unit_amount"]) * quantity)


def _add(tx: Transaction, item: dict[str, Any], currency: str | None, param: str) -> Resource:
    check_one_of(item, "price", "price_data", param=f"{param}[price]")
    if "price" in item:
        price = tx.get("price", item["price"], param=f"{param}[price]", status=400)
        if not price["active"] and not price.private.get("inline"):
            raise ApiError(
                "The price specified is inactive. This field only accepts active prices.", param=f"{param}[price]"
            )
    elif "price_data" in item:
        price = _make_price(tx, item["price_data"], f"{param}[price_data]")
    else:
        raise ApiError("You must provide either price or price_data for each line item when using prices.")
    if price["type"] == "recurring":
        raise ApiError(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use "
            "only one-time prices.",
            param="mode",
        )
    if "quantity" not in item:
        raise ApiError(f"Quantity is required. Add `quantity` to `{param}`", param=f"{param}[quantity]")
    product = tx.get("product", price["product"])
    given = {
        "id": ids.new("li"),
        "adjustable_quantity": _adjustable(item.get("adjustable_quantity"), param),
        "currency": currency or price["currency"],
        "description": product["name"],
        "metadata": merged({}, item.get("metadata") or {}),
        "price": dict(price),
    }
    private = {
        "tax_rates": _rates(tx, item.get("tax_rates") or [], param),
        "unit_amount": _unit_amount(price, currency or price["currency"], param),
    }
    line = objects.new(tx, "item", given, private)
    set_quantity(line, item["quantity"], f"{param}[quantity]")
    return tx.insert(line)


def _make_price(tx: Transaction, data: dict[str, Any], param: str) -> Resource:
    """A price for this order only, and a product if it says of what: neither is offered to anybody else."""
    check_one_of(data, "product", "product_data", param=f"{param}[product]")
    if "product_data" in data:
        made = products.create(tx, {**data["product_data"], "active": False}, inline=True)
        data = {**data, "product": made["id"]}
    elif "product" not in data:
        raise ApiError(
            f"You must specify either `product` or `product_data` when creating a price. Add one to `{param}`."
        )
    price = build(tx, {**data, "active": False}, param)
    price.private["inline"] = True
    return tx.insert(price)


def _check_custom(lines: list[Resource]) -> None:
    """What customers choose the price of stands alone."""
    custom = [line for line in lines if line["price"]["custom_unit_amount"] is not None]
    if custom and (len(lines) > 1 or custom[0]["quantity"] != 1):
        raise ApiError(
            "A price with `custom_unit_amount` can only be used as the only line item, with a quantity of 1.",
            param="line_items",
        )


def _unit_amount(price: Resource, currency: str, param: str) -> str:
    """What one costs in the currency of the order, as a decimal; what customers choose is what they are shown first."""
    custom = price["custom_unit_amount"]
    if custom is not None and price["currency"] == currency:
        return str(custom["preset"] or 0)
    if price["currency"] == currency:
        return str(price["unit_amount_decimal"])
    option = price.private.get("currency_options", {}).get(currency)
    if option is None or option["unit_amount_decimal"] is None:
        raise ApiError(
            f"The price specified only supports `{price['currency']}`. This doesn't match the expected currency: "
            f"`{currency}`.",
            param=f"{param}[price]",
        )
    return str(option["unit_amount_decimal"])


def _adjustable(given: dict[str, Any] | None, param: str) -> dict[str, Any] | None:
    if given is None or not given["enabled"]:
        return None
    least, most = given.get("minimum", 0), given.get("maximum", DEFAULT_MAXIMUM)
    if not 0 <= least <= most <= LARGEST_QUANTITY:
        raise ApiError(
            f"The quantity can be adjusted from 0 to {LARGEST_QUANTITY}, and the minimum is at most the maximum.",
            param=f"{param}[adjustable_quantity]",
        )
    return {"enabled": True, "maximum": most, "minimum": least}


def _rates(tx: Transaction, rate_ids: list[str], param: str) -> list[str]:
    if len(rate_ids) > MOST_RATES:
        raise ApiError(f"A line can have at most {MOST_RATES} tax rates.", param=f"{param}[tax_rates]")
    for number, rate in enumerate(require(tx, "tax_rate", rate_ids, f"{param}[tax_rates]")):
        if not rate["active"]:
            raise ApiError(f"The tax rate {rate.id} is inactive.", param=f"{param}[tax_rates][{number}]")
    return rate_ids
