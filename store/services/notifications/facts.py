"""Which entries of an order's history are facts that endpoints are told of, and in what words. Nobody's name, address
or e-mail is in them: who wants more asks the API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from models import HistoryEntry, Order
from store.domain.endpoints import Fact
from store.domain.states import OrderEvent, RefundEvent
from store.services.services import Services

Entry = dict[str, Any]


def _shipment(data: Entry, *, complete: bool) -> Entry:
    return {**{name: data.get(name) for name in ("shipment", "carrier", "tracking")}, "complete": complete}


# The fact, and what is told of it beside the order.
_FACTS: Mapping[str, tuple[Fact, Callable[[Entry, str], Entry]]] = {
    f"order.{OrderEvent.PAYMENT_RECEIVED}": (Fact.ORDER_PAID, lambda _data, _currency: {}),
    f"order.{OrderEvent.NOTHING_DUE}": (Fact.ORDER_PAID, lambda _data, _currency: {}),
    "order.partly_shipped": (Fact.ORDER_SHIPPED, lambda data, _currency: _shipment(data, complete=False)),
    f"order.{OrderEvent.FULFILLED}": (Fact.ORDER_SHIPPED, lambda data, _currency: _shipment(data, complete=True)),
    f"refund.{RefundEvent.SUCCEEDED}": (
        Fact.ORDER_REFUNDED,
        lambda data, currency: {"refunded": {"minor": data["amount"], "currency": currency}},
    ),
    "review.opened": (Fact.REVIEW_OPENED, lambda data, _currency: {"reason": data["reason"]}),
}
TYPES = tuple(_FACTS)


def fact_of(entry: HistoryEntry) -> Fact | None:
    """What an entry of one of the TYPES is. One of which nothing is left to be sent is fulfilled without a shipment."""
    fact = _FACTS[entry.type][0]
    return None if fact is Fact.ORDER_SHIPPED and "shipment" not in entry.data else fact


def body_of(services: Services, entry: HistoryEntry, order: Order) -> str:
    """What is told of it, as JSON."""
    fact, more = _FACTS[entry.type]
    told = {
        "type": fact,
        "timestamp": entry.at.isoformat(),
        "data": {
            "order": order.reference,
            "total": {"minor": order.total_minor, "currency": order.currency},
            **more(entry.data, order.currency),
            "url": f"{services.settings.store_url}/api/v1/orders/{order.reference}",
        },
    }
    return json.dumps(told, separators=(",", ":"))
