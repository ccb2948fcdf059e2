"""Money and orders agree through random histories; `make proof` tries thousands of them."""

import gc
import itertools
import os

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.capture_histories import CaptureHistories
from tests.proof.histories import Histories
from tests.support.databases import Databases

# Without a seed the same few histories run each time; with one, PROOF_EXAMPLES others that it determines.
SEED = os.environ.get("PROOF_SEED")
EXAMPLES = int(os.environ.get("PROOF_EXAMPLES", "12"))
STEPS = int(os.environ.get("PROOF_STEPS", "40"))
# The shortest history that fails takes minutes to find, and is not needed where only the failure counts.
PHASES = [Phase.generate, Phase.shrink] if os.environ.get("PROOF_SHRINK", "1") == "1" else [Phase.generate]


@pytest.mark.timeout(180 + EXAMPLES * 20)
def test_money_and_orders_agree_through_random_histories(databases: Databases) -> None:
    run(Histories, databases, EXAMPLES)


@pytest.mark.timeout(180 + EXAMPLES * 20)
def test_money_and_orders_agree_where_cards_are_charged_later(databases: Databases) -> None:
    run(CaptureHistories, databases, max(EXAMPLES // 10, 1))


def run(histories: type[Histories], databases: Databases, examples: int) -> None:
    ended = itertools.count(1)

    class History(histories):  # type: ignore[misc, valid-type]  # a base that is an argument
        def __init__(self) -> None:
            super().__init__(databases)

        def teardown(self) -> None:
            super().teardown()
            if next(ended) % 50 == 0:  # each leaves 6 MB that refer to each other, which the tests seldom search for
                gc.collect()

    run_state_machine_as_test(
        History if SEED is None else seed(int(SEED))(History),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            derandomize=SEED is None,
            database=None,
            deadline=None,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        ),
    )
