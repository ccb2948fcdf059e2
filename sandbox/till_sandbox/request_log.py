"""The newest requests to the API, for a developer who wants to know what was asked and why it was refused.

Kept in memory: it may be lost, and writing it to disk would cost more than most requests do.
"""

from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from till_sandbox.json_text import parse

#: How many requests are kept.
KEPT = 500
#: The longest answer that is kept whole, in characters.
LONGEST_ANSWER = 100_000
HIDDEN = "…"

#: Parameters that are never kept.
_NEVER_KEPT = frozenset({"cvc", "number"})
#: Fields whose values let others act for the account or its customers.
_SECRET = frozenset({"client_secret", "key", "secret", "stripe_js", "url"})


@dataclass
class Entry:
    """One request. It is filled in while the request is processed, and shown once it has been answered."""

    id: str
    created: float
    method: str
    path: str
    account: str | None = None
    key: str | None = None
    idempotency_key: str | None = None
    replayed: bool = False
    parameters: dict[str, Any] | None = None
    events: list[tuple[str, str]] = field(default_factory=list)
    fault: str | None = None
    seconds: float = 0.0
    status: int | None = None
    answer: str | None = None

    def sent(self, parameters: dict[str, Any]) -> None:
        """Keep the parameters, without card numbers."""
        self.parameters = _without_cards(parameters)

    def answered(self, status: int, text: str) -> None:
        self.status = status
        self.answer = text if len(text) <= LONGEST_ANSWER else None

    def concerns(self, object_id: str) -> bool:
        """Whether the path, the answer or an event names the object."""
        return (
            object_id in self.path
            or object_id in (self.answer or "")
            or any(object_id == event_id for event_id, _ in self.events)
        )

    def shown(self) -> dict[str, Any]:
        """The entry as JSON, with every secret hidden. A refusal's reason is in `error` as well."""
        answer = None if self.answer is None else _without_secrets(parse(self.answer))
        refusal = answer.get("error") if isinstance(answer, dict) else None
        names = ("type", "code", "param", "message")
        return {
            "id": self.id,
            "account": self.account,
            "created": self.created,
            "seconds": self.seconds,
            "key": self.key,
            "method": self.method,
            "path": self.path,
            "parameters": None if self.parameters is None else _without_secrets(self.parameters),
            "idempotency_key": self.idempotency_key,
            "replayed": self.replayed,
            "status": self.status,
            "answer": answer,
            "error": {name: refusal.get(name) for name in names} if isinstance(refusal, dict) else None,
            "fault": self.fault,
            "events": [{"id": event_id, "type": event_type} for event_id, event_type in self.events],
        }


class RequestLog:
    """The newest requests. Threads may add and read at the same time."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)

    def add(self, entry: Entry) -> None:
        self._entries.append(entry)

    def newest(self, limit: int, *, account: str | None = None, about: str | None = None) -> list[dict[str, Any]]:
        """Newest first; of one account, or about one object."""
        found = (
            entry
            for entry in reversed(list(self._entries))
            if (account is None or entry.account == account) and (not about or entry.concerns(about))
        )
        return [entry.shown() for entry in islice(found, limit)]

    def clear(self) -> None:
        self._entries.clear()


def _without_cards(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {""}:  # a list, written with empty brackets
        return value[""]
    return {name: HIDDEN if name in _NEVER_KEPT else _without_cards(item) for name, item in value.items()}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: HIDDEN if _is_secret(name, item) else _without_secrets(item) for name, item in value.items()}


def _is_secret(name: str, value: Any) -> bool:
    """Addresses are hidden where they carry a client secret, as the bank's page's does."""
    return name in _SECRET and isinstance(value, str) and (name not in ("url", "stripe_js") or "client_secret" in value)
