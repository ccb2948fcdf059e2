"""The same with few and with many orders in the database: webhook, pages, worker, reconciliation, audit."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle
from urllib.parse import quote

from sqlalchemy import text

from tools.benchmark import load, merchant, wholeness
from tools.benchmark.carts import signed_cookie
from tools.benchmark.figures import Goal, Row, Series, ratio
from tools.benchmark.load import drive
from tools.benchmark.payers import StorePayer, warm_up
from tools.benchmark.run import CONNECTIONS, SLUG, Run
from tools.benchmark.shopper import Shopper
from tools.benchmark.turns import in_turns
from tools.benchmark.visited import BROWSER
from tools.fill_orders import REGULAR_BROWSER, fill
from tools.programs import ROOT, ProgramFailed

NAME = "growth"
FEW = 1_000
SEED = 1
LOOKED_AT = 8  # orders of the regular customer whose pages are opened in turn
EXPORT, EXPORTED = "staff: export, its beginning", 100_000  # bytes
CLIENTS = 4  # connections to pages: they are about latency under some load, not about the most there can be


class Grown:
    """A store whose database has so many orders of the past."""

    def __init__(self, run: Run, orders: int) -> None:
        self.orders = orders
        name = f"with_{orders}_orders"
        self.payer = StorePayer(run, run.ours, name, prepare=lambda engine: fill(engine, orders, SEED))
        self._programs, self._settings = run.ours.programs, run.ours.settings(self.payer.url, run.sandbox)
        self._jobs = run.child(
            subprocess.Popen(
                [str(self._programs / "python"), "-m", "tools.benchmark.inside"],
                cwd=ROOT,
                env=os.environ | self._settings,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
        self._write_keys()
        self.pages = self._pages()

    def webhook(self, seconds: float) -> float:
        """Paying webhooks per second."""
        return self.payer.round(seconds, CONNECTIONS).rate

    def page(self, name: str, seconds: float) -> float:
        """Pages per second. Raises NotWhole."""
        found = drive(self.payer.server.port, cycle(self.pages[name]), connections=CLIENTS, seconds=seconds)
        wholeness.check_answers(f"{name} with {self.orders} orders", found)
        return found.rate

    def export(self, seconds: float) -> float:
        """How often per second the beginning of a CSV of all orders was read. Raises NotWhole."""
        (request,) = self.pages[EXPORT]
        begun = load.begin_again(self.payer.server.port, request, most=EXPORTED, seconds=seconds)
        if begun is None:
            raise wholeness.NotWhole(f"{EXPORT} with {self.orders} orders did not begin as one")
        return begun

    def job(self, name: str) -> float:
        """How often per second it could be done. Raises ProgramFailed."""
        if self._jobs.stdin is None or self._jobs.stdout is None:
            raise ProgramFailed("The process that times the jobs has no pipes.")
        self._jobs.stdin.write(f"{name}\n")
        self._jobs.stdin.flush()
        said = self._jobs.stdout.readline()
        if not said:
            raise ProgramFailed(f"{name} failed with {self.orders} orders.")
        return 1 / float(said)

    def _write_keys(self) -> None:
        """Let the worker write what the staff searches for, which it does for orders that are a minute old: the one
        that all others are copied from was placed just now. Raises ProgramFailed.
        """
        left = text("SELECT count(*) FROM orders WHERE id > coalesce((SELECT order_id FROM order_key_marks), 0)")
        deadline = time.monotonic() + 120 + self.orders / 500
        while True:
            self.job("worker")
            with self.payer.engine.connect() as connection:
                if not connection.execute(left).scalar_one():
                    return
            if time.monotonic() > deadline:
                raise ProgramFailed(f"The keys of {self.orders} orders were not written.")
            time.sleep(1)

    def _pages(self) -> dict[str, list[bytes]]:
        """The requests of the regular customer, whose orders are the same ones in every database."""
        with Shopper(self.payer.server) as shopper:
            shopper.fill_cart(SLUG)
            cookie = signed_cookie(shopper.cookie, browser=REGULAR_BROWSER)
        headers = {**BROWSER, "Cookie": cookie}
        query = text(
            "SELECT reference FROM orders WHERE browser_id = :browser AND state = 'paid' ORDER BY id LIMIT :limit"
        )
        with self.payer.engine.connect() as connection:
            found = connection.execute(query, {"browser": REGULAR_BROWSER, "limit": LOOKED_AT}).scalars().all()
        return {
            "order page": [load.request("GET", f"/orders/{reference}", headers) for reference in found],
            "orders of a browser": [load.request("GET", "/orders", headers)],
            **self._staff_pages(found),
        }

    def _staff_pages(self, references: Sequence[str]) -> dict[str, list[bytes]]:
        """What the staff looks at: the list, what is found in it by each kind of key, an order, and what waits."""
        signed_in = {**BROWSER, "Cookie": merchant.sign_in(self.payer.server, self._programs, self._settings)}
        named = text(
            "SELECT provider_payment_id FROM payments JOIN orders ON orders.id = order_id WHERE reference = :reference"
        )
        with self.payer.engine.connect() as connection:
            payment = connection.execute(named, {"reference": references[0]}).scalars().first()
        searched = {
            "name": "a",
            "e-mail": f"shopper-{REGULAR_BROWSER}@example.com",
            "reference": references[0],
            "four digits": "4242",
            "id of Stripe's": payment or "",
        }

        def ask(path: str) -> bytes:
            return load.request("GET", f"/admin{path}", signed_in)

        paths = {f"staff: search by {name}": f"/orders?q={quote(typed)}" for name, typed in searched.items()}
        for name, path in paths.items():
            if not merchant.lists_orders(self.payer.server, path, signed_in):
                raise wholeness.NotWhole(f"{name} with {self.orders} orders found nothing")
        return {
            "staff: orders": [ask("/orders?show=fulfilled")],
            **{name: [ask(path)] for name, path in paths.items()},
            "staff: one order": [ask(f"/orders/{reference}") for reference in references],
            "staff: work list": [ask("")],
            EXPORT: [ask("/orders/export.csv")],
        }


def run(run: Run) -> Iterator[Row]:
    many = max(run.options.orders, FEW)
    rounds, seconds = run.options.rounds, run.options.seconds
    with run.only_here():
        few, large = Grown(run, FEW), Grown(run, many)
        warm_up([few.payer, large.payer], CONNECTIONS)

        def row(measure: str, pair: tuple[Series, Series], unit: str = "/s") -> Row:
            return ratio(NAME, f"{measure}: times slower with {many:,} orders", *pair, Goal("≤", 1.2), unit)

        yield row("webhook", _pair(rounds, lambda side: side.webhook(seconds), few, large))
        measures: dict[str, Callable[[Grown], float]] = {
            "order page": lambda side: side.page("order page", seconds / 2),
            "orders of a browser": lambda side: side.page("orders of a browser", seconds / 2),
            **{
                name: partial(_page, name, seconds / 2)
                for name in few.pages
                if name.startswith("staff") and name != EXPORT
            },
            EXPORT: lambda side: side.export(seconds / 2),
            "worker's round": lambda side: side.job("worker"),
            "reconciliation, one hour": lambda side: side.job("reconcile"),
            "audit, for each order": lambda side: side.job("audit") * side.orders,
        }
        for name, measure in measures.items():
            for side in (few, large):
                measure(side)
            yield row(name, _pair(rounds, measure, few, large))


def _page(name: str, seconds: float, side: Grown) -> float:
    return side.page(name, seconds)


def _pair(rounds: int, measure: Callable[[Grown], float], few: Grown, large: Grown) -> tuple[Series, Series]:
    small, many = in_turns(rounds, {"few": lambda: measure(few), "many": lambda: measure(large)})
    return small, many
