"""The test cards: one table, `data/test-cards.json`, says what each is and does."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from till_sandbox import ids
from till_sandbox.data import load

Behaviour = Literal[
    "not_enrolled",
    "not_supported",
    "optional",
    "optional_fails_to_start",
    "fails_to_start",
    "frictionless",
    "required",
    "required_on_session",
    "required_unless_set_up",
]


@dataclass(frozen=True)
class Card:
    """A row of the table. `name` is what the sandbox remembers of a card instead of its number."""

    name: str
    last4: str
    fingerprint: str
    brand: str
    country: str
    funding: str
    networks: tuple[str, ...]
    cvc_digits: int
    declines: str | None = None
    attaches: bool = True
    refused: str | None = None
    authentication: Behaviour = "not_enrolled"
    risk: str = "normal"
    checks: dict[str, str] = field(default_factory=dict)
    disputes: tuple[str, ...] = ()
    refunds: str | None = None
    funds: str = "pending"

    @property
    def network_transaction_id(self) -> str:
        """15 digits, the same for every payment with this card, as Stripe's test network has it."""
        return f"{int.from_bytes(self.fingerprint.encode()) % 10**15:015d}"


def by_name(name: str) -> Card:
    """The card a stored PaymentMethod was made of."""
    return _table().by_name[name]


def by_number(number: str) -> Card | None:
    """The test card with this number (digits only), if there is one."""
    return _table().by_number.get(number)


def by_alias(text: str) -> Card | None:
    """The card called `pm_card_…` or `tok_…`, if there is one."""
    for prefix in ("pm_card_", "tok_"):
        if text.startswith(prefix):
            return _table().by_alias.get(text.removeprefix(prefix))
    return None


def passes_luhn(number: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    digits = [int(character) for character in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


@dataclass(frozen=True)
class _Table:
    by_name: dict[str, Card]
    by_number: dict[str, Card]
    by_alias: dict[str, Card]


@cache
def _table() -> _Table:
    rows = [row for row in load("test-cards")["cards"] if "name" in row]
    cards = [_card(row) for row in rows]
    aliases: dict[str, Card] = {}
    for row, card in zip(rows, cards, strict=True):
        if row["payment_method"]:
            aliases |= dict.fromkeys([card.name, *row.get("aliases", [])], card)
    return _Table(
        by_name={card.name: card for card in cards},
        by_number={row["number"]: card for row, card in zip(rows, cards, strict=True)},
        by_alias=aliases,
    )


def _card(row: dict[str, Any]) -> Card:
    does = dict(row["does"])
    does["disputes"] = tuple(does.get("disputes", ()))
    does.setdefault("attaches", "declines" not in does)
    facts = row["card"]
    return Card(
        name=row["name"],
        last4=row["number"][-4:],
        fingerprint=ids.derived("", "card " + row["number"], 16),
        brand=facts["brand"],
        country=facts["country"],
        funding=facts["funding"],
        networks=tuple(facts["networks"]),
        cvc_digits=4 if facts["brand"] == "amex" else 3,
        **does,
    )
