"""Tax codes: what kind of thing something is for the tax."""

import re
from typing import Any

from till_sandbox.data import load
from till_sandbox.errors import ApiError, missing_object
from till_sandbox.model import objects
from till_sandbox.state import Resource, Transaction

#: What a line is where nothing says it, and what delivering is.
GOODS, SHIPPING = "txcd_99999999", "txcd_92010001"
_CODES: dict[str, dict[str, str]] = load("taxes")["codes"]


def listed(tx: Transaction) -> list[Resource]:
    """The codes that are known here: a few of Stripe's."""
    return [_shown(tx, code) for code in sorted(_CODES)]


def retrieve(tx: Transaction, code: str) -> Resource:
    if code not in _CODES:
        raise missing_object("tax code", code, "id")
    return _shown(tx, code)


def check(code: str, param: str) -> str:
    """The code, if it is one. Stripe has hundreds, so whatever is written as one is taken."""
    if not re.fullmatch(r"txcd_\d{8}", code):
        raise missing_object("tax code", code, param, status=400)
    return code


def category(code: str) -> str:
    """What the rates go by. A code that is not known here is that of goods, or of something digital by its number."""
    known = _CODES.get(code)
    if known is not None:
        return known["category"]
    return "digital" if code.startswith("txcd_10") else "service" if code.startswith("txcd_20") else "goods"


def of_line(tx: Transaction, line: dict[str, Any], default: str | None, param: str) -> str:
    """The code of a line item: its own, its product's, or the account's default."""
    if "tax_code" in line:
        return check(line["tax_code"], f"{param}[tax_code]")
    if "product" in line:
        product = tx.get("product", line["product"], param=f"{param}[product]", status=400)
        if product["tax_code"]:
            return str(product["tax_code"])
    if default is None:
        raise ApiError(
            "You must provide a tax code, a product with one, or set a default tax code in your tax settings.",
            code="parameter_missing",
            param=f"{param}[tax_code]",
        )
    return default


def _shown(tx: Transaction, code: str) -> Resource:
    known = _CODES[code]
    return objects.new(tx, "tax_code", {"id": code, "name": known["name"], "description": known["description"]})
