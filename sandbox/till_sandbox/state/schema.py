"""The tables, and how a file that an older version made gets them."""

import sqlite3
from pathlib import Path

SCHEMA = Path(__file__).with_name("schema.sql")

#: The changes to the tables so far; a file says in `user_version` how many of them it has.
_CHANGES = (
    """
    ALTER TABLE objects ADD COLUMN customer TEXT;
    ALTER TABLE objects ADD COLUMN payment_intent TEXT;
    ALTER TABLE objects ADD COLUMN charge TEXT;
    DROP INDEX IF EXISTS objects_customer;
    DROP INDEX IF EXISTS objects_payment_intent;
    DROP INDEX IF EXISTS objects_charge;
    UPDATE objects SET
        customer = json_extract(body, '$.customer'),
        payment_intent = json_extract(body, '$.payment_intent'),
        charge = json_extract(body, '$.charge');
    ALTER TABLE scheduled ADD COLUMN clock TEXT;
    DROP INDEX IF EXISTS scheduled_due;
    """,
    "UPDATE scheduled SET action = 'book_charge' WHERE action = 'settle_charge';",
)


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables that are missing and change those that are older, all or nothing. Raises sqlite3.Error."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    missing = _CHANGES[version:] if _has_tables(connection) else ()
    script = f"{''.join(missing)}{SCHEMA.read_text(encoding='utf-8')}PRAGMA user_version = {len(_CHANGES)};"
    try:
        connection.executescript(f"BEGIN IMMEDIATE;{script}COMMIT;")
    except sqlite3.Error:
        connection.rollback()
        raise


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'objects'").fetchone() is not None
