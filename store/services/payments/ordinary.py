"""The ordinary payment: the first report that an order's live payment has succeeded, with nothing beside it.

Most webhooks that pay an order are this, so it has a way of its own: a few statements that write what the inbox and
`recording.record` write in this one case, and do so for all ordinary payments that are reported at the same moment. In
every other case they write nothing, and the readable path decides.
Beside `transitions` nothing else writes a state; what leads from which state to which is asked of the machines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.exc import DBAPIError

from models import UtcDateTime
from store.domain.errors import StoreBusy
from store.domain.states import ORDER, PAYMENT, OrderEvent, OrderState, Outcome, PaymentEvent, PaymentState
from store.domain.states import ReservationState as Reservation
from store.gateway.port import PaymentSnapshot, WebhookEvent
from store.services import mail
from store.services.batches import MOST
from store.services.database import Database
from store.services.history import Origin, Source
from store.services.scripts import Script, ScriptRefused, as_json
from store.services.services import Services

Report = dict[str, Any]  # what an event says of a payment, by the names that the statements have for it

# The program does not start where a machine has no such transition, or two that end differently.
_PAYMENT = {state: PAYMENT.decide(state, PaymentEvent.PAID) for state in PaymentState}
# What was authorised first is captured in the readable path: its cart may have the same things in it again.
_FIRST = PaymentState.AUTHORISED
_OPEN = [state for state, (outcome, _) in _PAYMENT.items() if outcome is Outcome.APPLIED and state is not _FIRST]
(_PAID,) = {_PAYMENT[state][1] for state in _OPEN}
_AWAITING = OrderState.AWAITING_PAYMENT
_ORDER = [ORDER.decide(_AWAITING, OrderEvent.PAYMENT_RECEIVED)]
(_ORDER_PAID,) = [state for outcome, state in _ORDER if outcome is Outcome.APPLIED]


def record(services: Services, event: WebhookEvent, origin: Origin, handled: str) -> str | None:
    """Record the event if it is of the ordinary kind, and mark it as `handled`, in one transaction, which it may share
    with others that come at the same moment; returns the order's reference. None, and nothing is written, if it is not,
    or if the database refuses it or one of the others. Raises StoreBusy.
    """
    snapshot = event.object
    if not services.shortcut or origin.source is not Source.WEBHOOK or not isinstance(snapshot, PaymentSnapshot):
        return None
    if snapshot.event is not PaymentEvent.PAID or snapshot.received != snapshot.amount or snapshot.card is not None:
        return None
    if snapshot.live is not services.settings.live:
        return None
    report: Report = {
        "event_id": event.event_id,
        "event_type": event.type,
        "handled": handled,
        "at": origin.at,
        "name": snapshot.provider_payment_id,
        "observed_at": snapshot.observed_at,
        "amount": snapshot.amount.minor,
        "currency": snapshot.amount.currency,
        "received": {"amount": snapshot.received.minor},
        "message_id": mail.new_message_id(),
    }
    return services.ordinary_payments.do(report, partial(_record_batch, services.database))


def _record_batch(database: Database, reports: Sequence[Report]) -> list[str | None]:
    """The reference of the order that each report paid. Of two about one payment only the first is ordinary."""
    first: dict[str, Report] = {}
    for report in reports:
        first.setdefault(report["name"], report)
    record_all = _record_on_postgresql if database.engine.dialect.name == "postgresql" else _record_on_sqlite
    references = record_all(database, list(first.values()))
    return [references.get(report["name"]) if report is first[report["name"]] else None for report in reports]


def _record_on_postgresql(database: Database, reports: Sequence[Report]) -> dict[str, str]:
    """The references by the names of the payments."""
    try:
        rows = database.run(_SCRIPT, {"reports": as_json(reports)})
    except ScriptRefused:
        return {}  # the readable path is refused the same, and says why
    except StoreBusy:
        if len(reports) == 1:
            raise
        return {}  # one of them waited too long for a lock, perhaps: each tries it by itself
    return dict(rows)


def _record_on_sqlite(database: Database, reports: Sequence[Report]) -> dict[str, str]:
    """A transaction has the database to itself there, so that one statement after the other will do."""
    references = {}
    try:
        with database.transaction() as session:
            for report in reports:
                values = {**report, "received": json.dumps(report["received"])}
                found = session.execute(_FIND, values).one_or_none()
                if found is not None:
                    for statement in _WRITES:
                        session.execute(statement, {**values, **found._mapping})
                    references[report["name"]] = found.reference
    except (DBAPIError, OverflowError):  # the driver refuses a number that no column can hold
        return {}
    return references


def _statement(written: str) -> TextClause:
    times = [name for name in ("at", "observed_at") if f":{name}" in written]
    return text(written).bindparams(*(bindparam(name, type_=UtcDateTime) for name in times))


def _of(table: str, fragment: str) -> str:
    """The fragment with a column of this table for each `:name`."""
    return re.sub(r":([a-z_]+)", rf"{table}.\1", fragment)


def _lines_of(order_id: str) -> str:
    """The lines of one order, as `lines`: looked up by an index."""
    return f"(SELECT * FROM order_lines WHERE order_id = {order_id} OFFSET 0) AS lines"


def _list(states: Iterable[str]) -> str:
    return ", ".join(f"'{state}'" for state in states)


# What a payment and its order are in the ordinary case. A refund that is known before its payment needs more.
_ORDINARY = f"""
    payments.provider_payment_id = :name AND payments.live AND payments.state IN ({_list(_OPEN)})
    AND payments.refunded_minor = 0 AND NOT EXISTS (SELECT 1 FROM refunds WHERE refunds.payment_id = payments.id)
    AND orders.state = '{_AWAITING}' AND orders.reservation = '{Reservation.RESERVED}'
    AND orders.total_minor = :amount AND orders.currency = :currency
"""
_PAYMENT_VALUES = f"state = '{_PAID}', received_minor = :amount, observed_at = :observed_at"
_ORDER_VALUES = (
    f"state = '{_ORDER_PAID}', paid_at = :at, closed_because = NULL, reservation = '{Reservation.COMMITTED}'"
)
_EVENT_COLUMNS = "webhook_events (id, type, received_at, deliveries, handled_at, outcome, about)"
_EVENT_VALUES = ":event_id, :event_type, :at, 1, :at, :handled, :name"
_HISTORY_COLUMNS = "history (order_id, at, type, from_state, to_state, source, data)"
_PAYMENT_ENTRY = f"'payment.{PaymentEvent.PAID}'"
_ORDER_ENTRY = f"'order.{OrderEvent.PAYMENT_RECEIVED}', '{_AWAITING}', '{_ORDER_PAID}', '{Source.WEBHOOK}'"
_LATE = json.dumps({"late": False})
_MAIL_COLUMNS = "mails (order_id, kind, dedupe_key, message_id, data, written_at, due_at, attempts)"
_MAIL_VALUES = f"'{mail.Kind.ORDER_PAID}', '{mail.Kind.ORDER_PAID}', :message_id, '{{}}', :at, :at, 0"

# Three statements, for each sees what was committed before it began. The first one waits, as the readable path does:
# for another delivery of an event, then, having all events, for the orders; the second one for the products (see
# `stock`). So the third one reads what nobody changes any more. It goes by the events that this transaction has
# written: one that was there before is a duplicate, or was not handled. If a case turns out not to be ordinary, it
# takes the event back. Everything is locked in the order of its id: events, orders, products, and cart lines after
# them.
_REPORTS = f"""
    SELECT * FROM json_to_recordset(:reports) AS reports (
        event_id text, event_type text, handled text, at timestamptz, name text, observed_at timestamptz, amount bigint,
        currency text, received json, message_id text
    ) LIMIT {MOST}
"""
# The reports whose events this transaction has written, and the payment of each. What is looked up for each of them is
# asked of an index, and `OFFSET 0` keeps it so: a join may read a whole table, if it was planned while that was small.
_MINE = """
    SELECT reports.* FROM reports
    CROSS JOIN LATERAL (SELECT xmin FROM webhook_events WHERE id = reports.event_id OFFSET 0) AS event
    WHERE event.xmin = pg_current_xact_id_if_assigned()::xid
"""
_ITS_PAYMENT = "CROSS JOIN LATERAL (SELECT * FROM payments WHERE provider_payment_id = mine.name OFFSET 0) AS payments"
_SCRIPT = Script(
    {"reports": "json"},
    f"""
    WITH reports AS ({_REPORTS}), remembered AS (
        INSERT INTO {_EVENT_COLUMNS}
        SELECT {_of("reports", _EVENT_VALUES)} FROM reports
        WHERE EXISTS (SELECT 1 FROM payments WHERE payments.provider_payment_id = reports.name)
        ORDER BY reports.event_id
        ON CONFLICT DO NOTHING RETURNING about AS name
    )
    SELECT orders.id FROM payments JOIN orders ON orders.id = payments.order_id
    WHERE payments.provider_payment_id = ANY (ARRAY (SELECT name FROM remembered)) AND orders.id = ANY (ARRAY (
        SELECT order_id FROM payments WHERE provider_payment_id = ANY (ARRAY (SELECT name FROM remembered))
    ))
    ORDER BY orders.id FOR UPDATE OF orders, payments
    """,
    f"""
    WITH reports AS ({_REPORTS}), mine AS ({_MINE})
    SELECT FROM products WHERE id = ANY (ARRAY (
        SELECT lines.product_id FROM mine {_ITS_PAYMENT}
        CROSS JOIN LATERAL {_lines_of("payments.order_id")}
    ))
    ORDER BY id FOR NO KEY UPDATE
    """,
    f"""
    WITH reports AS ({_REPORTS}), mine AS ({_MINE}), paying AS (
        SELECT mine.*, order_id, orders.reference, orders.cart_id, payments.id AS payment_id, payments.state
        FROM mine {_ITS_PAYMENT}
        CROSS JOIN LATERAL (SELECT * FROM orders WHERE id = payments.order_id OFFSET 0) AS orders
        WHERE {_of("mine", _ORDINARY)}
    ), taken_back AS (
        DELETE FROM webhook_events WHERE id IN (SELECT event_id FROM mine EXCEPT SELECT event_id FROM paying)
    ), payment AS (
        UPDATE payments SET {_of("paying", _PAYMENT_VALUES)} FROM paying
        WHERE payments.id = ANY (ARRAY (SELECT payment_id FROM paying)) AND payments.id = paying.payment_id
    ), pieces AS (
        SELECT product_id, sum(quantity) AS quantity
        FROM paying CROSS JOIN LATERAL {_lines_of("paying.order_id")} GROUP BY product_id
    ), committed AS (
        UPDATE products SET stock = stock - pieces.quantity, reserved = reserved - pieces.quantity
        FROM pieces
        WHERE products.id = ANY (ARRAY (SELECT product_id FROM pieces)) AND products.id = pieces.product_id
        RETURNING products.id
    ), paid AS (
        UPDATE orders SET {_of("paying", _ORDER_VALUES)} FROM paying
        WHERE orders.id = ANY (ARRAY (SELECT order_id FROM paying)) AND orders.id = paying.order_id
    ), emptied AS (
        DELETE FROM cart_lines
        USING paying CROSS JOIN LATERAL {_lines_of("paying.order_id")} JOIN committed ON committed.id = lines.product_id
        WHERE cart_lines.cart_id = ANY (ARRAY (SELECT cart_id FROM paying))
        AND cart_lines.cart_id = paying.cart_id AND cart_lines.product_id = committed.id
    ), told AS (
        INSERT INTO {_MAIL_COLUMNS} SELECT order_id, {_of("paying", _MAIL_VALUES)} FROM paying ON CONFLICT DO NOTHING
    ), noted AS (
        INSERT INTO {_HISTORY_COLUMNS}
        SELECT order_id, at, {_PAYMENT_ENTRY}, state, '{_PAID}', '{Source.WEBHOOK}', received FROM paying
        UNION ALL
        SELECT order_id, at, {_ORDER_ENTRY}, '{_LATE}' FROM paying
    )
    SELECT name, reference FROM paying
    """,
)

# The same for SQLite.
_FIND = _statement(
    f"""
    SELECT orders.id AS order_id, orders.reference, orders.cart_id, payments.id AS payment_id, payments.state
    FROM payments JOIN orders ON orders.id = payments.order_id
    WHERE {_ORDINARY} AND NOT EXISTS (SELECT 1 FROM webhook_events WHERE webhook_events.id = :event_id)
    """
)
_WRITES = [
    _statement(written)
    for written in (
        f"INSERT INTO {_EVENT_COLUMNS} VALUES ({_EVENT_VALUES})",
        f"UPDATE payments SET {_PAYMENT_VALUES} WHERE id = :payment_id",
        """
        UPDATE products SET stock = stock - order_lines.quantity, reserved = reserved - order_lines.quantity
        FROM order_lines WHERE order_lines.order_id = :order_id AND products.id = order_lines.product_id
        """,
        f"UPDATE orders SET {_ORDER_VALUES} WHERE id = :order_id",
        """
        DELETE FROM cart_lines
        WHERE cart_id = :cart_id AND product_id IN (SELECT product_id FROM order_lines WHERE order_id = :order_id)
        """,
        f"INSERT INTO {_MAIL_COLUMNS} VALUES (:order_id, {_MAIL_VALUES}) ON CONFLICT DO NOTHING",
        f"""
        INSERT INTO {_HISTORY_COLUMNS} VALUES
        (:order_id, :at, {_PAYMENT_ENTRY}, :state, '{_PAID}', '{Source.WEBHOOK}', :received),
        (:order_id, :at, {_ORDER_ENTRY}, '{_LATE}')
        """,
    )
]
