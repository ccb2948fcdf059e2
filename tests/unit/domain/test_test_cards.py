"""The table of test cards is complete, has no duplicates, and agrees with the store's own messages and states."""

import json
import re
from collections import Counter
from pathlib import Path

from store.domain.states import OrderState, PaymentState
from store.testmode.test_cards import (
    ChallengeAnswer,
    Place,
    counts,
    groups,
    scenario,
    scenarios,
)

ROOT = Path(__file__).parents[3]
DOCUMENTED = json.loads((ROOT / "sandbox/till_sandbox/data/test-cards.json").read_text("utf-8"))


def test_every_documented_card_has_its_row() -> None:
    documented = Counter((card["group"], card["number"]) for card in DOCUMENTED["cards"])

    rows = Counter((group.key, card.digits) for group in groups() for card in group.cards if group.key != "invalid")

    assert rows == documented


def test_all_data_that_is_documented_as_invalid_has_its_row() -> None:
    (invalid,) = [group for group in groups() if group.key == "invalid"]

    assert {card.refused for card in invalid.cards} == set(DOCUMENTED["invalid_data"])


def test_the_numbers_in_the_texts_are_those_of_the_table() -> None:
    sizes = counts()
    texts = {name: " ".join((ROOT / name).read_text("utf-8").split()) for name in ("README.md", "sandbox/README.md")}

    assert sizes.cards == len(DOCUMENTED["cards"])
    assert sizes.mistyped == len(DOCUMENTED["invalid_data"])
    assert sizes.scenarios == sizes.cards + sizes.mistyped + sizes.asking == len(list(scenarios()))
    for name, text in texts.items():
        assert set(re.findall(r"\b(\d+)(?: of Stripe's)? test cards", text)) == {str(sizes.cards)}, name
    assert re.findall(r"(\d+) mistyped", texts["README.md"]) == [str(sizes.mistyped)]
    assert re.findall(r"(\d+) of the cards the bank asks", texts["README.md"]) == [str(sizes.asking)]
    assert re.findall(r"(\d+) rows|all (\d+) in a browser", texts["README.md"]) == [
        (str(sizes.scenarios), ""),
        ("", str(sizes.scenarios)),
    ]


def test_a_scenario_is_found_by_its_own_key() -> None:
    keys = [scenario.key for _group, _card, scenario in scenarios()]

    assert len(keys) == len(set(keys))
    assert [scenario(key) for key in keys] == [scenario for _group, _card, scenario in scenarios()]
    assert scenario("no-such-card") is None


def test_each_scenario_says_one_thing_to_the_shopper() -> None:
    wrong = []
    for _group, card, row in scenarios():
        expected = row.expected
        words = {Place.ORDER: expected.heading, Place.PAYMENT: expected.decline, Place.FIELD: expected.error}
        read = words.pop(expected.page)
        if not read or any(words.values()) or (card.refused is not None) != (expected.page is Place.FIELD):
            wrong.append(row.key)

    assert wrong == []


def test_an_order_is_paid_exactly_when_the_payment_succeeded() -> None:
    wrong = []
    for _group, _card, row in scenarios():
        expected = row.expected
        succeeded = "payment_intent.succeeded" in expected.events
        waits = expected.order is OrderState.AWAITING_PAYMENT
        if succeeded != (expected.payment in (PaymentState.PAID, PaymentState.REFUNDED)):
            wrong.append(f"{row.key}: {expected.payment}")
        if waits != (expected.page is not Place.ORDER):
            wrong.append(f"{row.key}: {expected.order}")

    assert wrong == []


def test_a_documented_decline_code_is_the_one_in_the_table() -> None:
    documented = {
        (card["group"], card["number"]): {card["decline_code"]}
        for card in DOCUMENTED["cards"]
        if card.get("decline_code")
    }

    table = {
        row: {
            scenario.expected.decline
            for group, card, scenario in scenarios()
            if (group.key, card.digits) == row and scenario.answer is not ChallengeAnswer.FAIL
        }
        for row in documented
    }

    assert documented
    assert table == documented


def test_a_card_pays_unless_the_documented_list_gives_an_error() -> None:
    """Where the bank or Radar decides later the list gives no error; those rows are all tried on a store."""
    refused = {(card["group"], card["number"]) for card in DOCUMENTED["cards"] if card.get("error_code")}
    rows = {
        (group.key, card.digits): "payment_intent.succeeded" in row.expected.events
        for group, card, row in scenarios()
        if group.key not in ("3ds", "radar", "invalid")
    }

    assert {row for row, pays in rows.items() if not pays} == refused & set(rows)
    assert len(rows) > 100


def test_a_card_that_asks_has_a_scenario_for_each_answer() -> None:
    asking = {
        card.digits: card for group in groups() if group.key == "3ds" for card in group.cards if len(card.scenarios) > 1
    }

    assert set(asking) == {
        "4000002500003155", "4000002760003184", "4000003800000446", "4000008260003178", "4000000000003220",
        "4000008400000027", "4000008400001629",
    }  # fmt: skip
    assert all({scenario.answer for scenario in card.scenarios} == set(ChallengeAnswer) for card in asking.values())
