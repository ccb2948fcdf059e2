"""Runs the migrations on the store's own engine, for `flask db …` (Flask-Migrate) and for the tests alike.

SQLite changes a table by copying it under its name. That would delete what points to it, so its foreign keys are off
meanwhile, and checked at the end.
"""

from alembic import context
from flask import current_app
from sqlalchemy import Connection

db = current_app.extensions["migrate"].db


def run() -> None:
    with db.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            _foreign_keys(connection, on=False)
        try:
            context.configure(
                connection=connection, target_metadata=db.metadata, **current_app.extensions["migrate"].configure_args
            )
            with context.begin_transaction():
                context.run_migrations()
                if sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
                    raise RuntimeError(f"the migrations left rows that point to nothing: {broken[:5]}")
        finally:
            if sqlite:
                _foreign_keys(connection, on=True)


def _foreign_keys(connection: Connection, *, on: bool) -> None:
    """Beneath SQLAlchemy, which would begin a transaction first: inside one the setting does nothing."""
    driver = connection.connection.dbapi_connection
    if driver is not None:
        driver.cursor().execute(f"PRAGMA foreign_keys = {'ON' if on else 'OFF'}")


run()
