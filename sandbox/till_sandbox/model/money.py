"""Stripe's rules about amounts. Amounts are whole numbers of a currency's minor unit."""

from typing import Any

from till_sandbox.data import load
from till_sandbox.errors import ApiError

_CURRENCIES = load("currencies")
_SUPPORTED = frozenset(_CURRENCIES["supported"])
#: Currencies whose minor unit is called a cent.
_CENTS = frozenset(("aud", "cad", "eur", "hkd", "nzd", "sgd", "usd"))
LARGEST = int(_CURRENCIES["largest_amount"])


def check_currency(value: str) -> str:
    """The currency in lower case; an error if Stripe has no such currency."""
    currency = value.lower()
    if currency not in _SUPPORTED:
        raise ApiError(
            f"Invalid currency: {currency}. Stripe currently supports these currencies: "
            + ", ".join(_CURRENCIES["supported"]),
            param="currency",
        )
    return currency


def check_amount(amount: int, currency: str, param: str = "amount") -> int:
    """The amount, if one payment may be that large in that currency."""
    if amount < 0:
        raise ApiError("Invalid non-negative integer", param=param)
    if amount == 0:
        raise ApiError(
            "The amount must be greater than or equal to the minimum charge amount allowed for your account and the "
            "currency set (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).  If you want to "
            "save a Payment Method for future use without an immediate payment, use a Setup Intent instead: "
            "https://docs.stripe.com/payments/setup-intents",
            code="parameter_invalid_integer",
            param=param,
        )
    least = least_of(currency)
    if amount < least:
        raise ApiError(
            f"Amount must be at least {text(least, currency)} {currency}", code="amount_too_small", param=param
        )
    if amount > LARGEST:
        raise ApiError(f"Amount must be no more than {text(LARGEST, currency)}", code="amount_too_large", param=param)
    step = step_of(currency)
    if amount % step:
        raise ApiError(f"Invalid amount: amounts in {currency} must be a multiple of {step}", param=param)
    return amount


def check_total(amount: int, currency: str) -> None:
    """The same of what a Checkout Session comes to, which has words of its own."""
    least = least_of(currency)
    if amount < least:
        coins = "cents" if currency in _CENTS else "pence" if currency == "gbp" else None
        limit = f"convert to at least {least} {coins}." if coins else f"add up to at least {text(least, currency)}"
        due = "" if coins else " due"
        raise ApiError(f"The Checkout Session's total amount{due} must {limit}", code="amount_too_small")
    if amount > LARGEST:
        raise ApiError(
            f"The Checkout Session's total amount due must be no more than {text(LARGEST, currency)}.",
            code="amount_too_large",
        )
    check_amount(amount, currency, "line_items")


def step_of(currency: str) -> int:
    """The smallest amount that can be paid: of three decimals the last is 0, and some are sent with two too many."""
    if currency in _CURRENCIES["three_decimal"]:
        return 10
    return 100 if currency in _CURRENCIES["sent_with_two_decimals"] else 1


def decimals_of(currency: str) -> int:
    """How many digits of an amount are behind the point."""
    return 0 if currency in _CURRENCIES["zero_decimal"] else 3 if currency in _CURRENCIES["three_decimal"] else 2


def least_of(currency: str) -> int:
    """The smallest payment."""
    return int(_CURRENCIES["minimums"].get(currency, 1))


def text(amount: int, currency: str) -> str:
    """An amount as Stripe writes it in its messages: $25.00, ¥500, 3.00 kr as "3.00"."""
    symbol: Any = _CURRENCIES["symbols"].get(currency, "")
    decimals = decimals_of(currency)
    return f"{symbol}{amount / 10**decimals:,.{decimals}f}"


def named_text(amount: int, currency: str) -> str:
    """The same with the currency's name where no sign tells it."""
    written = text(amount, currency)
    return written if not written[0].isdigit() else f"{written} {currency.upper()}"
