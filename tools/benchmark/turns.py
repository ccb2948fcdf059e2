"""Rounds in which each side has its turn, every other round in the opposite order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tools.benchmark.figures import Series

Measure = Callable[[], float]


def in_turns(rounds: int, sides: Mapping[str, Measure]) -> list[Series]:
    """What each side measured, round by round, in the order of `sides`."""
    series = [Series(name) for name in sides]
    turns = list(zip(sides.values(), series, strict=True))
    for number in range(rounds):
        for measure, values in turns if number % 2 == 0 else reversed(turns):
            values.values.append(measure())
    return series
