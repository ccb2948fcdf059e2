"""Each check of a chaos run finds its disagreement: a check that cannot fail proves nothing."""

import pytest

from tools.chaos.checks import CHECKS, Case
from tools.chaos.evidence import Email, Evidence

DISPUTE = {"id": "du_1", "status": "needs_response"}
REFUND = {"id": "re_1", "status": "succeeded", "payment_intent": "pi_1", "amount": 100}
INTENT = {"id": "pi_1", "status": "succeeded", "amount_received": 100, "metadata": {"order_reference": "ABCD"}}
PAGE = {"id": "cs_1", "status": "open", "client_reference_id": "ABCD"}


def email(dedupe_key: str, *, sent: bool = True) -> Email:
    return Email("ABCD", "ada@example.com", "refunded", dedupe_key, "<1@till>", sent)


@pytest.mark.parametrize(
    ("evidence", "complaints"),
    [
        (Evidence(), set()),
        (
            Evidence(disputes=[DISPUTE]),
            {"Disputes that differ", "Mails never sent"},
        ),
        (Evidence(store_disputes={"du_1": "lost"}), {"Disputes that differ"}),
        (
            Evidence(disputes=[DISPUTE], store_disputes={"du_1": "won"}, emails=[email("dispute:du_1")]),
            {"Disputes that differ", "Mails never sent"},  # the email did not arrive
        ),
        (Evidence(refunds=[REFUND], store_refunds={"re_1": 100}), {"Mails never sent"}),
        (Evidence(refunds=[REFUND]), {"Refunds that differ", "Mails never sent"}),
        (Evidence(intents=[INTENT]), {"Paid at Stripe, not in the store", "Orphans and unfinished work"}),
        (Evidence(pages=[PAGE]), {"Orphans and unfinished work"}),
        (Evidence(stock={"pen": (4, 0)}), {"Oversold or leaked"}),
        (Evidence(unhandled_events=2), {"Webhooks not handled"}),
    ],
)
def test_each_disagreement_is_found_by_its_check(evidence: Evidence, complaints: set[str]) -> None:
    case = Case(evidence, visits=[], initial_stock={"pen": 5}, crashes=0)

    assert {name for name, check in CHECKS.items() if list(check(case))} == complaints
