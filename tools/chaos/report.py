"""The end of a run, on a terminal: what happened, what was counted, and what disagrees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.chaos.checks import Case, repeats

SHOWN = 10  # of each check


@dataclass(frozen=True, slots=True)
class ChaosResult:
    """`disagreements` by check; all empty when money and orders agree."""

    seconds: float
    drained_in: float
    rounds: int
    requests: Mapping[str, int]
    struck: Mapping[str, int]
    faults: Mapping[str, int]
    emails_refused: int
    disagreements: Mapping[str, Sequence[str]]

    @property
    def agrees(self) -> bool:
        return not any(self.disagreements.values())


def write(case: Case, outcome: ChaosResult) -> str:
    """The report, to be printed."""
    evidence = case.evidence
    paid = [intent for intent in evidence.intents if intent["status"] == "succeeded"]
    returned = sum(refund["amount"] for refund in evidence.refunds if refund["status"] in ("succeeded", "pending"))
    served = sum(outcome.requests.values())
    answers = ", ".join(f"{status}: {count}" for status, count in sorted(outcome.requests.items()))
    late = sum(order.payment == "refunded" and not order.paid for order in evidence.orders)
    parts = [
        _section("Orders by state", Counter(order.state for order in evidence.orders)),
        _section("Shoppers", Counter(str(visit.shopper.story) for visit in case.visits)),
        _section("Payments at Stripe", Counter(intent["status"] for intent in evidence.intents)),
        _section("Hosted pages at Stripe", Counter(page["status"] for page in evidence.pages)),
        _section(
            "Money",
            {
                "received at Stripe": _amount(sum(intent["amount_received"] for intent in paid)),
                "received in the store": _amount(sum(order.received for order in evidence.orders)),
                "returned at Stripe": _amount(returned),
                "returned in the store": _amount(sum(order.refunded for order in evidence.orders)),
                "late payments, refunded": late,
            },
        ),
        _section(
            "Mail",
            {
                "emails written": len(evidence.emails),
                "emails that arrived": len({email.message_id for email in evidence.delivered}),
                "repeated after a crash, with the same Message-ID": repeats(evidence),
            },
        ),
        _section(
            "What went wrong on purpose",
            {**outcome.struck, "mail: refused": outcome.emails_refused, **outcome.faults},
        ),
        _section(
            "Load",
            {
                "requests of shoppers": f"{served} in {outcome.seconds:.0f} s, {served / outcome.seconds:.0f} a second",
                "answers": answers,
                "drained": f"in {outcome.drained_in:.0f} s and {outcome.rounds} rounds of worker and reconciliation",
            },
        ),
        _section("Disagreements", {check: len(found) for check, found in outcome.disagreements.items()}),
        *(_details(check, found) for check, found in outcome.disagreements.items() if found),
        "Money and orders agree." if outcome.agrees else "Money and orders DISAGREE.",
    ]
    return "\n\n".join(parts)


def _section(title: str, rows: Mapping[str, object]) -> str:
    width = max(map(len, rows), default=0)
    lines = [f"  {name:<{width}}  {value}" for name, value in rows.items()]
    return "\n".join([title, *lines])


def _details(check: str, found: Sequence[str]) -> str:
    more = [f"  … and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return "\n".join([f"{check}:", *(f"  {each}" for each in found[:SHOWN]), *more])


def _amount(minor: int) -> str:
    return f"{minor // 100:,}.{minor % 100:02d}"
