"""The names of days, months and years."""

from __future__ import annotations

from datetime import date

from babel.dates import format_date

from store.services.balance import Period

LOCALE = "en"


def period_name(period: Period) -> str:
    """Such as `November 2026`, or `2026`."""
    return format_date(period.first, "MMMM y" if period.month is not None else "y", locale=LOCALE)


def row_name(first: date, period: Period) -> str:
    """What a row of it is called: a day of a month, or a month of a year."""
    return format_date(first, "EEE, d MMM" if period.month is not None else "MMMM", locale=LOCALE)
