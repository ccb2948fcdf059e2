"""The ordinary order: something to pay, no coupon, of a cart without an open order, of which everything is there.

Most orders are this, and many people may want the same product at once. So they have a way of their own on PostgreSQL:
one statement writes what `placement.place` writes in this one case and ends its transaction, so that the products are
locked only while the server writes. In every other case it writes nothing, and the readable path decides.
"""

from __future__ import annotations

import json
from datetime import datetime

from models import Base, HistoryEntry, Order, OrderAdjustment, OrderLine, Payment
from store.services.database import Database
from store.services.orders.placement import Draft
from store.services.scripts import Script, ScriptRefused


def place(database: Database, new: Draft) -> Order | None:
    """Place an order if it is of the ordinary kind. None, and nothing is written, if it is not: the cart has an open
    order or was changed meanwhile, or somebody else took the last piece. Raises StoreBusy.
    """
    if not new.available or new.order["coupon_id"] is not None or not new.order["total_minor"]:
        return None
    new_rows = {"order_row": new.order, "payment_row": new.payment, "entry_row": new.entry, "line_rows": new.lines}
    new_rows["adjustment_rows"] = new.adjustments
    values: dict[str, object] = {name: json.dumps(row, default=datetime.isoformat) for name, row in new_rows.items()}
    try:
        placed = database.run(_SCRIPT, values)
    except ScriptRefused:
        return None  # more than there is would be reserved; or the readable path is refused the same, and says why
    return new.placed(placed[0][0]) if placed else None


def _columns(table: type[Base]) -> str:
    """Those that an order is placed with; the others have a default of the database's."""
    written = (
        each for each in table.__table__.columns if each.key not in ("id", "order_id") and not each.server_default
    )
    return ", ".join(column.key for column in written)


# Products are locked in id order. That there is enough, which `stock.reserve` checks by a condition, is checked by the
# constraint of the table: what breaks it, ends the whole.
_SCRIPT = Script(
    {"order_row": "json", "payment_row": "json", "entry_row": "json", "line_rows": "json", "adjustment_rows": "json"},
    f"""
    WITH lines AS (
        SELECT {_columns(OrderLine)} FROM json_populate_recordset(NULL::order_lines, :line_rows)
    ), placed AS (
        INSERT INTO orders ({_columns(Order)})
        SELECT {_columns(Order)} FROM json_populate_record(NULL::orders, :order_row) AS new
        WHERE (SELECT count(*) FROM lines) = (
            SELECT count(*) FROM cart_lines JOIN lines USING (product_id, quantity)
            WHERE cart_lines.cart_id = new.cart_id
        )
        ON CONFLICT DO NOTHING RETURNING id
    ), payment AS (
        INSERT INTO payments (order_id, {_columns(Payment)})
        SELECT placed.id, {_columns(Payment)} FROM placed, json_populate_record(NULL::payments, :payment_row)
    ), entry AS (
        INSERT INTO history (order_id, {_columns(HistoryEntry)})
        SELECT placed.id, {_columns(HistoryEntry)} FROM placed, json_populate_record(NULL::history, :entry_row)
    ), ordered AS (
        INSERT INTO order_lines (order_id, {_columns(OrderLine)})
        SELECT placed.id, {_columns(OrderLine)} FROM placed, lines
    ), adjusted AS (
        INSERT INTO order_adjustments (order_id, {_columns(OrderAdjustment)})
        SELECT placed.id, {_columns(OrderAdjustment)}
        FROM placed, json_populate_recordset(NULL::order_adjustments, :adjustment_rows)
    ), pieces AS (
        SELECT products.id, lines.quantity FROM placed, lines JOIN products ON products.id = lines.product_id
        ORDER BY products.id FOR NO KEY UPDATE OF products
    ), reserved AS (
        UPDATE products SET reserved = reserved + pieces.quantity FROM pieces WHERE products.id = pieces.id
    )
    SELECT id FROM placed
    """,
)
