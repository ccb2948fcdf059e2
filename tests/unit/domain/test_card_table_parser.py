"""A row of the test-card table gets the usual value for every column that it does not have."""

import json
from pathlib import Path
from typing import Any

import pytest

from store.domain.states import OrderState, PaymentState
from store.testmode import test_cards
from store.testmode.test_cards import ChallengeAnswer, ExpectedResult, Group, Place, Scenario, TestCard

PAID = ExpectedResult(
    summary="Pays — at once.",
    page=Place.ORDER,
    order=OrderState.PAID,
    payment=PaymentState.PAID,
    events=("charge.succeeded", "payment_intent.succeeded"),
    heading="Payment received",
)
TABLE = {
    "typed": {"expiry": "12 / 34", "cvc": "123", "postal": "10001"},
    "field_errors": {"short": "Your card's security code is incomplete."},
    "outcomes": {
        "paid": {
            "summary": "Pays — at once.",
            "page": "order",
            "heading": "Payment received",
            "order": "paid",
            "payment": "paid",
            "events": ["charge.succeeded", "payment_intent.succeeded"],
        },
        "declined": {
            "summary": "Declined.",
            "page": "payment",
            "order": "awaiting_payment",
            "payment": "declined",
            "events": ["charge.failed"],
        },
        "not_authenticated": {
            "summary": "The bank was not convinced.",
            "page": "payment",
            "decline": "authentication",
            "order": "awaiting_payment",
            "payment": "declined",
            "events": [],
        },
        "mistyped": {
            "summary": "Nothing is sent.",
            "page": "field",
            "order": "awaiting_payment",
            "payment": "open",
            "events": [],
        },
    },
    "behaviours": {
        "pays": "paid",
        "declines": "declined",
        "mistyped": "mistyped",
        "asks": {"complete": "declined", "fail": "not_authenticated"},
    },
}


def read(folder: Path, *cards: dict[str, Any], **more: Any) -> Group:
    """The only group of a table with these cards."""
    source = folder / "cards.json"
    group = {"key": "some", "title": "Some cards", "cards": cards, **more}
    source.write_text(json.dumps({**TABLE, "groups": [group]}, ensure_ascii=False), "utf-8")
    (found,) = test_cards.read(source)
    return found


def test_a_card_without_other_columns_pays_with_the_usual_details(tmp_path: Path) -> None:
    group = read(tmp_path, {"number": "4242 4242 4242 4242", "label": "Visa"})

    card = TestCard(
        number="4242 4242 4242 4242",
        label="Visa",
        expiry="12 / 34",
        cvc="123",
        postal="10001",
        scenarios=(Scenario("some-4242424242424242", None, PAID),),
        refused=None,
    )
    assert group == Group(key="some", title="Some cards", note="", cards=(card,))
    assert card.digits == "4242424242424242"


def test_a_group_may_have_a_note_on_all_its_cards(tmp_path: Path) -> None:
    assert read(tmp_path, note="All of them pay.").note == "All of them pay."


def test_a_card_may_have_other_details_than_usual(tmp_path: Path) -> None:
    row = {"number": "3782 822463 10005", "label": "Amex", "expiry": "01 / 30", "cvc": "1234", "postal": "K1A 0B1"}

    (card,) = read(tmp_path, row).cards

    assert (card.expiry, card.cvc, card.postal) == ("01 / 30", "1234", "K1A 0B1")
    assert card.scenarios[0].key == "some-378282246310005"


def test_a_card_that_is_declined_says_with_which_code(tmp_path: Path) -> None:
    row = {"number": "4000 0000 0000 9995", "label": "Poor", "does": "declines", "decline": "insufficient_funds"}

    (card,) = read(tmp_path, row).cards

    (scenario,) = card.scenarios
    assert scenario.answer is None
    assert (scenario.expected.summary, scenario.expected.decline) == ("Declined.", "insufficient_funds")


def test_a_card_with_a_challenge_has_a_scenario_for_each_answer(tmp_path: Path) -> None:
    row = {"number": "4000 0084 0000 1629", "label": "Asks", "does": "asks", "decline": "card_declined"}

    (card,) = read(tmp_path, row).cards

    completed, failed = card.scenarios
    assert (completed.key, completed.answer) == ("some-4000008400001629-complete", ChallengeAnswer.COMPLETE)
    assert (failed.key, failed.answer) == ("some-4000008400001629-fail", ChallengeAnswer.FAIL)
    assert completed.expected.decline == "card_declined"
    assert failed.expected.decline == "authentication", "how it ends says it better than the card"


def test_an_invalid_number_is_named_by_the_card_fields_error(tmp_path: Path) -> None:
    row = {
        "number": "4242 4242 4242 4242", "label": "No CVC", "does": "mistyped", "error": "short", "cvc": "12",
        "refused": "incomplete_cvc",
    }  # fmt: skip

    (card,) = read(tmp_path, row).cards

    (scenario,) = card.scenarios
    assert card.refused == "incomplete_cvc"
    assert scenario.key == "some-4242424242424242-incomplete_cvc"
    assert scenario.expected.error == "Your card's security code is incomplete."


def test_a_row_with_an_unknown_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="flies"):
        read(tmp_path, {"number": "4242 4242 4242 4242", "label": "Visa", "does": "flies"})
