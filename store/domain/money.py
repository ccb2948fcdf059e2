"""Money: whole minor units and a currency, always together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency

# How many decimals an amount has on the wire, where it is not two (docs.stripe.com/currencies).
# ISK and UGX have no minor unit in daily life, yet they are sent in hundredths that end in 00.
ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
WHOLE_HUNDREDS = frozenset({"isk", "ugx"})


def decimals(currency: str) -> int:
    """The number of decimals that `currency`'s minor unit stands for on the wire."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def smallest_step(currency: str) -> int:
    """Amounts in `currency` are multiples of this many minor units (tens of thousandths, whole kronur)."""
    if currency in THREE_DECIMAL:
        return 10
    return 100 if currency in WHOLE_HUNDREDS else 1


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in `currency`'s minor unit as the payment service counts it; the currency is a lower-case ISO code.

    Amounts of different currencies do not add up: that raises ValueError.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise TypeError(f"an amount is a whole number of minor units, not {self.minor!r}")
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.islower()):
            raise ValueError(f"a currency is three lower-case letters, not {self.currency!r}")

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.minor + other.minor, self.currency)

    def __mul__(self, count: int) -> Money:
        return Money(self.minor * count, self.currency)

    def text(self, locale: str = "en_US") -> str:
        """What a shopper reads, such as `$12.34`."""
        return format_currency(
            Decimal(self.minor).scaleb(-decimals(self.currency)), self.currency.upper(), locale=locale
        )

    @classmethod
    def read(cls, typed: str, currency: str) -> Money:
        """An amount as a person types it, such as `12`, `12.30` or `12,30`. Raises ValueError for anything else."""
        text = typed.strip().replace(",", ".")
        if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,3})?", text, re.ASCII):
            raise ValueError("not an amount")
        minor = Decimal(text).scaleb(decimals(currency))
        if minor != minor.to_integral_value():
            raise ValueError("the currency has fewer decimals")
        return cls(int(minor), currency)

    @property
    def plain(self) -> str:
        """The amount alone, such as `12.30`: for a field, or for a program."""
        return f"{Decimal(self.minor).scaleb(-decimals(self.currency)):f}"

    @classmethod
    def sum(cls, amounts: Iterable[Money], currency: str) -> Money:
        total = cls(0, currency)
        for amount in amounts:
            total += amount
        return total
