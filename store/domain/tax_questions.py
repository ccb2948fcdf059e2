"""Taxes that somebody else computes: what has to be asked, what is answered, and the rule that goes by the answer.

A quote needs no network. Where a tax is not known yet, the rule says what has to be asked (`TaxesWanted`); whoever
makes the quote asks, outside of any transaction, and makes it again with the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from store.domain.addresses import Address
from store.domain.money import Money
from store.domain.pricing import Adjustment, Basket, Quote, Rule, TaxClass

# Where a price is without the taxes; everywhere else they are in it.
TAXES_ON_TOP = frozenset({"CA", "US"})


@dataclass(frozen=True, slots=True)
class TaxedLine:
    """One line of an order: what it costs after the discount. `reference` names it among the others."""

    reference: str
    amount: Money
    quantity: int
    tax_class: TaxClass
    shippable: bool


@dataclass(frozen=True, slots=True)
class TaxQuestion:
    """What the taxes are asked for: lines and shipping without taxes, to a place, for a business with a VAT number or
    anybody. Nobody's name is in it.
    """

    lines: tuple[TaxedLine, ...]
    shipping: Money
    address: Address
    is_shipped: bool
    tax_id: str | None

    @property
    def currency(self) -> str:
        return self.shipping.currency

    @property
    def total(self) -> Money:
        return Money.sum((line.amount for line in self.lines), self.currency) + self.shipping

    @property
    def includes_taxes(self) -> bool:
        """Whether these amounts have the taxes in them already."""
        return self.address.country not in TAXES_ON_TOP


class TaxProblem(StrEnum):
    """Why there is no answer."""

    ADDRESS_UNKNOWN = "address_unknown"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class TaxAnswer:
    """The adjustments of a quote for its taxes, and the name by which they can be recorded later; or a problem."""

    adjustments: tuple[Adjustment, ...] = ()
    calculation: str | None = None
    problem: TaxProblem | None = None


# Who answers. May raise TaxesWanted.
Taxes = Callable[[TaxQuestion], TaxAnswer]


class TaxesWanted(Exception):
    """The answer to `question` is not there yet. Ask, and do the same again with it."""

    def __init__(self, question: TaxQuestion) -> None:
        super().__init__()
        self.question = question


def not_asked(_question: TaxQuestion) -> TaxAnswer:
    """No taxes: for a price that is shown before anybody has said where the order goes."""
    return TaxAnswer()


def question_of(quote: Quote, address: Address | None, tax_id: str | None) -> TaxQuestion | None:
    """What has to be asked about a quote, whether its taxes are in it already or not. None where nothing is to be
    taxed, or the address does not say enough: the United States need a postal code, Canada that or a province.
    """
    if address is None or not _says_enough(address):
        return None
    lines = tuple(
        TaxedLine(str(line.product_id), amount, line.quantity, line.tax_class, line.shippable)
        for line, amount in zip(quote.lines, quote.net_lines, strict=True)
    )
    place = replace(address, full_name="", phone="")
    is_shipped = any(line.shippable for line in lines)
    question = TaxQuestion(lines, quote.net_shipping, place, is_shipped, tax_id)
    return question if question.total.minor else None


def asked_rule(taxes: Taxes) -> Rule:
    """The taxes as they are answered."""

    def rule(basket: Basket) -> Iterator[Adjustment]:
        question = question_of(basket.quote, basket.address, basket.tax_id)
        if question is not None:
            yield from taxes(question).adjustments

    return rule


def _says_enough(address: Address) -> bool:
    if address.country == "US":
        return bool(address.postal_code)
    if address.country == "CA":
        return bool(address.postal_code or address.region)
    return bool(address.country)
