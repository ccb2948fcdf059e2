"""Fill a database with orders as the store writes them, by the million.

    python -m tools.fill_orders 1000000 --seed 1

The database of DATABASE_URL is migrated and has products. Every order has its lines, payments and history, and what
belongs to it of mails, webhook events, refunds, disputes, reviews and carts; the audit finds nothing in them. Nobody
waits for any of them at first: the newest orders are open and have time left, every mail is sent or was given up.

What an order has is decided by its story (`tools/order_stories.py`) and its number; the same number of orders and the
same seed are the same orders. An order was placed every 30 seconds, the last one just now.
"""

from __future__ import annotations

import argparse
import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from datetime import UTC, datetime
from typing import cast

from sqlalchemy import Connection, Engine, create_engine, text

from config import Settings
from tools.order_stories import DAY, PART, STORIES, Part, Period, Story

SECONDS_BETWEEN = 30  # from one order to the next
RECENT, LATELY = 40, 1000  # how many orders are of these periods, whatever the number of orders
REGULAR_ORDERS = 200  # how many orders the regular customer has
REGULAR_BROWSER = "a-regular-customer-000"
BATCH = 50_000
TEST_ACCOUNT = "test:"  # the payments were made in test mode, on whichever account

Report = Callable[[int], object]


def fill(
    engine: Engine, orders: int, seed: int, *, now: datetime | None = None, report: Report = lambda _done: None
) -> None:
    """Add so many orders to a migrated database that has at least three products. `report` is called with the number of
    orders that are there by then.

    The orders up to `now` take the ids that follow the greatest one. One browser, REGULAR_BROWSER, has 200 of the first
    1,000 orders; every other has about four in all. The available stock of the products stays as it is.
    """
    latest = int((now or datetime.now(UTC)).timestamp()) - 1
    with _session(engine) as connection:
        with connection.begin():
            first_id = connection.scalar(text("SELECT coalesce(max(id), 0) + 1 FROM orders"))
        _prepare(connection)
        common = {
            "orders": orders,
            "seed": seed,
            "latest": latest,
            "first_id": first_id,
            "spacing": SECONDS_BETWEEN,
            "recent": min(RECENT, orders // 20),
            "lately": LATELY,
            "browsers": max(orders // 4, 1),
            "regular": REGULAR_BROWSER,
            "regular_every": 1000 // REGULAR_ORDERS,
            "account": TEST_ACCOUNT,
            "part": PART,
            "fortnight": 15 * DAY,
        }
        for first in range(0, orders, BATCH):
            last = min(first + BATCH, orders) - 1
            with connection.begin():
                _unlimited(connection)
                for statement in STATEMENTS:
                    connection.execute(text(statement), {**common, "first": first, "last": last})
            report(last + 1)
        with connection.begin():
            connection.execute(text("DELETE FROM document_marks"))
            connection.execute(text(NO_DOCUMENTS), {"now": datetime.fromtimestamp(latest + 1, UTC)})
        _finish(connection)


# As when a shop is updated that has orders already: no worker issues invoices for what was paid before.
NO_DOCUMENTS = """
    INSERT INTO document_marks (id, since, read_id, noted_id, noted_in)
    SELECT 1, :now, max(id), max(id), 0 FROM history HAVING max(id) IS NOT NULL
"""


@contextmanager
def _session(engine: Engine) -> Iterator[Connection]:
    """One connection on which the statements below mean the same on both databases."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            raw = cast(sqlite3.Connection, connection.connection.dbapi_connection)
            raw.create_function("md5", 1, _md5, deterministic=True)
            raw.create_function("to_timestamp", 1, _to_timestamp, deterministic=True)
            raw.create_function("least", 2, min, deterministic=True)
        yield connection


def _md5(value: str) -> str:
    return hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()


def _to_timestamp(seconds: int) -> str:
    """A time as SQLAlchemy keeps it in SQLite."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _unlimited(connection: Connection) -> None:
    """PostgreSQL: no time-outs, and no foreign keys to check where the user may say so: the rows fit anyway."""
    if connection.dialect.name != "postgresql":
        return
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    if connection.scalar(text("SELECT usesuper FROM pg_user WHERE usename = current_user")):
        connection.execute(text("SET LOCAL session_replication_role = replica"))


def _prepare(connection: Connection) -> None:
    """The stories and the products as tables that the statements join."""
    with connection.begin():
        for statement in PREPARATION:
            connection.execute(text(statement))
        for number, (story, low, high) in enumerate(_slots(STORIES)):
            _tell(connection, number, story, low, high)


def _slots(stories: tuple[Story, ...]) -> Iterator[tuple[Story, int, int]]:
    """Each story with its slots of the thousand that its period has. Raises ValueError where they are not as many."""
    for period in Period:
        low = 0
        for story in stories:
            if story.period is period:
                yield story, low, low + story.share - 1
                low += story.share
        if low != 1000:
            raise ValueError(f"the stories of {period} have {low} shares instead of 1000")


def _tell(connection: Connection, number: int, story: Story, low: int, high: int) -> None:
    payment = story.payment
    _insert(
        connection,
        "fill_stories",
        number, story.period, low, high, story.state, story.reservation, story.closed_because, story.disputed,
        story.paid_after, story.fulfilled_after, payment.state, payment.opened, payment.received, payment.returned,
        payment.declines, payment.last_decline, story.second_payment, story.review, story.cart_kept,
    )  # fmt: skip
    parts: tuple[tuple[str, tuple[Part, ...]], ...] = (
        ("fill_steps", story.history),
        ("fill_mails", story.mails),
        ("fill_events", story.events),
        ("fill_refunds", story.refunds),
        ("fill_disputes", story.disputes),
    )
    for table, rows in parts:
        for position, row in enumerate(rows):
            _insert(connection, table, number, position, *astuple(row))


def _insert(connection: Connection, table: str, *values: object) -> None:
    marks = ", ".join(f":v{place}" for place in range(len(values)))
    statement = text("INSERT INTO " + table + " VALUES (" + marks + ")")  # noqa: S608  # the names are in this file
    connection.execute(statement, {f"v{place}": value for place, value in enumerate(values)})


def _finish(connection: Connection) -> None:
    """Drop what was prepared, and have the planner know what is there."""
    with connection.begin():
        _unlimited(connection)
        connection.execute(text(RESERVED))
        for table in PREPARED:
            connection.execute(text("DROP TABLE " + table))
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT setval('orders_id_seq', (SELECT max(id) FROM orders))"))
        else:
            connection.execute(text("ANALYZE"))
    if connection.dialect.name == "postgresql":
        free = connection.execution_options(isolation_level="AUTOCOMMIT")
        free.execute(text("SET statement_timeout = 0"))
        free.execute(text("VACUUM (ANALYZE)"))
        free.execute(text("RESET statement_timeout"))


PREPARED = ("fill_stories", "fill_steps", "fill_mails", "fill_events", "fill_refunds", "fill_disputes", "fill_products",
            "fill_plan", "fill_lines")  # fmt: skip
PREPARATION = (
    """CREATE TEMPORARY TABLE fill_stories (
        story integer, period text, low integer, high integer, state text, reservation text, closed_because text,
        disputed boolean, paid_after integer, fulfilled_after integer, payment_state text, opened boolean,
        received boolean, returned integer, declines integer, last_decline text, second_payment boolean,
        review boolean, cart_kept boolean)""",
    """CREATE TEMPORARY TABLE fill_steps (
        story integer, position integer, after integer, type text, source text, from_state text, to_state text,
        data text, dedupe_key text)""",
    """CREATE TEMPORARY TABLE fill_mails (
        story integer, position integer, after integer, kind text, dedupe_key text, data text, ended text)""",
    "CREATE TEMPORARY TABLE fill_events (story integer, position integer, after integer, type text)",
    """CREATE TEMPORARY TABLE fill_refunds (
        story integer, position integer, after integer, state text, percent integer, live boolean)""",
    "CREATE TEMPORARY TABLE fill_disputes (story integer, position integer, after integer, state text)",
    """CREATE TEMPORARY TABLE fill_products AS
        SELECT row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS many, id, slug, name, image, currency,
               price_minor
        FROM products""",
    "CREATE INDEX fill_products_place ON fill_products (place)",
    """CREATE TEMPORARY TABLE fill_plan (
        id integer PRIMARY KEY, n bigint, name text, story integer, placed bigint, browser text, cart text,
        total bigint, currency text)""",
    """CREATE TEMPORARY TABLE fill_lines (
        id integer, position integer, product_id integer, slug text, name text, image text, currency text,
        price_minor bigint, quantity integer)""",
)

# The available stock of a product stays as it is: what open orders have reserved is there besides.
RESERVED = """
    UPDATE products SET stock = stock - reserved + needed.pieces, reserved = needed.pieces
    FROM (SELECT l.product_id, sum(l.quantity) AS pieces
          FROM orders o JOIN order_lines l ON l.order_id = o.id
          WHERE o.state = 'awaiting_payment' GROUP BY l.product_id) AS needed
    WHERE products.id = needed.product_id
"""

# One batch: which order is which story's, then each table. Large numbers are spread by Knuth's multiplicative hash.
STATEMENTS = (
    "DELETE FROM fill_plan",
    "DELETE FROM fill_lines",
    """
    INSERT INTO fill_plan (id, n, name, story, placed, browser, cart)
    WITH RECURSIVE numbers(n) AS (
        SELECT CAST(:first AS bigint) UNION ALL SELECT n + 1 FROM numbers WHERE n < :last
    ), spread AS (
        SELECT n, md5(:seed || '-' || n) AS name,
               ((n + :seed * 1000003) * 2654435761 % 4294967296) / 65536 % 1000 AS slot,
               CASE WHEN n >= :orders - :recent THEN 'recent'
                    WHEN n >= :orders - :lately THEN 'lately'
                    WHEN (:orders - n) * :spacing < :fortnight THEN 'old' ELSE 'oldest' END AS period,
               CASE WHEN n < 1000 AND n < :orders - :recent AND n % :regular_every = 0 THEN -1
                    ELSE n % :browsers END AS shopper
        FROM numbers
    )
    SELECT :first_id + n, n, name, s.story, :latest - (:orders - 1 - n) * :spacing,
           CASE WHEN shopper = -1 THEN :regular ELSE substr(md5(:seed || 'browser' || shopper), 1, 22) END,
           substr(md5(:seed || 'cart' || shopper), 1, 22)
    FROM spread JOIN fill_stories s ON s.period = spread.period AND spread.slot BETWEEN s.low AND s.high
    """,
    """
    INSERT INTO fill_lines
    SELECT p.id, k.k, f.id, f.slug, f.name, f.image, f.currency, f.price_minor, 1 + (p.n + k.k) % 3
    FROM fill_plan p
    JOIN (SELECT 0 AS k UNION ALL SELECT 1 UNION ALL SELECT 2) AS k
      ON k.k = 0 OR (k.k = 1 AND p.n % 3 = 0) OR (k.k = 2 AND p.n % 9 = 0)
    JOIN fill_products f ON f.place = (p.n * 2654435761 % 4294967296 + k.k) % (SELECT max(many) FROM fill_products)
    """,
    """
    UPDATE fill_plan SET total = sums.total, currency = sums.currency
    FROM (SELECT id, sum(price_minor * quantity) AS total, max(currency) AS currency
          FROM fill_lines GROUP BY id) AS sums
    WHERE sums.id = fill_plan.id
    """,
    """
    INSERT INTO carts (id, created_at, updated_at)
    SELECT cart, to_timestamp(min(placed) - 300), to_timestamp(max(placed) - 60) FROM fill_plan WHERE true GROUP BY cart
    ON CONFLICT (id) DO NOTHING
    """,
    """
    INSERT INTO orders (
        id, reference, state, closed_because, reservation, disputed, cart_id, browser_id, fingerprint, currency,
        total_minor, email, shipping_full_name, shipping_line1, shipping_line2, shipping_city, shipping_region,
        shipping_postal_code, shipping_country, shipping_phone, billing_full_name, billing_line1, billing_line2,
        billing_city, billing_region, billing_postal_code, billing_country, billing_phone,
        placed_at, expires_at, extensions, paid_at, fulfilled_at, shipped_at)
    SELECT p.id,
           upper(replace(replace(substr(p.name, 1, 4) || '-' || substr(p.name, 5, 4) || '-' || substr(p.name, 9, 4)
                                 || '-' || substr(p.name, 13, 4), '0', 'g'), '1', 'h')),
           s.state, s.closed_because, s.reservation, s.disputed, p.cart, p.browser, p.name || p.name, p.currency,
           p.total,
           'shopper-' || p.browser || '@example.com',
           who.name, (1 + p.n % 180) || ' ' || who.street, '', who.city, who.region, who.code, who.country, '',
           who.name, (1 + p.n % 180) || ' ' || who.street, '', who.city, who.region, who.code, who.country, '',
           to_timestamp(p.placed), to_timestamp(p.placed + 1800), 0,
           CASE WHEN s.paid_after IS NOT NULL THEN to_timestamp(least(p.placed + s.paid_after, :latest)) END,
           CASE WHEN s.fulfilled_after IS NOT NULL THEN to_timestamp(least(p.placed + s.fulfilled_after, :latest)) END,
           CASE WHEN s.fulfilled_after IS NOT NULL THEN to_timestamp(least(p.placed + s.fulfilled_after, :latest)) END
    FROM fill_plan p JOIN fill_stories s ON s.story = p.story
    JOIN (SELECT 0 AS place, 'Ada Shopper' AS name, 'Market Street' AS street, 'Springfield' AS city, 'IL' AS region,
                 '62701' AS code, 'US' AS country
          UNION ALL SELECT 1, 'Grete Müller', 'Lange Gasse', 'Wien', '', '1080', 'AT'
          UNION ALL SELECT 2, 'Seán Ó Briain', 'Main Street', 'Galway', '', 'H91 A2BC', 'IE'
          UNION ALL SELECT 3, 'Noor van Dijk', 'Singel', 'Amsterdam', '', '1012 AB', 'NL'
          UNION ALL SELECT 4, 'Lea Brown', 'High Street', 'Leeds', '', 'LS1 4DY', 'GB') AS who ON who.place = p.n % 5
    ORDER BY p.id
    """,
    """
    INSERT INTO order_lines (
        order_id, product_id, position, slug, name, image, currency, unit_price_minor, quantity, shipped)
    SELECT l.id, l.product_id, l.position, l.slug, l.name, l.image, l.currency, l.price_minor, l.quantity,
           CASE WHEN s.fulfilled_after IS NOT NULL THEN l.quantity ELSE 0 END
    FROM fill_lines l JOIN fill_plan p ON p.id = l.id JOIN fill_stories s ON s.story = p.story
    ORDER BY l.id, l.position
    """,
    """
    INSERT INTO shipments (order_id, number, shipped_at, tracking)
    SELECT p.id, 1, to_timestamp(least(p.placed + s.fulfilled_after, :latest)), 'TRACK-' || p.id
    FROM fill_plan p JOIN fill_stories s ON s.story = p.story AND s.fulfilled_after IS NOT NULL
    ORDER BY p.id
    """,
    """
    INSERT INTO shipment_lines (shipment_id, product_id, order_id, quantity)
    SELECT sent.id, l.product_id, l.id, l.quantity
    FROM fill_lines l JOIN shipments sent ON sent.order_id = l.id
    ORDER BY sent.id, l.product_id
    """,
    """
    INSERT INTO cart_lines (cart_id, product_id, quantity, added_at)
    SELECT p.cart, l.product_id, l.quantity, to_timestamp(p.placed - 120 + l.position)
    FROM fill_plan p JOIN fill_stories s ON s.story = p.story AND s.cart_kept JOIN fill_lines l ON l.id = p.id
    WHERE true ORDER BY p.id, l.position
    ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO payments (
        order_id, kind, live, state, provider_payment_id, account, amount_minor, received_minor, refunded_minor,
        refund_due, declines, last_decline, card_brand, card_last4, create_attempt, observed_at)
    SELECT p.id, 'card', true, s.payment_state, CASE WHEN s.opened THEN 'pi_' || p.name END,
           CASE WHEN s.opened THEN :account ELSE '' END, p.total, CASE WHEN s.received THEN p.total ELSE 0 END,
           p.total * s.returned / 100, false, s.declines, s.last_decline, CASE WHEN s.received THEN 'visa' END,
           CASE WHEN s.received THEN '4242' END, 1,
           CASE WHEN s.paid_after IS NOT NULL THEN to_timestamp(least(p.placed + s.paid_after, :latest)) END
    FROM fill_plan p JOIN fill_stories s ON s.story = p.story
    ORDER BY p.id
    """,
    """
    INSERT INTO payments (
        order_id, kind, live, state, provider_payment_id, account, amount_minor, received_minor, refunded_minor,
        refund_due, declines, card_brand, card_last4, create_attempt)
    SELECT p.id, 'card', false, 'refunded', 'pi_second' || p.name, :account, p.total, p.total, p.total, false, 0,
           'visa', '4242', 1
    FROM fill_plan p JOIN fill_stories s ON s.story = p.story AND s.second_payment
    ORDER BY p.id
    """,
    """
    INSERT INTO refunds (payment_id, state, provider_refund_id, key, attempt, amount_minor, requested_at, accepted_at)
    SELECT pay.id, r.state, 're_' || r.position || p.name, 'fill-refund-' || r.position || '-' || p.name, 1,
           p.total * r.percent / 100, to_timestamp(least(p.placed + r.after, :latest)),
           CASE WHEN r.state IN ('pending', 'succeeded') THEN to_timestamp(least(p.placed + r.after, :latest)) END
    FROM fill_plan p JOIN fill_refunds r ON r.story = p.story
    JOIN payments pay ON pay.order_id = p.id AND pay.live = r.live
    ORDER BY p.id, r.position
    """,
    """
    INSERT INTO disputes (provider_dispute_id, payment_id, state, amount_minor, opened_at)
    SELECT 'du_' || p.name, pay.id, d.state, p.total, to_timestamp(least(p.placed + d.after, :latest))
    FROM fill_plan p JOIN fill_disputes d ON d.story = p.story JOIN payments pay ON pay.order_id = p.id AND pay.live
    """,
    """
    INSERT INTO reviews (order_id, reason, subject, data, opened_at, resolved_at, resolved_by, note)
    SELECT p.id, 'early_fraud_warning', 'issfr_' || p.name, json('{"fraud_type": "misc", "actionable": true}'),
           to_timestamp(least(p.placed + 600, :latest)), to_timestamp(least(p.placed + 900, :latest)), 'staff',
           'The customer answered the telephone.'
    FROM fill_plan p JOIN fill_stories s ON s.story = p.story AND s.review
    ORDER BY p.id
    """,
    """
    INSERT INTO history (order_id, at, type, from_state, to_state, source, data, dedupe_key)
    SELECT p.id, to_timestamp(least(p.placed + h.after, :latest)), h.type, h.from_state, h.to_state, h.source,
           json(replace(replace(replace(h.data, '"TOTAL"', CAST(p.total AS text)),
                                '"PART"', CAST(p.total * :part / 100 AS text)), 'NAME', p.name)),
           replace(h.dedupe_key, 'NAME', p.name)
    FROM fill_plan p JOIN fill_steps h ON h.story = p.story
    ORDER BY p.id, h.position
    """,
    """
    INSERT INTO mails (
        order_id, kind, dedupe_key, message_id, data, written_at, due_at, sent_at, failed_at, dropped_because, attempts)
    SELECT p.id, m.kind, replace(m.dedupe_key, 'NAME', p.name),
           '<' || md5(p.name || m.position) || '@till>',
           json(replace(replace(replace(m.data, '"TOTAL"', CAST(p.total AS text)),
                                '"PART"', CAST(p.total * :part / 100 AS text)), 'NAME', p.name)),
           to_timestamp(least(p.placed + m.after, :latest)), to_timestamp(least(p.placed + m.after, :latest)),
           CASE WHEN m.ended = 'sent' THEN to_timestamp(least(p.placed + m.after + 20, :latest)) END,
           CASE WHEN m.ended = 'failed' THEN to_timestamp(least(p.placed + m.after + 20, :latest)) END,
           CASE WHEN m.ended NOT IN ('sent', 'failed') THEN m.ended END, 1
    FROM fill_plan p JOIN fill_mails m ON m.story = p.story
    ORDER BY p.id, m.position
    """,
    """
    INSERT INTO mails (order_id, kind, dedupe_key, message_id, data, written_at, due_at, sent_at, attempts)
    SELECT p.id, 'review_opened', 'review:' || r.id, '<' || md5(p.name || 'review') || '@till>',
           json('{"review": ' || r.id || ', "reason": "early_fraud_warning", "subject": "issfr_' || p.name || '"}'),
           r.opened_at, r.opened_at, r.opened_at, 1
    FROM fill_plan p JOIN reviews r ON r.order_id = p.id
    ORDER BY p.id
    """,
    """
    INSERT INTO webhook_events (id, type, received_at, deliveries, handled_at, outcome)
    SELECT 'evt_' || e.position || p.name, e.type, to_timestamp(least(p.placed + e.after, :latest)), 1,
           to_timestamp(least(p.placed + e.after, :latest)), 'handled'
    FROM fill_plan p JOIN fill_events e ON e.story = p.story
    ORDER BY p.id, e.position
    """,
    """
    INSERT INTO unmatched_events (provider_payment_id, kind, data, received_at)
    SELECT 'pi_elsewhere' || p.name, 'refund',
           json('{"id": "re_elsewhere' || p.name || '", "event": "succeeded", "amount": 500, "currency": "usd"}'),
           to_timestamp(p.placed)
    FROM fill_plan p WHERE p.n >= :orders - :lately AND p.n % 20 = 0
    ORDER BY p.id
    """,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("orders", type=int)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = time.monotonic()
    fill(
        create_engine(Settings.load().database_url),
        arguments.orders,
        arguments.seed,
        report=lambda done: print(f"{done} orders after {time.monotonic() - started:.0f} s", flush=True),
    )
    print(f"done after {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
