"""Which orders an address asks for: what the list and its CSV have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from flask import request

from store.services.orders import search
from store.services.orders.listing import OrderFilter, Show
from store.services.orders.sorting import Cursor, Sort

# What an address says of the sorting: by what, and whether the oldest or the smallest come first.
SORTED: Mapping[str, tuple[Sort, bool]] = {
    "": (Sort.DATE, False),
    "oldest": (Sort.DATE, True),
    "highest": (Sort.TOTAL, False),
    "lowest": (Sort.TOTAL, True),
    "state": (Sort.STATE, False),
}


@dataclass(frozen=True, slots=True)
class OrderQuery:
    """What was asked for, as it was typed, and what it means. What makes no sense is not asked for."""

    text: str
    show: Show
    since: str
    until: str
    sort: str
    filter: OrderFilter
    after: Cursor | None

    @classmethod
    def of_request(cls) -> OrderQuery:
        args = request.args
        text = args.get("q", "")[: search.LONGEST]
        show = Show(args["show"]) if args.get("show") in set(Show) else Show.ALL
        since, until = _day(args.get("from")), _day(args.get("to"))
        chosen = args.get("sort", "")
        chosen = chosen if chosen in SORTED else ""
        sort, oldest_first = SORTED[chosen]
        wanted = OrderFilter(
            show,
            search.parse(text),
            _begin_of(since) if since else None,
            _begin_of(until) + timedelta(days=1) if until else None,
            oldest_first,
            sort,
        )
        days = [day.isoformat() if day else "" for day in (since, until)]
        return cls(text, show, days[0], days[1], chosen, wanted, _cursor(args.get("after")))

    @property
    def address(self) -> dict[str, str]:
        """The parts of an address that ask for the same."""
        parts = {"q": self.text, "show": self.show if self.show is not Show.ALL else ""}
        parts |= {"from": self.since, "to": self.until, "sort": self.sort}
        return {name: str(value) for name, value in parts.items() if value}

    @property
    def by_name(self) -> bool:
        """Whether the orders come in the order of what they were found by."""
        return self.filter.search is not None and self.filter.search.key is not None

    @staticmethod
    def cursor_text(after: Cursor | None) -> str | None:
        """Where the next page begins, as it stands in its address."""
        return f"{after.order_id}~{after.key}" if after is not None else None


def _day(typed: str | None) -> date | None:
    try:
        return date.fromisoformat(typed or "")
    except ValueError:
        return None


def _begin_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _cursor(text: str | None) -> Cursor | None:
    number, _, key = (text or "").partition("~")
    known = number.isascii() and number.isdecimal() and len(number) < 10 and "\0" not in key
    return Cursor(int(number), key) if known else None
