"""One run, from the plan to the report."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tqdm import tqdm

from tools.chaos import draining, evidence
from tools.chaos.browser import Tally
from tools.chaos.checks import CHECKS, Case
from tools.chaos.faults import FaultInjector
from tools.chaos.packer import Packer
from tools.chaos.plan import Fault, Plan
from tools.chaos.report import ChaosResult
from tools.chaos.shoppers import Visit, shop
from tools.chaos.stack import BACKGROUND_WORKERS, Stack, opened

MINUTES_OF_SKEW = timedelta(minutes=5)


def run(
    plan: Plan, folder: Path, *, postgres: bool, at_once: int, capture: str = "on_payment"
) -> tuple[Case, ChaosResult]:
    """Run the plan in `folder`, with so many shoppers `at_once`; return the case and its result. `capture` is when
    cards are charged.
    """
    since = datetime.now(UTC) - MINUTES_OF_SKEW
    with opened(folder, plan.seed, postgres=postgres, capture=capture) as stack:
        stack.fill(plan.stock)
        for fault in plan.faults:
            stack.control("POST", "/faults", fault)
        tally, injector = Tally(), FaultInjector(stack, plan.strikes)
        begun = time.monotonic()
        with _merchant(stack, capture):
            visits = _shop(plan, stack, tally, injector, at_once)
        seconds = time.monotonic() - begun
        faults = _stop_faults(stack)
        begun = time.monotonic()
        with draining.opened_services(stack) as services:
            charged_later = capture == "on_shipping"
            rounds, pending_work = draining.drain(
                stack, services, since, len(plan.shoppers), charged_later=charged_later
            )
            case = Case(evidence.gather(stack), visits, plan.stock, _allowed_repeats(injector.struck))
            disagreements = {check: list(find(case)) for check, find in CHECKS.items()}
            disagreements["The store's own audit"] = draining.findings(services, since)
        drained_in = time.monotonic() - begun
        evidence.write_histories(stack, folder / "histories.txt")
    disagreements["Unfinished work"] = pending_work
    disagreements["Pages that broke"] = tally.broken
    disagreements["Shoppers without a page"] = [visit.timed_out for visit in visits if visit.timed_out]
    return case, ChaosResult(
        seconds,
        drained_in,
        rounds,
        tally.statuses,
        injector.struck,
        faults,
        stack.smtp_sink.refused,
        disagreements,
    )


@contextmanager
def _merchant(stack: Stack, capture: str) -> Iterator[None]:
    """Somebody ships meanwhile, where that charges the cards."""
    if capture == "on_payment":
        yield
        return
    with draining.opened_services(stack) as services, Packer(services):
        yield


def _shop(plan: Plan, stack: Stack, tally: Tally, injector: FaultInjector, at_once: int) -> list[Visit]:
    """The visits of everybody; a terminal sees how many are done."""
    injector.start()
    visits = []
    with (
        tqdm(total=len(plan.shoppers), unit=" shoppers", disable=None) as progress,
        ThreadPoolExecutor(at_once) as crowd,
    ):
        try:
            for done in as_completed([crowd.submit(shop, shopper, stack, tally) for shopper in plan.shoppers]):
                visits.append(done.result())
                injector.shopper_done()
                progress.update()
        finally:
            tally.over.set()  # interrupted or not: do not wait for the rest
            crowd.shutdown(wait=False, cancel_futures=True)
    injector.end()
    return visits


def _stop_faults(stack: Stack) -> dict[str, int]:
    """End every fault; how often each struck."""
    struck: Counter[str] = Counter()
    for fault in stack.control("GET", "/faults")["faults"]:
        when = f", {fault['when']} the work" if fault["target"] == "api" else ""
        struck[f"{fault['target']}: {fault['kind']}{when}"] += fault["struck"]
    stack.control("DELETE", "/faults")
    stack.smtp_sink.refusing = False
    return dict(struck)


def _allowed_repeats(struck: Counter[str]) -> int:
    """How many emails may be repeated: a crash between sending one and marking it as sent repeats that one."""
    of_the_database = struck[Fault.DATABASE_CRASHED] + struck[Fault.DATABASE_RESTARTED]
    return struck[Fault.WORKER_KILLED] + BACKGROUND_WORKERS * of_the_database
