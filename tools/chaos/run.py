"""One run, from the plan to the report."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tqdm import tqdm

from tools.chaos import evidence, settling
from tools.chaos.browser import Tally
from tools.chaos.checks import CHECKS, Case
from tools.chaos.disasters import Disasters
from tools.chaos.plan import Disaster, Plan
from tools.chaos.premises import UPKEEPS, Premises, opened
from tools.chaos.report import Outcome
from tools.chaos.shoppers import Visit, shop

MINUTES_OF_SKEW = timedelta(minutes=5)


def run(plan: Plan, folder: Path, *, postgres: bool, at_once: int) -> tuple[Case, Outcome]:
    """Let the plan happen in `folder`, with so many shoppers `at_once`; what was found, and what came of it."""
    since = datetime.now(UTC) - MINUTES_OF_SKEW
    with opened(folder, plan.seed, postgres=postgres) as premises:
        premises.fill(plan.stock)
        for fault in plan.faults:
            premises.control("POST", "/faults", fault)
        tally, disasters = Tally(), Disasters(premises, plan.strikes)
        begun = time.monotonic()
        visits = _shop(plan, premises, tally, disasters, at_once)
        seconds = time.monotonic() - begun
        faults = _stop_faults(premises)
        begun = time.monotonic()
        with settling.opened_till(premises) as till:
            rounds, open_ends = settling.settle(premises, till, since, len(plan.shoppers))
            case = Case(evidence.gather(premises), visits, plan.stock, _excuses(disasters.struck))
            disagreements = {check: list(find(case)) for check, find in CHECKS.items()}
            disagreements["The store's own audit"] = settling.findings(till, since)
        settled_in = time.monotonic() - begun
        evidence.write_histories(premises, folder / "histories.txt")
    disagreements["Not settled"] = open_ends
    disagreements["Pages that broke"] = tally.broken
    disagreements["Shoppers left without a page"] = [visit.gave_up for visit in visits if visit.gave_up]
    return case, Outcome(
        seconds,
        settled_in,
        rounds,
        tally.statuses,
        disasters.struck,
        faults,
        premises.letterbox.refused,
        disagreements,
    )


def _shop(plan: Plan, premises: Premises, tally: Tally, disasters: Disasters, at_once: int) -> list[Visit]:
    """The visits of everybody; a terminal sees how many are done."""
    disasters.start()
    visits = []
    with (
        tqdm(total=len(plan.shoppers), unit=" shoppers", disable=None) as progress,
        ThreadPoolExecutor(at_once) as crowd,
    ):
        try:
            for done in as_completed([crowd.submit(shop, shopper, premises, tally) for shopper in plan.shoppers]):
                visits.append(done.result())
                disasters.shopper_done()
                progress.update()
        finally:
            tally.over.set()  # interrupted or not: nobody is to wait for the rest
            crowd.shutdown(wait=False, cancel_futures=True)
    disasters.end()
    return visits


def _stop_faults(premises: Premises) -> dict[str, int]:
    """End every fault; how often each struck."""
    struck: Counter[str] = Counter()
    for fault in premises.control("GET", "/faults")["faults"]:
        when = f", {fault['when']} the work" if fault["target"] == "api" else ""
        struck[f"{fault['target']}: {fault['kind']}{when}"] += fault["struck"]
    premises.control("DELETE", "/faults")
    premises.letterbox.refusing = False
    return dict(struck)


def _excuses(struck: Counter[str]) -> int:
    """How many letters may have come again: a crash between sending one and marking it sent repeats that one."""
    of_the_database = struck[Disaster.DATABASE_CRASHED] + struck[Disaster.DATABASE_RESTARTED]
    return struck[Disaster.UPKEEP_KILLED] + UPKEEPS * of_the_database
