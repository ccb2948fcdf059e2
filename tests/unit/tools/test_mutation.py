"""What a random sample of mutants says of all of them."""

import pytest

from tools.mutation import interval


@pytest.mark.parametrize(
    ("killed", "tried", "low", "high"),
    [(300, 300, 0.987, 1.0), (0, 300, 0.0, 0.013), (285, 300, 0.919, 0.970), (5, 10, 0.237, 0.763)],
)
def test_the_interval_is_wilsons(killed: int, tried: int, low: float, high: float) -> None:
    assert interval(killed, tried) == pytest.approx((low, high), abs=0.0006)
