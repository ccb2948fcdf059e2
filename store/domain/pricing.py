"""What may be charged: the bounds Stripe sets on an amount, and prices brought into the store's currency."""

from __future__ import annotations

from store.domain.errors import AmountOutOfRange
from store.domain.money import Money, smallest_step

# Smallest charge by settlement currency, in minor units
# (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, 2026).
MINIMUM_CHARGE = {
    "aed": 200, "ars": 50, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "cop": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "idr": 50, "ils": 50, "inr": 50, "jpy": 50, "krw": 50, "mxn": 1000, "myr": 200,
    "nok": 300, "nzd": 50, "php": 50, "pln": 200, "ron": 200, "rub": 50, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
    "zar": 50,
}  # fmt: skip

# The API's own text says eight digits; a newer page allows more for some cards. Eight is safe everywhere.
MAXIMUM_CHARGE = 99_999_999


def check_chargeable(total: Money) -> None:
    """Raise AmountOutOfRange unless Stripe would take `total` in one payment."""
    smallest = Money(MINIMUM_CHARGE.get(total.currency, smallest_step(total.currency)), total.currency)
    largest = Money(MAXIMUM_CHARGE, total.currency)
    if not smallest.minor <= total.minor <= largest.minor:
        raise AmountOutOfRange(total, smallest, largest)


def price_from_cents(cents: int, currency: str) -> Money:
    """A catalogue price, kept in hundredths, as a price that looks natural in `currency`: 2400 is $24.00 and ¥2,400."""
    return Money(cents * smallest_step(currency), currency)
