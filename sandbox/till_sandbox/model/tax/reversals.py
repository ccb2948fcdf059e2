"""Reversals: transactions that take back another one, whole or in part."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from till_sandbox.errors import ApiError, missing_object
from till_sandbox.model.catalog.rules import check_one_of
from till_sandbox.model.metadata import merged
from till_sandbox.model.tax import transactions
from till_sandbox.model.tax.amounts import shares
from till_sandbox.state import Resource, Transaction

_MOST_PARTIAL = 30
_OF_PARTS = ("flat_amount", "line_items", "shipping_cost")


@dataclass
class _Left:
    """What is left to take back of a line, or (without a line) of the shipping, with the sign it was recorded with."""

    line: Resource | None
    amount: int
    tax: int
    inclusive: bool

    @property
    def total(self) -> int:
        return self.amount if self.inclusive else self.amount + self.tax


def create(tx: Transaction, params: dict[str, Any]) -> Resource:
    """A reversal. No event tells of it."""
    original = tx.get(transactions.KIND, params["original_transaction"], param="original_transaction", status=400)
    transactions.check_reference(tx, params["reference"])
    if original.private.get("reversed"):
        raise ApiError(
            f"The transaction `{original.id}` has already been fully reversed.", param="original_transaction"
        )
    found = _blank(tx, original, params)
    if params["mode"] == "full":
        _reverse_all(tx, found, original, params)
        _undo(tx, original)
        original.private["reversed"] = True
    else:
        _reverse_parts(tx, found, original, params)
    tx.save(original)
    return tx.insert(found)


def _reverse_all(tx: Transaction, found: Resource, original: Resource, params: dict[str, Any]) -> None:
    for name in _OF_PARTS:
        if name in params:
            raise ApiError(f"You cannot pass `{name}` when `mode` is `full`.", param=name)
    for line in transactions.line_items(tx, original):
        _add(tx, found, line, -line["amount"], -line["amount_tax"], {"reference": line["reference"]})
    shipping = original["shipping_cost"]
    if shipping is not None:
        found["shipping_cost"] = {
            **shipping,
            "amount": -shipping["amount"],
            "amount_tax": -shipping["amount_tax"],
        }


def _reverse_parts(tx: Transaction, found: Resource, original: Resource, params: dict[str, Any]) -> None:
    if original["type"] == "reversal":
        raise ApiError("A reversal can only be reversed with `mode` `full`.", param="mode")
    check_one_of(params, "flat_amount", "line_items")
    check_one_of(params, "flat_amount", "shipping_cost")
    if not any(name in params for name in _OF_PARTS):
        raise ApiError(
            "You must provide `line_items`, `shipping_cost` or `flat_amount` when `mode` is `partial`.",
            code="parameter_missing",
            param="line_items",
        )
    before = original.private.setdefault("partial", [])
    if len(before) >= _MOST_PARTIAL:
        raise ApiError(f"A transaction can be partially reversed {_MOST_PARTIAL} times at most.")
    left = _left(tx, original)
    if "flat_amount" in params:
        taken = list(_flat(left, params["flat_amount"]))
    else:
        taken = list(_named(left, original, params))
    for each, amount, tax, said in taken:
        if each.line is None:
            found["shipping_cost"] = {**original["shipping_cost"], "amount": amount, "amount_tax": tax}
        else:
            _add(tx, found, each.line, amount, tax, said)
    before.append(found.id)


def _left(tx: Transaction, original: Resource) -> list[_Left]:
    """What was recorded, without what was taken back and not recorded again since."""
    left = [
        _Left(line, line["amount"], line["amount_tax"], line["tax_behavior"] == "inclusive")
        for line in transactions.line_items(tx, original)
    ]
    shipping = original["shipping_cost"]
    if shipping is not None:
        inclusive = shipping["tax_behavior"] == "inclusive"
        left.append(_Left(None, shipping["amount"], shipping["amount_tax"], inclusive))
    for reversal_id in original.private.get("partial", []):
        reversal = tx.get(transactions.KIND, reversal_id)
        taken = {
            line["reversal"]["original_line_item"]: (line["amount"], line["amount_tax"])
            for line in transactions.line_items(tx, reversal)
        }
        shipped = reversal["shipping_cost"] or {"amount": 0, "amount_tax": 0}
        for each in left:
            of_shipping = (shipped["amount"], shipped["amount_tax"])
            amount, tax = of_shipping if each.line is None else taken.get(each.line.id, (0, 0))
            each.amount, each.tax = each.amount + amount, each.tax + tax
    return left


Taken = tuple[_Left, int, int, dict[str, Any]]


def _flat(left: list[_Left], flat: int) -> Iterable[Taken]:
    """A sum, tax and all, in the ratio of what is left of each; and of each share the tax in its ratio."""
    if flat >= 0:
        raise ApiError("This value must be less than or equal to -1.", param="flat_amount")
    if -flat > sum(each.total for each in left):
        raise _too_much("flat_amount")
    for each, share in zip(left, shares(-flat, [each.total for each in left], 1), strict=True):
        tax = (2 * share * each.tax + each.total) // (2 * each.total) if each.total else 0
        reference = {} if each.line is None else {"reference": each.line["reference"]}
        yield each, -(share if each.inclusive else share - tax), -tax, reference


def _named(left: list[_Left], original: Resource, params: dict[str, Any]) -> Iterable[Taken]:
    by_line = {each.line.id: each for each in left if each.line is not None}
    for number, item in enumerate(params.get("line_items", [])):
        param = f"line_items[{number}]"
        each = by_line.pop(item["original_line_item"], None)
        if each is None:
            name = f"{param}[original_line_item]"
            raise missing_object("tax transaction line item", item["original_line_item"], name, status=400)
        _check(each, item, param)
        said = {name: item[name] for name in ("metadata", "quantity", "reference") if name in item}
        yield each, item["amount"], item["amount_tax"], said
    if "shipping_cost" in params:
        shipping = next((each for each in left if each.line is None), None)
        if shipping is None:
            raise ApiError(f"The transaction `{original.id}` has no shipping cost.", param="shipping_cost")
        _check(shipping, params["shipping_cost"], "shipping_cost")
        yield shipping, params["shipping_cost"]["amount"], params["shipping_cost"]["amount_tax"], {}


def _check(left: _Left, item: dict[str, Any], param: str) -> None:
    for name, most in (("amount", left.amount), ("amount_tax", left.tax)):
        if item[name] > 0:
            raise ApiError("This value must be less than or equal to 0.", param=f"{param}[{name}]")
        if -item[name] > most:
            raise _too_much(f"{param}[{name}]")


def _too_much(param: str) -> ApiError:
    return ApiError("The amount to reverse is greater than the amount remaining on the transaction.", param=param)


def _add(tx: Transaction, found: Resource, line: Resource, amount: int, tax: int, said: dict[str, Any]) -> Resource:
    given = {name: line[name] for name in ("product", "quantity", "tax_behavior", "tax_code")}
    given |= {"amount": amount, "amount_tax": tax, "type": "reversal", "reversal": {"original_line_item": line.id}}
    metadata = merged({}, said.get("metadata") or {})
    return transactions.add_line(tx, found, {**given, **said, "metadata": metadata})


def _undo(tx: Transaction, original: Resource) -> None:
    """A partial reversal that is taken back counts no more for the transaction it was of."""
    if original["type"] != "reversal":
        return
    reversed_one = tx.find(transactions.KIND, original["reversal"]["original_transaction"])
    if reversed_one is not None:
        before = reversed_one.private.get("partial", [])
        if original.id in before:
            before.remove(original.id)
        else:
            reversed_one.private["reversed"] = False
        tx.save(reversed_one)


def _blank(tx: Transaction, original: Resource, params: dict[str, Any]) -> Resource:
    shown = ("currency", "customer", "customer_details", "ship_from_details", "tax_date")
    given = {name: original[name] for name in shown}
    given |= {
        "posted_at": tx.now,
        "reversal": {"original_transaction": original.id},
        "type": "reversal",
    }
    return transactions.new(tx, given, params)
