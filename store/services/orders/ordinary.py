"""The ordinary order: something to pay, no coupon, of a cart without an open order, of which everything is there.

Most orders are this, and many people may want the same product at once. So they have a way of their own on PostgreSQL:
one script writes what `placement.place` writes in this one case, for all ordinary orders that are placed at the same
moment, and ends its transaction, so that the products are locked only while the server writes. In every other case it
writes nothing, and the readable path decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from models import Base, HistoryEntry, Order, OrderAdjustment, OrderLine, Payment
from store.domain.errors import StoreBusy
from store.services.database import Database
from store.services.orders.drafting import Draft, Row
from store.services.scripts import Script, ScriptRefused, as_json
from store.services.services import Services


def place(services: Services, new: Draft) -> Order | None:
    """Place an order if it is of the ordinary kind, in one transaction, which it may share with others that are placed
    at the same moment. None, and nothing is written of it, if it is not: the cart has an open order or was changed
    meanwhile; or if the database refuses it or one of the others, as where somebody else took the last piece. Raises
    StoreBusy.
    """
    if not new.available or new.order["coupon_id"] is not None or not new.order["total_minor"]:
        return None
    return services.ordinary_orders.do(new, partial(_place_batch, services.database))


def _place_batch(database: Database, drafts: Sequence[Draft]) -> list[Order | None]:
    """The order of each draft. In the rows of a batch an order has its number in the batch for its id."""
    rows: dict[str, Iterable[Row]] = {
        "order_rows": ({**draft.order, "id": number} for number, draft in enumerate(drafts)),
        "payment_rows": _numbered([draft.payment] for draft in drafts),
        "entry_rows": _numbered([draft.entry] for draft in drafts),
        "line_rows": _numbered(draft.lines for draft in drafts),
        "adjustment_rows": _numbered(draft.adjustments for draft in drafts),
    }
    try:
        placed = database.run(_SCRIPT, {name: as_json(list(of_table)) for name, of_table in rows.items()})
    except ScriptRefused:
        # More than there is would be reserved; or the readable path is refused the same, and says why.
        return [None] * len(drafts)
    except StoreBusy:
        if len(drafts) == 1:
            raise
        return [None] * len(drafts)  # one of them waited too long for a lock, perhaps: each tries it by itself
    ids: dict[int, int] = dict(placed)
    return [draft.placed(ids[number]) if number in ids else None for number, draft in enumerate(drafts)]


def _numbered(rows_of_orders: Iterable[Sequence[Row]]) -> Iterable[Row]:
    return ({**row, "order_id": number} for number, rows in enumerate(rows_of_orders) for row in rows)


def _columns(table: type[Base]) -> str:
    """Those that an order is placed with; the others have a default of the database's."""
    written = (
        each for each in table.__table__.columns if each.key not in ("id", "order_id") and not each.server_default
    )
    return ", ".join(column.key for column in written)


# Carts are taken in the order of their ids, products in that of theirs, so that two batches do not wait for each other.
# The products come last, and are locked by a statement of their own: see `stock`. That there is enough, which
# `stock.reserve` checks by a condition, is checked by the constraint of the table: what breaks it, ends the whole.
# `OFFSET 0` and the array keep the planner at indexes: see `docs/decisions/0017`.
_SCRIPT = Script(
    {
        "order_rows": "json",
        "payment_rows": "json",
        "entry_rows": "json",
        "line_rows": "json",
        "adjustment_rows": "json",
    },
    f"""
    WITH drafts AS (
        SELECT * FROM json_populate_recordset(NULL::orders, :order_rows)
    ), lines AS (
        SELECT order_id, {_columns(OrderLine)} FROM json_populate_recordset(NULL::order_lines, :line_rows)
    ), inserted AS (
        INSERT INTO orders ({_columns(Order)})
        SELECT {_columns(Order)} FROM drafts
        WHERE (SELECT count(*) FROM lines WHERE lines.order_id = drafts.id) = (
            SELECT count(*) FROM cart_lines JOIN lines USING (product_id, quantity)
            WHERE cart_lines.cart_id = drafts.cart_id AND lines.order_id = drafts.id
        )
        ORDER BY cart_id
        ON CONFLICT DO NOTHING RETURNING id, reference
    ), placed AS (
        SELECT drafts.id AS order_id, inserted.id FROM inserted JOIN drafts USING (reference)
    ), payment AS (
        INSERT INTO payments (order_id, {_columns(Payment)})
        SELECT placed.id, {_columns(Payment)}
        FROM placed JOIN json_populate_recordset(NULL::payments, :payment_rows) USING (order_id)
    ), entry AS (
        INSERT INTO history (order_id, {_columns(HistoryEntry)})
        SELECT placed.id, {_columns(HistoryEntry)}
        FROM placed JOIN json_populate_recordset(NULL::history, :entry_rows) USING (order_id)
    ), ordered AS (
        INSERT INTO order_lines (order_id, {_columns(OrderLine)})
        SELECT placed.id, {_columns(OrderLine)} FROM placed JOIN lines USING (order_id)
    ), adjusted AS (
        INSERT INTO order_adjustments (order_id, {_columns(OrderAdjustment)})
        SELECT placed.id, {_columns(OrderAdjustment)}
        FROM placed JOIN json_populate_recordset(NULL::order_adjustments, :adjustment_rows) USING (order_id)
    )
    SELECT FROM placed
    """,
    """
    SELECT FROM products WHERE id = ANY (ARRAY (
        SELECT product_id FROM json_to_recordset(:line_rows) AS lines (product_id integer)
    ))
    ORDER BY id FOR NO KEY UPDATE
    """,
    """
    WITH placed AS (
        SELECT drafts.id AS order_id, orders.id
        FROM json_to_recordset(:order_rows) AS drafts (id integer, reference text)
        CROSS JOIN LATERAL (SELECT id, xmin FROM orders WHERE reference = drafts.reference OFFSET 0) AS orders
        WHERE orders.xmin = pg_current_xact_id_if_assigned()::xid
    ), wanted AS (
        SELECT product_id, sum(quantity) AS quantity
        FROM placed CROSS JOIN LATERAL (SELECT * FROM order_lines WHERE order_id = placed.id OFFSET 0) AS lines
        GROUP BY product_id
    ), reserved AS (
        UPDATE products SET reserved = reserved + wanted.quantity FROM wanted
        WHERE products.id = ANY (ARRAY (SELECT product_id FROM wanted)) AND products.id = wanted.product_id
    )
    SELECT order_id, id FROM placed
    """,
)
