"""The test cards: what each is, and what becomes of an order that it is tried on. One table,
`store/testmode/test_cards.json`.

The payment page's drawer, the test-card page, `make cards` and the tests all read it from here. It says what Stripe
documents, with its sources, and is true of Stripe's test mode and of the sandbox alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from store.domain.states import OrderState, PaymentState

SOURCE = Path(__file__).parent / "test_cards.json"
MISTYPED = "invalid"  # the group of what is no card
HOSTED_PAGE_PAID = "checkout.session.completed"


class ChallengeAnswer(StrEnum):
    """What the shopper answers when the bank asks who is paying."""

    COMPLETE = "complete"
    FAIL = "fail"


class Place(StrEnum):
    """Where the shopper reads how it ended: the order's page, the payment page, beside the card field, or on the
    payment service's own page.
    """

    ORDER = "order"
    PAYMENT = "payment"
    FIELD = "field"
    HOSTED = "hosted"


@dataclass(frozen=True, slots=True)
class ExpectedResult:
    """How a payment ends.

    `events` are those sent after the payment was opened, in any order, the same one as often as it is there.
    `heading` is the order page's, `decline` the code that chooses the words of a declined card, `error` the sentence of
    the card field: one of the three, as `page` says. `refund`: the order is refunded in full before one looks.
    """

    summary: str
    page: Place
    order: OrderState
    payment: PaymentState
    events: tuple[str, ...]
    heading: str | None = None
    decline: str | None = None
    error: str | None = None
    refund: bool = False
    disputed: bool = False
    needs_review: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to pay with a card. `answer` is the shopper's to the bank, None where the bank does not ask.

    `key` names the scenario for good, as in an address or a file.
    """

    key: str
    answer: ChallengeAnswer | None
    expected: ExpectedResult


@dataclass(frozen=True, slots=True)
class TestCard:
    """A card as it is typed. `refused` is the API's code where the number or a date cannot be one, and it says so."""

    __test__ = False  # pytest: a card to test with, not a test

    number: str
    label: str
    expiry: str
    cvc: str
    postal: str
    scenarios: tuple[Scenario, ...]
    refused: str | None = None

    @property
    def digits(self) -> str:
        return self.number.replace(" ", "")


@dataclass(frozen=True, slots=True)
class Group:
    """Cards that belong together. `note` is a sentence about all of them, or empty."""

    key: str
    title: str
    note: str
    cards: tuple[TestCard, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there are: documented cards, sets of data that no card has, cards that ask the bank, and scenarios."""

    cards: int
    mistyped: int
    asking: int
    scenarios: int

    @property
    def entries(self) -> int:
        """Everything that can be typed: what the drawer lists."""
        return self.cards + self.mistyped


@cache
def groups() -> tuple[Group, ...]:
    """The whole table, in the order in which it is shown."""
    return read(SOURCE)


def read(source: Path) -> tuple[Group, ...]:
    """The groups of a table of cards in JSON, as `store/testmode/test_cards.json` is written."""
    table = json.loads(source.read_text("utf-8"))
    outcomes = {name: _outcome(row) for name, row in table["outcomes"].items()}
    return tuple(
        Group(
            row["key"],
            row["title"],
            row.get("note", ""),
            tuple(_card(row["key"], card, table, outcomes) for card in row["cards"]),
        )
        for row in table["groups"]
    )


def scenarios() -> Iterator[tuple[Group, TestCard, Scenario]]:
    """Every way to pay with every card."""
    for group in groups():
        for card in group.cards:
            for scenario in card.scenarios:
                yield group, card, scenario


@cache
def counts() -> Counts:
    """The sizes of the table. Stripe documents the mistyped ones beside its cards, not among them."""
    mistyped = sum(len(group.cards) for group in groups() if group.key == MISTYPED)
    entries = [card for group in groups() for card in group.cards]
    asking = sum(len(card.scenarios) > 1 for card in entries)
    return Counts(len(entries) - mistyped, mistyped, asking, sum(len(card.scenarios) for card in entries))


def on_hosted_page(tried: Scenario) -> Scenario:
    """The same on the payment service's own page: one event more tells that it was paid. What is wrong with a card is
    said there, in words that are not the store's.
    """
    expected = tried.expected
    if expected.page is Place.ORDER:
        return replace(tried, expected=replace(expected, events=(*expected.events, HOSTED_PAGE_PAID)))
    return replace(tried, expected=replace(expected, page=Place.HOSTED, decline=None, error=None))


@cache
def scenario(key: str) -> Scenario | None:
    """The scenario of that name, if there is one."""
    return next((found for _group, _card, found in scenarios() if found.key == key), None)


def _outcome(row: Mapping[str, Any]) -> ExpectedResult:
    states = {"page": Place(row["page"]), "order": OrderState(row["order"]), "payment": PaymentState(row["payment"])}
    return ExpectedResult(**{**row, **states, "events": tuple(row["events"])})


def _card(
    group: str, row: Mapping[str, Any], table: Mapping[str, Any], outcomes: Mapping[str, ExpectedResult]
) -> TestCard:
    behaviour = table["behaviours"][row.get("does", "pays")]
    endings = behaviour if isinstance(behaviour, dict) else {None: behaviour}
    name = "-".join([group, row["number"].replace(" ", ""), *filter(None, [row.get("refused")])])
    error = table["field_errors"][row["error"]] if "error" in row else None
    return TestCard(
        number=row["number"],
        label=row["label"],
        **{part: row.get(part, usual) for part, usual in table["typed"].items()},
        scenarios=tuple(
            Scenario(
                f"{name}-{answer}" if answer else name,
                ChallengeAnswer(answer) if answer else None,
                replace(outcomes[ending], decline=outcomes[ending].decline or row.get("decline"), error=error),
            )
            for answer, ending in endings.items()
        ),
        refused=row.get("refused"),
    )
