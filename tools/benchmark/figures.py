"""What was measured, round by round, and the table it makes: medians, ranges and ratios beside the goals."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(slots=True)
class Series:
    """What one side did in each round, such as answers per second."""

    name: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure is to be: at least or at most a number."""

    sign: Literal["≥", "≤"]
    number: float
    note: str = ""

    def is_reached(self, value: float) -> bool:
        return value >= self.number if self.sign == "≥" else value <= self.number

    def __str__(self) -> str:
        return f"{self.sign} {_number(self.number)}{self.note}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a value for each round, and in words what it is made of."""

    workload: str
    measure: str
    values: tuple[float, ...]
    goal: Goal | None = None
    detail: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def as_json(self) -> dict[str, Any]:
        goal = None if self.goal is None else {**asdict(self.goal), "reached": self.goal.is_reached(self.median)}
        return {
            "workload": self.workload,
            "measure": self.measure,
            "median": self.median,
            "rounds": list(self.values),
            "goal": goal,
            "detail": self.detail,
        }


def ratio(workload: str, measure: str, ours: Series, other: Series, goal: Goal | None = None, unit: str = "/s") -> Row:
    """Ours divided by the other's, round by round: the rounds of both sides must have alternated."""
    pairs = zip(ours.values, other.values, strict=True)
    detail = f"{_number(ours.median)}{unit} of {_number(other.median)}{unit}"
    return Row(workload, measure, tuple(mine / its for mine, its in pairs), goal, detail)


def percentile(values: Sequence[float], part: float) -> float:
    """The value that `part` of all values (0 to 1) do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


HEAD = ("", "median", "min–max", "rounds", "goal", "reached", "made of")


def table(rows: Iterable[Row]) -> str:
    """The rows under their workloads, as aligned plain text."""
    cells: list[tuple[str, ...]] = [HEAD]
    workload = ""
    for row in rows:
        if row.workload != workload:
            workload = row.workload
            cells.append((workload.upper(),) + ("",) * (len(HEAD) - 1))
        cells.append(_cells(row))
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD) - 1)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, [*widths, 0], strict=True)) for line in cells]
    lines.insert(1, "─" * (sum(widths) + 2 * len(widths) + len(HEAD[-1])))
    return "\n".join(line.rstrip() for line in lines)


def line(row: Row) -> str:
    """One row by itself, for who waits for the table."""
    return "  ".join(filter(None, (cell.strip() for cell in _cells(row))))


def _cells(row: Row) -> tuple[str, ...]:
    lowest, highest = min(row.values), max(row.values)
    spread = "" if len(row.values) == 1 else f"{_number(lowest)}–{_number(highest)}"
    goal, reached = "", ""
    if row.goal is not None:
        goal, reached = str(row.goal), "yes" if row.goal.is_reached(row.median) else "no"
    return (f"  {row.measure}", _number(row.median), spread, str(len(row.values)), goal, reached, row.detail)


def _number(value: float) -> str:
    """Three digits are all that such a measurement is worth."""
    if value == int(value) and abs(value) < 1_000_000_000:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
