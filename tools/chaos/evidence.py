"""What each side knows, read directly from its database, in terms of this package.

Nothing of the store's or the sandbox's code is used here, so that neither can hide a bug of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, text

from tools.chaos.smtp_sink import Delivered
from tools.chaos.stack import Stack


class Order(NamedTuple):
    """An order with its payment, as the store has them. Amounts are minor units."""

    reference: str
    state: str
    reservation: str
    needs_review: bool
    total: int
    email: str
    paid: bool  # whether it ever became paid
    payment: str
    intent: str | None
    received: int
    refunded: int
    refund_due: bool
    authorised: bool  # whether a card ever was, to be charged later
    captured: int | None  # how much of that was charged, where it is known
    tried: bool  # whether the history says that somebody tried a card


class Email(NamedTuple):
    reference: str
    email: str
    kind: str
    dedupe_key: str
    message_id: str
    sent: bool
    dropped: bool = False  # it was not true any more when it was to be sent


@dataclass(slots=True)
class Evidence:
    """`intents`, `pages`, `charges`, `refunds`, `disputes` are Stripe's objects; the rest is the store's."""

    intents: list[dict[str, Any]] = field(default_factory=list)
    pages: list[dict[str, Any]] = field(default_factory=list)
    charges: list[dict[str, Any]] = field(default_factory=list)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    disputes: list[dict[str, Any]] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    store_refunds: dict[str, int] = field(default_factory=dict)
    store_disputes: dict[str, str] = field(default_factory=dict)
    pieces: dict[str, dict[str, int]] = field(default_factory=dict)
    stock: dict[str, tuple[int, int]] = field(default_factory=dict)
    emails: list[Email] = field(default_factory=list)
    delivered: list[Delivered] = field(default_factory=list)
    unhandled_events: int = 0


ORDERS = """
SELECT o.reference, o.state, o.reservation,
       EXISTS (SELECT 1 FROM reviews r WHERE r.order_id = o.id AND r.resolved_at IS NULL), o.total_minor, o.email,
       o.paid_at IS NOT NULL, p.state, p.provider_payment_id, p.received_minor, p.refunded_minor, p.refund_due,
       o.authorised_at IS NOT NULL, p.capture_minor,
       EXISTS (SELECT 1 FROM history h WHERE h.order_id = o.id AND h.type IN
               ('payment.declined', 'payment.action_required', 'payment.processing', 'payment.authorised',
                'payment.paid'))
FROM orders o LEFT JOIN payments p ON p.order_id = o.id AND p.live ORDER BY o.id
"""
REFUNDS = """
SELECT provider_refund_id, amount_minor FROM refunds WHERE state IN ('pending', 'succeeded')
"""
DISPUTES = "SELECT provider_dispute_id, state FROM disputes"
PIECES = """
SELECT o.reservation, l.slug, sum(l.quantity)
FROM order_lines l JOIN orders o ON o.id = l.order_id GROUP BY o.reservation, l.slug
"""
EMAILS = """
SELECT o.reference, o.email, m.kind, m.dedupe_key, m.message_id, m.sent_at IS NOT NULL, m.dropped_because IS NOT NULL
FROM mails m JOIN orders o ON o.id = m.order_id ORDER BY m.id
"""
HISTORIES = """
SELECT o.reference, h.at, h.type, h.from_state, h.to_state, h.source, h.data
FROM history h JOIN orders o ON o.id = h.order_id ORDER BY o.id, h.id
"""
STOCK = "SELECT slug, stock, reserved FROM products"
UNHANDLED = "SELECT count(*) FROM webhook_events WHERE handled_at IS NULL"


def gather(stack: Stack) -> Evidence:
    """Everything both sides and the mail server know at this moment."""
    evidence = Evidence(delivered=list(stack.smtp_sink.emails))
    with _opened(stack.sandbox_file) as sandbox:
        evidence.intents = _objects(sandbox, "payment_intent")
        evidence.pages = _objects(sandbox, "checkout.session")
        evidence.charges = _objects(sandbox, "charge")
        evidence.refunds = _objects(sandbox, "refund")
        evidence.disputes = _objects(sandbox, "dispute")
    evidence.orders = [Order._make(row) for row in _rows(stack.engine, ORDERS)]
    evidence.store_refunds = {row[0]: row[1] for row in _rows(stack.engine, REFUNDS)}
    evidence.store_disputes = {row[0]: row[1] for row in _rows(stack.engine, DISPUTES)}
    for reservation, slug, pieces in _rows(stack.engine, PIECES):
        evidence.pieces.setdefault(slug, {})[reservation] = int(pieces)
    evidence.stock = {slug: (stock, reserved) for slug, stock, reserved in _rows(stack.engine, STOCK)}
    evidence.emails = [Email._make(row) for row in _rows(stack.engine, EMAILS)]
    evidence.unhandled_events = int(_rows(stack.engine, UNHANDLED)[0][0])
    return evidence


def write_histories(stack: Stack, file: Path) -> None:
    """The history of every order, one entry a line, for whoever looks into a disagreement."""
    lines = (" ".join(map(str, row)) for row in _rows(stack.engine, HISTORIES))
    file.write_text("\n".join(lines), encoding="utf-8")


def pending_deliveries(sandbox_file: Path) -> int:
    """How many webhooks the sandbox still has to deliver."""
    with _opened(sandbox_file) as sandbox:
        (count,) = sandbox.execute("SELECT count(*) FROM deliveries WHERE status = 'pending'").fetchone()
        return int(count)


def _opened(sandbox_file: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"file:{sandbox_file}?mode=ro", uri=True, timeout=30))


def _objects(sandbox: sqlite3.Connection, type_: str) -> list[dict[str, Any]]:
    rows = sandbox.execute("SELECT json(body) FROM objects WHERE kind = ? AND NOT deleted ORDER BY seq", (type_,))
    return [json.loads(body) for (body,) in rows]


def _rows(engine: Engine, query: str) -> Sequence[Any]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]
