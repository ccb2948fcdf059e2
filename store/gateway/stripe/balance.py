"""Stripe's balance: what came in and went out, entry by entry, and what it comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import stripe

from store.domain.balance import EntryKind
from store.domain.money import Money
from store.gateway.port import BalanceEntrySnapshot, EntryPage
from store.gateway.stripe.transport import translate_errors

PAGE = 100  # the most that Stripe lists at once
# docs.stripe.com/reports/reporting-categories. Whatever is not here is an entry of its own kind, such as a fee.
KINDS = {
    "charge": EntryKind.SALE,
    "charge_failure": EntryKind.SALE,
    "partial_capture_reversal": EntryKind.REFUND,
    "refund": EntryKind.REFUND,
    "refund_failure": EntryKind.REFUND,
    "dispute": EntryKind.DISPUTE,
    "dispute_reversal": EntryKind.DISPUTE,
    "payout": EntryKind.PAYOUT,
    "payout_reversal": EntryKind.PAYOUT,
}


class StripeBalance:
    """A BalanceService that asks Stripe through `client`."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client

    def list_entries(self, since: datetime | None, after: str | None) -> EntryPage:
        params: dict[str, Any] = {"limit": PAGE, "expand": ["data.source"]}
        if since is not None:
            params["created"] = {"gte": int(since.timestamp())}
        if after is not None:
            params["starting_after"] = after
        with translate_errors("list_balance_entries", after or "newest"):
            found = self._client.v1.balance_transactions.list(params)  # type: ignore[arg-type]  # built in steps
            return EntryPage(tuple(entry_of(each.to_dict()) for each in found.data), more=found.has_more)

    def totals(self) -> list[Money]:
        with translate_errors("balance", "account"):
            said = self._client.v1.balance.retrieve().to_dict()
        sums: Counter[str] = Counter()
        for part in (*said["available"], *said["pending"]):
            sums[part["currency"]] += part["amount"]
        return [Money(minor, currency) for currency, minor in sorted(sums.items())]


def entry_of(row: Mapping[str, Any]) -> BalanceEntrySnapshot:
    """A balance transaction whose source is in it, so that it says which payment it is about."""
    source, category = row["source"], row["reporting_category"]
    known = source if isinstance(source, Mapping) else {"id": source}
    return BalanceEntrySnapshot(
        provider_entry_id=row["id"],
        at=datetime.fromtimestamp(row["created"], UTC),
        available_at=datetime.fromtimestamp(row["available_on"], UTC),
        kind=KINDS.get(category, EntryKind.OTHER),
        category=category,
        amount=Money(row["amount"], row["currency"]),
        fee=Money(row["fee"], row["currency"]),
        source=known["id"],
        provider_payment_id=_payment_of(known),
    )


def _payment_of(source: Mapping[str, Any]) -> str | None:
    """Of a charge, a refund or a dispute; a payout has none."""
    payment = source.get("payment_intent")
    name = payment["id"] if isinstance(payment, Mapping) else payment
    return name if isinstance(name, str) else None
