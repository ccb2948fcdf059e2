"""Calculations: the taxes on what somebody would buy. Nothing comes of one until a transaction is made from it."""

from collections.abc import Sequence
from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError, missing_object, missing_param
from till_sandbox.model import objects
from till_sandbox.model.catalog.rules import check_at_most, check_not_negative, check_one_of
from till_sandbox.model.details import address
from till_sandbox.model.metadata import merged
from till_sandbox.model.money import check_currency, step_of
from till_sandbox.model.tax import codes, customers, registrations, settings
from till_sandbox.model.tax.amounts import Part, parts, shares, summed
from till_sandbox.model.tax.customers import Taxed
from till_sandbox.model.tax.places import check_country
from till_sandbox.model.tax.rates import JurisdictionRate, rates, taxes_shipping
from till_sandbox.state import Resource, Transaction

KIND, LINE = "tax.calculation", "tax.calculation_line_item"
#: Seconds until no transaction can be made from it any more.
KEPT = 90 * 24 * 3600
_MOST_LINES = 100
#: How far from now the date can be whose rates are asked for.
_FARTHEST = 31 * 24 * 3600


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """A new calculation, with the taxes of the places in which the account is registered. No event tells of it."""
    currency = check_currency(params["currency"])
    check_at_most(params["line_items"], _MOST_LINES, "line_items")
    if not params["line_items"]:
        raise missing_param("line_items")
    taxed = customers.of_params(tx, params)
    date = _tax_date(tx, params)
    known = _Known(tx, taxed, step_of(currency))
    calculation = objects.new(
        tx,
        KIND,
        {
            "id": ids.new("taxcalc"),
            "amount_total": 0,
            "currency": currency,
            "customer": params.get("customer"),
            "customer_details": taxed.details,
            "expires_at": tx.now + KEPT,
            "ship_from_details": _ship_from(params),
            "tax_amount_exclusive": 0,
            "tax_amount_inclusive": 0,
            "tax_breakdown": [],
            "tax_date": date,
        },
    )
    lines = [_line(known, calculation.id, item, number) for number, item in enumerate(params["line_items"])]
    _check_references([line["reference"] for line, _taxes in lines])
    found = [part for _line, taxes in lines for part in taxes]
    shipping = _shipping(known, params, [line for line, _taxes in lines])
    if shipping is not None:
        calculation["shipping_cost"], of_shipping = shipping
        found += of_shipping
    _add_up(calculation, [line for line, _taxes in lines], found)
    for line, _taxes in lines:
        tx.insert(line)
    calculation.private["lines"] = [line.id for line, _taxes in lines]
    if shipping is not None:
        calculation.private["shipping_breakdown"] = [part.shown() for part in shipping[1]]
    return tx.insert(calculation)


def get(tx: Transaction, calculation_id: str, *, param: str = "calculation", status: int = 404) -> Resource:
    """A calculation that has not expired."""
    found = tx.get(KIND, calculation_id, param=param, status=status)
    if is_over(tx, found):
        raise missing_object("tax calculation", calculation_id, param, status=status)
    return found


def is_over(tx: Transaction, calculation: Resource) -> bool:
    return bool(calculation["expires_at"] <= tx.now)


def line_items(tx: Transaction, calculation: Resource) -> list[Resource]:
    return [tx.get(LINE, line) for line in calculation.private["lines"]]


class _Known:
    """What the taxes of every line go by."""

    def __init__(self, tx: Transaction, taxed: Taxed, step: int) -> None:
        self.tx = tx
        self.taxed = taxed
        self.step = step
        self.default = settings.of_account(tx)["defaults"]["tax_code"]
        self.registered = registrations.collected_in(tx)

    def rates(self, code: str) -> list[JurisdictionRate]:
        return self.taxed.charged(rates(self.taxed.place, codes.category(code), self.registered))

    def taxes(self, amount: int, code: str, behavior: str) -> list[Part]:
        return parts(amount, self.rates(code), inclusive=behavior == "inclusive", step=self.step)


def _line(known: _Known, calculation: str, item: dict[str, Any], number: int) -> tuple[Resource, list[Part]]:
    param = f"line_items[{number}]"
    amount = check_not_negative(item["amount"], f"{param}[amount]")
    code = codes.of_line(known.tx, item, known.default, param)
    behavior = item.get("tax_behavior", "exclusive")
    found = known.taxes(amount, code, behavior)
    quantity = item.get("quantity", 1)
    if quantity < 1:
        raise ApiError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param=f"{param}[quantity]",
        )
    line_id = f"tax_li_{ids.random_text(14)}"
    given = {
        "id": line_id,
        "amount": amount,
        "amount_tax": sum(part.amount for part in found),
        "metadata": merged({}, item["metadata"]) if item.get("metadata") else None,
        "product": item.get("product"),
        "quantity": quantity,
        "reference": item.get("reference") or line_id,
        "tax_behavior": behavior,
        "tax_code": code,
    }
    kept = {"calculation": calculation, "tax_breakdown": [part.shown() for part in found]}
    return objects.new(known.tx, LINE, given, kept), found


def _shipping(
    known: _Known, params: dict[str, Any], lines: Sequence[Resource]
) -> tuple[dict[str, Any], list[Part]] | None:
    """What delivering costs and its taxes: those of what is delivered, each for its share."""
    asked = params.get("shipping_cost")
    if asked is None:
        return None
    rate = asked.get("shipping_rate")
    if rate is not None:
        for name in ("amount", "tax_behavior", "tax_code"):
            check_one_of(asked, "shipping_rate", name, param=f"shipping_cost[{name}]")
        found = known.tx.get("shipping_rate", rate, param="shipping_cost[shipping_rate]", status=400)
        behavior = found["tax_behavior"] if found["tax_behavior"] in ("exclusive", "inclusive") else "exclusive"
        amount, code = int(found["fixed_amount"]["amount"]), found["tax_code"] or codes.SHIPPING
    elif "amount" in asked:
        amount = check_not_negative(asked["amount"], "shipping_cost[amount]")
        behavior = asked.get("tax_behavior", "exclusive")
        code = codes.check(asked.get("tax_code", codes.SHIPPING), "shipping_cost[tax_code]")
    else:
        raise missing_param("shipping_cost[amount]")
    taxes = _taxes_of_shipping(known, amount, code, behavior, lines)
    cost = {
        "amount": amount,
        "amount_tax": sum(part.amount for part in taxes),
        "tax_behavior": behavior,
        "tax_code": code,
    }
    return ({**cost, "shipping_rate": rate} if rate is not None else cost), taxes


def _taxes_of_shipping(known: _Known, amount: int, code: str, behavior: str, lines: Sequence[Resource]) -> list[Part]:
    if codes.category(code) != "shipping":
        return known.taxes(amount, code, behavior)
    if not taxes_shipping(known.taxed.place):
        exempt = known.rates("txcd_00000000")
        return parts(amount, exempt, inclusive=behavior == "inclusive", step=known.step)
    weights: dict[str, int] = {}
    for line in lines:
        weights[line["tax_code"]] = weights.get(line["tax_code"], 0) + line["amount"]
    if not sum(weights.values()):
        weights = {codes.GOODS: 1}
    split = zip(weights, shares(amount, list(weights.values()), known.step), strict=True)
    return [part for each, share in split for part in known.taxes(share, each, behavior)]


def _add_up(calculation: Resource, lines: Sequence[Resource], found: Sequence[Part]) -> None:
    exclusive = sum(part.amount for part in found if not part.inclusive)
    shipping = (calculation["shipping_cost"] or {"amount": 0})["amount"]
    calculation |= {
        "amount_total": sum(line["amount"] for line in lines) + shipping + exclusive,
        "tax_amount_exclusive": exclusive,
        "tax_amount_inclusive": sum(part.amount for part in found if part.inclusive),
        "tax_breakdown": summed(found),
    }


def _check_references(references: Sequence[str]) -> None:
    for number, reference in enumerate(references):
        if reference in references[:number]:
            raise ApiError(
                f"The reference `{reference}` is used by more than one line item; each needs one of its own.",
                param=f"line_items[{number}][reference]",
            )


def _ship_from(params: dict[str, Any]) -> dict[str, Any] | None:
    given = params.get("ship_from_details")
    if given is None:
        return None
    check_country(given["address"]["country"], "ship_from_details[address][country]")
    return {"address": address(given["address"])}


def _tax_date(tx: Transaction, params: dict[str, Any]) -> int:
    date = params.get("tax_date", tx.now)
    if abs(date - tx.now) > _FARTHEST:
        raise ApiError("The `tax_date` must be within 31 days of the current time.", param="tax_date")
    return int(date)
