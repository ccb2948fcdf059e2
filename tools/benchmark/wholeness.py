"""Whether a round was whole: every request answered, every event handled once, every order paid, every piece sold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, text

from tools.benchmark.load import Load
from tools.benchmark.numbering import PRODUCTS


class NotWhole(Exception):
    """Something was lost, doubled or refused in a round; the message says what."""


@dataclass(frozen=True, slots=True)
class Books:
    """What a database holds."""

    events: int
    paid: int
    sold: int  # pieces that have left the stock

    def __sub__(self, earlier: Books) -> Books:
        return Books(self.events - earlier.events, self.paid - earlier.paid, self.sold - earlier.sold)


STORE_BOOKS = {
    "events": "SELECT count(*) FROM webhook_events WHERE handled_at IS NOT NULL AND last_error IS NULL",
    "paid": "SELECT count(*) FROM orders WHERE state = 'paid'",
    "left": "SELECT sum(stock) FROM products WHERE id BETWEEN :first AND :last",
}
NAIVE_BOOKS = {
    "events": "SELECT count(*) FROM event",
    "paid": 'SELECT count(*) FROM payment JOIN "order" ON "order".id = order_id '
    "WHERE payment.state = 'paid' AND \"order\".state = 'paid'",
    "left": "SELECT sum(stock) FROM product WHERE id BETWEEN :first AND :last",
}
DJSTRIPE_BOOKS = {
    "events": "SELECT count(*) FROM event",
    "paid": "SELECT count(*) FROM \"order\" WHERE state = 'paid'",
    "left": NAIVE_BOOKS["left"],
}


def read(engine: Engine, books: Mapping[str, str]) -> Books:
    """What the database holds now."""
    products = {"first": PRODUCTS[0], "last": PRODUCTS[-1]}
    with engine.connect() as connection:
        found = {
            name: int(connection.execute(text(query), products if ":first" in query else {}).scalar_one())
            for name, query in books.items()
        }
    return Books(found["events"], found["paid"], -found["left"])


def check_answers(what: str, load: Load) -> None:
    """Raises NotWhole unless every request was answered, and none was refused."""
    if load.lost or load.failed or load.answered != load.sent:
        raise NotWhole(
            f"{what}: of {load.sent} requests {load.answered} were answered and {load.lost} lost; "
            f"refused: {load.failed or 'none'}."
        )


def check_books(what: str, events: int, difference: Books) -> None:
    """Raises NotWhole unless each of so many events paid one order and sold one piece."""
    if difference != Books(events, events, events):
        raise NotWhole(
            f"{what}: {events} events were sent, {difference.events} handled, {difference.paid} orders paid, "
            f"{difference.sold} pieces sold."
        )
