"""A short run of `make chaos` with a seed of its own; the long one is for a machine with an hour to spare."""

from pathlib import Path

import pytest

from tools.chaos import report
from tools.chaos.plan import Fault, draw
from tools.chaos.run import run

SEED, SHOPPERS = 11, 36


@pytest.mark.timeout(300)
def test_money_and_orders_agree_after_everything_failed_at_once(tmp_path: Path) -> None:
    plan = draw(SEED, SHOPPERS, database_restarts=True)

    case, outcome = run(plan, tmp_path, postgres=True, at_once=16)

    assert outcome.agrees, report.write(case, outcome)
    assert set(outcome.struck) == set(Fault)
    assert sum(outcome.faults.values()) > 0
    assert any(order.state == "paid" for order in case.evidence.orders)


def test_a_seed_has_one_plan() -> None:
    assert draw(SEED, SHOPPERS, database_restarts=True) == draw(SEED, SHOPPERS, database_restarts=True)
    assert draw(SEED, SHOPPERS, database_restarts=True) != draw(SEED + 1, SHOPPERS, database_restarts=True)
