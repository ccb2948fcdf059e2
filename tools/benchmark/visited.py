"""A store with a few orders, and the requests that a browser sends to its pages."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from itertools import cycle

from sqlalchemy import Engine, text

from tools.benchmark import load, wholeness
from tools.benchmark.databases import engine_of
from tools.benchmark.load import drive
from tools.benchmark.revision import Revision, Server
from tools.benchmark.run import CONNECTIONS, SLUG, Run
from tools.benchmark.shopper import Shopper
from tools.benchmark.statements import Sent, StatementLog

ORDERS = 8  # open ones that are looked at in turn
BROWSER = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "en-US", "Accept-Encoding": "gzip, deflate, br"}
FIRST_PRODUCT = 500_000  # the number of the first one of a large catalogue


class VisitedStore:
    """A revision's store on a copy of its model database, with `products` in the catalogue."""

    def __init__(self, run: Run, revision: Revision, name: str, *, products: int = 0, log_statements: bool = False):
        self.name, self._database = name, f"{revision.name}_{name}".replace(" ", "_")
        model = run.model(revision)
        url = run.databases.create(self._database, template=model.database, log_statements=log_statements)
        self.engine = engine_of(url)
        if products:
            extend_catalogue(self.engine, products)
        self.server: Server = run.started(revision.store(url, run.sandbox, run.log(self._database)))
        self.log = StatementLog(run.databases.server.log, self._database)
        self.events = model.events

    def open_orders(self) -> dict[str, list[bytes]]:
        """The requests for the payment page and for a poll of the status, of orders whose payment page was opened."""
        pay, poll = [], []
        with ExitStack() as closing:
            for _ in range(ORDERS):
                shopper = closing.enter_context(Shopper(self.server))
                shopper.fill_cart(SLUG)
                reference = shopper.place()
                shopper.open_payment_page(reference)
                headers = {**BROWSER, "Cookie": shopper.cookie}
                pay.append(load.request("GET", f"/orders/{reference}/pay", headers))
                poll.append(load.request("GET", f"/orders/{reference}/status.json?confirming=1", headers))
        return {"payment page": pay, "status.json": poll}

    def rate(self, requests: Sequence[bytes], seconds: float, connections: int = CONNECTIONS) -> float:
        """Answers per second to these requests, again and again. Raises NotWhole."""
        found = drive(self.server.port, cycle(requests), connections=connections, seconds=seconds)
        wholeness.check_answers(self.name, found)
        return found.rate

    def sent_for(self, request: bytes, times: int = 1) -> list[Sent]:
        """What it sends to its database for a request, each time."""
        self.log.take()
        sent = []
        for _ in range(times):
            wholeness.check_answers(self.name, drive(self.server.port, [request], connections=1, seconds=30))
            sent.append(self.log.take())
        return sent


def extend_catalogue(engine: Engine, products: int) -> None:
    """Add copies of the products until there are so many, with names and addresses of their own."""
    with engine.begin() as connection:
        there = connection.execute(text("SELECT count(*) FROM products")).scalar_one()
        found = connection.execute(text("SELECT * FROM products ORDER BY position, id")).mappings().all()
        rows = []
        for number in range(products - there):
            row = dict(found[number % len(found)])
            row |= {"id": FIRST_PRODUCT + number, "slug": f"{row['slug']}-{number}", "name": f"{row['name']} {number}"}
            rows.append(row | {"position": there + number + 1})
        if rows:
            names = list(rows[0])
            places = ", ".join(f":{name}" for name in names)
            connection.execute(text(f"INSERT INTO products ({', '.join(names)}) VALUES ({places})"), rows)
        if connection.dialect.name == "postgresql":
            connection.execute(text("ANALYZE products"))
