"""The merchant's money at the payment service: what came in, what it cost, what was paid out."""

from store.services.balance.collecting import account, collect, collected_until
from store.services.balance.figures import (
    Period,
    PeriodFigures,
    currencies,
    first_day,
    net_of,
    of_order,
    of_period,
    payouts,
    stream,
    total_of,
    totals,
)

__all__ = [
    "Period",
    "PeriodFigures",
    "account",
    "collect",
    "collected_until",
    "currencies",
    "first_day",
    "net_of",
    "of_order",
    "of_period",
    "payouts",
    "stream",
    "total_of",
    "totals",
]
