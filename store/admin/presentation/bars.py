"""A small picture of figures: bars side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT, STEP = 48, 10  # units of the picture


@dataclass(frozen=True, slots=True)
class Bar:
    x: int
    y: int
    height: int


def bars(values: Sequence[int]) -> list[Bar]:
    """A bar for each value, the largest as high as the picture; one that is above nothing is seen."""
    largest = max(values, default=0) or 1
    heights = [max(round(value * HEIGHT / largest), 2) if value else 0 for value in values]
    return [Bar(number * STEP, HEIGHT - height, height) for number, height in enumerate(heights)]
