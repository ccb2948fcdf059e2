"""The pages: payment page, polls of the status, the catalogue with few and many products; and the workers' memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.benchmark import load
from tools.benchmark.figures import Goal, Row, ratio
from tools.benchmark.payers import Forgetful
from tools.benchmark.run import CONNECTIONS, Run
from tools.benchmark.turns import in_turns
from tools.benchmark.visited import BROWSER, VisitedStore

NAME, CATALOGUE = "pages", "catalogue"
MANY = 5_000  # products


def run_pages(run: Run) -> Iterator[Row]:
    seconds = run.options.seconds
    with run.only_here():
        store = VisitedStore(run, run.ours, "pages")
        empty = Forgetful(run, "an empty application", "tools.benchmark.yardsticks.empty:app", run.model(run.ours).paid)
        requests = store.open_orders() | {CATALOGUE: [load.request("GET", "/", BROWSER)]}
        for name, of_page in requests.items():
            store.rate(of_page, 0.5)
            mine, its = in_turns(
                run.options.rounds,
                {
                    name: lambda of_page=of_page: store.rate(of_page, seconds),  # type: ignore[misc]
                    "empty": lambda: empty.round(seconds, CONNECTIONS).rate,
                },
            )
            yield ratio(NAME, f"{name}: of an empty application", mine, its)
        yield from _memory(store)


def run_catalogue(run: Run) -> Iterator[Row]:
    request = [load.request("GET", "/", BROWSER)]
    with run.only_here():
        few, many = VisitedStore(run, run.ours, "few"), VisitedStore(run, run.ours, "many", products=MANY)
        for store in (few, many):
            store.rate(request, 0.5)
        large, small = in_turns(
            run.options.rounds,
            {
                name: lambda store=store: store.rate(request, run.options.seconds)  # type: ignore[misc]
                for name, store in (("many", many), ("few", few))
            },
        )
        yield ratio(CATALOGUE, f"{MANY:,} products: of 16", large, small, Goal("≥", 0.9))


def _memory(store: VisitedStore) -> Iterator[Row]:
    """What a worker of the store holds after the pages were asked for: its own part of what it shares, and all."""
    found = [_memory_of(worker) for worker in store.server.workers()]
    if all(found):
        megabytes = [(rss / 1024, pss / 1024) for rss, pss in filter(None, found)]
        detail = f"proportional: {max(pss for _rss, pss in megabytes):.0f} MB"
        yield Row(NAME, "memory of a worker, MB", tuple(rss for rss, _pss in megabytes), Goal("≤", 95), detail)


def _memory_of(process: int) -> tuple[int, int] | None:
    """Resident and proportional memory in KiB; None where the system does not say."""
    rollup = Path(f"/proc/{process}/smaps_rollup")
    if not rollup.exists():
        return None
    lines = [line.split() for line in rollup.read_text().splitlines()]
    sizes = {line[0]: int(line[1]) for line in lines if line[0] in ("Rss:", "Pss:")}
    return sizes["Rss:"], sizes["Pss:"]
