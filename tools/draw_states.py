"""Draws docs/states.md from the tables in store/domain/states.py: `make states`."""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum
from pathlib import Path
from typing import Any

from store.domain.states import (
    DISPUTE,
    ORDER,
    PAYMENT,
    REFUND,
    DisputeEvent,
    DisputeState,
    Machine,
    OrderEvent,
    OrderState,
    Outcome,
    PaymentEvent,
    PaymentState,
    RefundEvent,
    RefundState,
)

PAGE = Path(__file__).parents[1] / "docs" / "states.md"


def page() -> str:
    """The whole page, as Markdown with Mermaid diagrams."""
    return "\n".join(
        [
            "# States",
            "",
            "Drawn from `store/domain/states.py` by `make states`; a test fails when the two differ.",
            "",
            "An event in a state is applied (→ the next state), stale (a duplicate, or older than what is known:",
            "nothing changes), or rejected (it contradicts what is known: a person should look).",
            "",
            *_section("Order", ORDER, OrderState, OrderEvent),
            *_section("Payment", PAYMENT, PaymentState, PaymentEvent),
            *_section("Refund", REFUND, RefundState, RefundEvent),
            *_section("Dispute", DISPUTE, DisputeState, DisputeEvent),
        ]
    )


def _section(title: str, machine: Machine[Any, Any], states: type[StrEnum], events: type[StrEnum]) -> list[str]:
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for state, event, to in machine.edges:
        arrows[state.value, to.value].append(event.value)
    diagram = [f"    {state} --> {to}: {', '.join(events)}" for (state, to), events in arrows.items()]
    first = next(iter(states))
    return [
        f"## {title}",
        "",
        "```mermaid",
        "stateDiagram-v2",
        f"    [*] --> {first.value}",
        *diagram,
        "```",
        "",
        f"| state | {' | '.join(event.value for event in events)} |",
        f"| --- | {' | '.join('---' for _ in events)} |",
        *(
            f"| **{state.value}** | {' | '.join(_cell(machine, state, event) for event in events)} |"
            for state in states
        ),
        "",
    ]


def _cell(machine: Machine[Any, Any], state: StrEnum, event: StrEnum) -> str:
    outcome, after = machine.decide(state, event)
    return f"→ {after.value}" if outcome is Outcome.APPLIED else outcome.name.lower()


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
