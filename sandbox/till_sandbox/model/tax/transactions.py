"""Transactions: the tax that was collected, made from a calculation. They never change; a reversal takes one back."""

from typing import Any

from till_sandbox import ids
from till_sandbox.errors import ApiError, missing_object
from till_sandbox.model import objects
from till_sandbox.model.metadata import merged
from till_sandbox.model.tax import calculations
from till_sandbox.state import Resource, Transaction

KIND, LINE = "tax.transaction", "tax.transaction_line_item"


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """The transaction of a calculation, which has no more than one. No event tells of it."""
    calculation = tx.get(calculations.KIND, params["calculation"], param="calculation", status=400)
    if calculations.is_over(tx, calculation):
        raise missing_object("tax calculation", calculation.id, "calculation", status=400)
    check_reference(tx, params["reference"])
    if "transaction" in calculation.private:
        raise ApiError(
            f"The calculation `{calculation.id}` was already used to create the transaction "
            f"`{calculation.private['transaction']}`.",
            param="calculation",
        )
    posted_at = params.get("posted_at", tx.now)
    if not min(calculation["tax_date"], tx.now) <= posted_at <= tx.now:
        raise ApiError(
            "The `posted_at` timestamp must be between the `tax_date` of the calculation and the current time.",
            param="posted_at",
        )
    shown = ("currency", "customer", "customer_details", "ship_from_details", "shipping_cost", "tax_date")
    given = {name: calculation[name] for name in shown}
    found = new(tx, {**given, "posted_at": posted_at, "type": "transaction"}, params)
    for line in calculations.line_items(tx, calculation):
        kept = ("amount", "amount_tax", "metadata", "product", "quantity", "reference", "tax_behavior", "tax_code")
        add_line(tx, found, {**{name: line[name] for name in kept}, "type": "transaction"})
    calculation.private["transaction"] = found.id
    tx.save(calculation)
    return tx.insert(found)


def new(tx: Transaction, given: dict[str, Any], params: dict[str, Any]) -> Resource:
    """A transaction without lines, still to be inserted."""
    own = {
        "id": ids.new("tax"),
        "metadata": merged({}, params.get("metadata") or {}),
        "reference": params["reference"],
    }
    return objects.new(tx, KIND, {**given, **own}, {"lines": []})


def add_line(tx: Transaction, found: Resource, given: dict[str, Any]) -> Resource:
    line = objects.new(tx, LINE, {**given, "id": f"tax_li_{ids.random_text(14)}"})
    found.private["lines"].append(line.id)
    return tx.insert(line)


def line_items(tx: Transaction, found: Resource) -> list[Resource]:
    return [tx.get(LINE, line) for line in found.private["lines"]]


def check_reference(tx: Transaction, reference: str) -> None:
    """No two transactions of an account have the same."""
    if tx.all(KIND, reference=reference):
        raise ApiError(
            f"A tax transaction with the reference `{reference}` already exists.",
            code="resource_already_exists",
            param="reference",
        )
