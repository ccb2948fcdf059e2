"""Invoices and credit notes: what they are called, and which taxes are in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from store.domain.money import Money
from store.domain.pricing import Adjustment, AdjustmentKind
from store.domain.rounding import half_up


class DocumentKind(StrEnum):
    """Each kind is a series of numbers of its own."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


PREFIXES = {DocumentKind.INVOICE: "INV", DocumentKind.CREDIT_NOTE: "CN"}


def document_name(kind: DocumentKind, number: int) -> str:
    """Such as `INV-000001`."""
    return f"{PREFIXES[kind]}-{number:06}"


@dataclass(frozen=True, slots=True)
class TaxRow:
    """What is due of one tax: `tax` on `base`, which is None where it is not known. A tax that the customer pays to the
    authority (reverse charge) is zero.
    """

    label: str
    base: Money | None
    tax: Money

    @property
    def gross(self) -> Money | None:
        return self.base + self.tax if self.base is not None else None


def tax_rows(adjustments: Iterable[Adjustment]) -> tuple[TaxRow, ...]:
    """The taxes of an order, one row for each rate."""
    taxes = (each for each in adjustments if each.kind is AdjustmentKind.TAX)
    return tuple(TaxRow(each.label, each.base, each.contained or _charged(each.amount)) for each in taxes)


def credited(rows: Sequence[TaxRow], total: Money, before: Money, amount: Money) -> tuple[TaxRow, ...]:
    """What of an order's taxes is in a part of its total: `amount`, after `before` was credited already. The parts of
    a whole add up to its taxes.
    """
    return tuple(
        TaxRow(
            row.label,
            _share(row.base, total, before, amount) if row.base is not None else None,
            _share(row.tax, total, before, amount),
        )
        for row in rows
    )


def _charged(amount: Money) -> Money:
    """A tax that is taken out of the price again is not charged."""
    return Money(max(amount.minor, 0), amount.currency)


def _share(whole: Money, total: Money, before: Money, amount: Money) -> Money:
    def until(part: int) -> int:
        return half_up(Fraction(whole.minor * part, total.minor), whole.currency).minor

    return Money(until(before.minor + amount.minor) - until(before.minor), whole.currency)
