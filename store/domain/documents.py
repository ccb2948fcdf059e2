"""Invoices and credit notes: what they are called, and which taxes are in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from store.domain.money import Money
from store.domain.pricing import Adjustment, AdjustmentKind
from store.domain.rounding import half_up, split


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


def left(rows: Sequence[TaxRow], credited_before: Iterable[Sequence[TaxRow]]) -> tuple[TaxRow, ...]:
    """What of an invoice's taxes was not credited yet. The rows of a credit note are those of its invoice."""
    rest = tuple(rows)
    for note in credited_before:
        rest = tuple(_without(row, taken) for row, taken in zip(rest, note, strict=True))
    return rest


def credited(rows: Sequence[TaxRow], whole: Money, amount: Money, tax: Money | None = None) -> tuple[TaxRow, ...]:
    """What of the taxes `rows`, which are in `whole`, is in a part of it, `amount`; `tax` is how much all of them are
    together, where that is known. The last part has what is left, so that the parts add up.
    """
    if amount.minor >= whole.minor:
        return tuple(rows)
    all_of_them = sum(row.tax.minor for row in rows)
    wanted = tax or half_up(Fraction(all_of_them * amount.minor, whole.minor), whole.currency)
    shares = split(Money(min(wanted.minor, all_of_them), whole.currency), [row.tax for row in rows])
    return tuple(
        TaxRow(row.label, row.base and _part(row.base, share, row.tax, amount, whole), share)
        for row, share in zip(rows, shares, strict=True)
    )


def _without(row: TaxRow, taken: TaxRow) -> TaxRow:
    base = Money(row.base.minor - taken.base.minor, row.base.currency) if row.base and taken.base else None
    return TaxRow(row.label, base, Money(row.tax.minor - taken.tax.minor, row.tax.currency))


def _part(base: Money, share: Money, tax: Money, amount: Money, whole: Money) -> Money:
    """What a share of a tax was computed on: the same share of its base. Of no tax at all, that of the amount."""
    ratio = Fraction(share.minor, tax.minor) if tax.minor else Fraction(amount.minor, whole.minor)
    return half_up(base.minor * ratio, base.currency)


def _charged(amount: Money) -> Money:
    """A tax that is taken out of the price again is not charged."""
    return Money(max(amount.minor, 0), amount.currency)
