"""Draws docs/states.md from the tables in store/domain/states.py: `make states`."""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum
from pathlib import Path
from typing import Any

from store.domain.states import (
    ORDER,
    PAYMENT,
    Machine,
    Moves,
    OrderEvent,
    OrderState,
    PaymentEvent,
    PaymentState,
    Stale,
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
            "An order is a promise, a payment is a fact about money. A pair of a state and an event moves, is stale",
            "(told twice or too late: nothing changes), or is impossible (a person should look).",
            "",
            *_section("Order", ORDER, OrderState, OrderEvent),
            *_section("Payment", PAYMENT, PaymentState, PaymentEvent),
        ]
    )


def _section(title: str, machine: Machine[Any, Any], states: type[StrEnum], events: type[StrEnum]) -> list[str]:
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (state, event), to in machine.moves.items():
        arrows[state.value, to.value].append(event.value)
    diagram = [f"    {state} --> {to}: {', '.join(origin)}" for (state, to), origin in arrows.items()]
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
    answer = machine.answer(state, event)
    if isinstance(answer, Moves):
        return f"→ {answer.to.value}"
    return "stale" if isinstance(answer, Stale) else "impossible"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
