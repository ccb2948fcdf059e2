"""indexes for a million orders: what is asked again and again finds its few rows at once

Only adds indexes, and removes three that the new ones stand in for: the program before this one runs on it.

Revision ID: 0008
Revises: 0007

"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# By name: the table, the columns, and for which rows, where it is not for all.
Indexes = Mapping[str, tuple[str, Sequence[str], str | None]]

ADDED: Indexes = {
    "ix_orders_browser": ("orders", ["browser_id", "id"], None),
    "ix_orders_placed_at": ("orders", ["placed_at"], None),
    "ix_orders_reserved": ("orders", ["id"], "reservation = 'reserved'"),
    "ix_payments_leftover": ("payments", ["order_id"], "NOT live AND state NOT IN ('paid', 'cancelled', 'refunded')"),
    "ix_refunds_requested_at": ("refunds", ["requested_at"], None),
    "ix_refunds_pending": ("refunds", ["payment_id"], "state = 'pending'"),
    "ix_disputes_opened_at": ("disputes", ["opened_at"], None),
    "ix_disputes_undecided": (
        "disputes",
        ["payment_id"],
        "state IN ('inquiry', 'needs_response', 'under_review')",
    ),
    "ix_mails_to_send": (
        "mails",
        ["due_at", "id"],
        "sent_at IS NULL AND failed_at IS NULL AND dropped_because IS NULL",
    ),
    "ix_mails_failed": ("mails", ["failed_at"], "failed_at IS NOT NULL"),
    "ix_history_at": ("history", ["at"], None),
    "ix_webhook_events_unhandled": ("webhook_events", ["received_at"], "handled_at IS NULL"),
}
REMOVED: Indexes = {
    "ix_orders_browser_id": ("orders", ["browser_id"], None),
    "ix_payments_not_live": ("payments", ["order_id"], "NOT live"),
    "ix_mails_unsent": ("mails", ["due_at"], "sent_at IS NULL"),
}


# SQLite has no booleans, and uses an index only where a statement has the same condition in the same words.
IN_SQLITE = {
    "ix_payments_leftover": "live = 0 AND state NOT IN ('paid', 'cancelled', 'refunded')",
    "ix_payments_refund_due": "refund_due = 1",
}
REFUND_DUE: Indexes = {"ix_payments_refund_due": ("payments", ["order_id"], "refund_due")}


def upgrade() -> None:
    _create(ADDED, IN_SQLITE)
    _drop(REMOVED)
    if op.get_context().dialect.name == "sqlite":
        _drop(REFUND_DUE)
        _create(REFUND_DUE, IN_SQLITE)


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        _drop(REFUND_DUE)
        _create(REFUND_DUE, {})
    _create(REMOVED, {})
    _drop(ADDED)


def _create(indexes: Indexes, in_sqlite: Mapping[str, str]) -> None:
    for name, (table, columns, where) in indexes.items():
        rows = sa.text(where) if where is not None else None
        in_its_words = sa.text(in_sqlite[name]) if name in in_sqlite else rows
        op.create_index(name, table, columns, sqlite_where=in_its_words, postgresql_where=rows)


def _drop(indexes: Indexes) -> None:
    for name, (table, _columns, _where) in indexes.items():
        op.drop_index(name, table)
