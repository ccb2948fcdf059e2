"""What taxes come to, by line and in all. Amounts are whole numbers of the currency's minor unit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from till_sandbox.model.checkout.totals import half_up
from till_sandbox.model.tax.rates import JurisdictionRate

#: Reasons for which nothing of an amount counts as taxable.
_NOTHING_TAXABLE = ("not_collecting", "not_subject_to_tax", "not_supported", "product_exempt", "customer_exempt")


@dataclass(frozen=True)
class Part:
    """The tax of one rate on one amount, and how much of that was taxed."""

    rate: JurisdictionRate
    amount: int
    taxable: int
    inclusive: bool

    def shown(self) -> dict[str, Any]:
        """As a line item's breakdown has it."""
        rate = self.rate
        details = {"display_name": rate.name, "percentage_decimal": rate.decimal, "tax_type": rate.tax_type}
        return {
            "amount": self.amount,
            "jurisdiction": rate.jurisdiction,
            "sourcing": "destination",
            "tax_rate_details": details if rate.tax_type is not None else None,
            "taxability_reason": rate.reason,
            "taxable_amount": self.taxable,
        }


def parts(amount: int, rates: Sequence[JurisdictionRate], *, inclusive: bool, step: int) -> list[Part]:
    """The taxes on an amount. Where they are in it, all are computed on what it is without them; each is rounded half
    up for itself.
    """
    within = sum((rate.fraction for rate in rates), Fraction(0)) if inclusive else Fraction(0)
    net = Fraction(amount) / (1 + within)
    return [
        Part(
            rate,
            half_up(net * rate.fraction, step),
            0 if rate.reason in _NOTHING_TAXABLE else half_up(net, step),
            inclusive,
        )
        for rate in rates
    ]


def shares(amount: int, weights: Sequence[int], step: int) -> list[int]:
    """An amount in the ratio of the weights, each rounded down; the last one that weighs gets the rest."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    found = [amount * weight // whole // step * step for weight in weights]
    found[max(index for index, weight in enumerate(weights) if weight)] += amount - sum(found)
    return found


def summed(found: Iterable[Part]) -> list[dict[str, Any]]:
    """The taxes of a whole calculation, those of one rate together."""
    sums: dict[tuple[Any, ...], list[int]] = {}
    kept: dict[tuple[Any, ...], Part] = {}
    for part in found:
        rate = part.rate
        key = (rate.place, rate.level, rate.decimal, rate.tax_type, rate.reason, part.inclusive)
        kept.setdefault(key, part)
        before = sums.setdefault(key, [0, 0])
        before[0] += part.amount
        before[1] += part.taxable
    return [_summed(kept[key], *amounts) for key, amounts in sums.items()]


def _summed(part: Part, amount: int, taxable: int) -> dict[str, Any]:
    rate = part.rate
    return {
        "amount": amount,
        "inclusive": part.inclusive,
        "tax_rate_details": {
            "country": rate.place.country,
            "flat_amount": None,
            "percentage_decimal": rate.decimal,
            "rate_type": "percentage" if rate.tax_type is not None else None,
            "state": rate.jurisdiction["state"],
            "tax_type": rate.tax_type,
        },
        "taxability_reason": rate.reason,
        "taxable_amount": taxable,
    }
