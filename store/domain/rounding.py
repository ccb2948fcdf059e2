"""How amounts are rounded and split, stated once. The hosted page does the same with the same numbers.

- A percentage of an amount is rounded half up, to the smallest amount that the currency knows.
- A discount is computed on the whole order and then split over its lines: each gets its share rounded down, the last
  one what is left. What is split adds up to exactly what there was.
- A tax is computed line by line, on what the discount leaves of the line, and each is rounded for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from store.domain.money import Money, smallest_step


def half_up(minor: Fraction, currency: str) -> Money:
    """The amount that is nearest to so many minor units, which are not negative; of two equally near the greater."""
    step = smallest_step(currency)
    return Money(int((minor / step + Fraction(1, 2)) // 1) * step, currency)


def split(amount: Money, parts: Sequence[Money]) -> list[Money]:
    """`amount` divided in the ratio of `parts`, none of them negative: each share rounded down, the last ones get what
    is left. No share of an amount that all parts have together is greater than its part.
    """
    step = smallest_step(amount.currency)
    whole = sum(part.minor for part in parts)
    shares = [amount.minor * part.minor // whole // step * step if whole else 0 for part in parts]
    left = amount.minor - sum(shares)
    for number in reversed(range(len(parts))):
        room = parts[number].minor - shares[number] if amount.minor <= whole else left
        more = min(left, room)
        shares[number] += more
        left -= more
    return [Money(share, amount.currency) for share in shares]
