"""What a shopper reads when a test card is tried, in the words of the pages themselves."""

from __future__ import annotations

from store.testmode.test_cards import ChallengeAnswer, Place, Scenario
from store.web.presentation.declines import decline_message

ANSWERS = {ChallengeAnswer.COMPLETE: "Complete", ChallengeAnswer.FAIL: "Fail"}

PLACES = {
    Place.ORDER: "On the order’s page",
    Place.PAYMENT: "On the payment page",
    Place.FIELD: "Beside the card field",
    Place.HOSTED: "On Stripe’s page",
}

# What a run is judged by, as its differences are headed.
FACTS = {
    "read": "Read",
    "events": "Events",
    "order": "Order",
    "payment": "Payment",
    "disputed": "Disputed",
    "needs_review": "For a person to look at",
}


def words(scenario: Scenario) -> str:
    """The heading of the order's page, the message on the payment page, or the sentence beside the card field. Nothing
    where the words are not the store's.
    """
    expected = scenario.expected
    if expected.page is Place.PAYMENT:
        return decline_message(expected.decline).text
    return (expected.heading if expected.page is Place.ORDER else expected.error) or ""


def same_words(read: str, expected: str) -> bool:
    """Whether a text taken from a page says what was expected, however its lines are broken."""
    return " ".join(read.split()) == " ".join(expected.split())
