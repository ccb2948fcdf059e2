"""Runs the migrations on the store's own engine, for `flask db …` (Flask-Migrate) and for the tests alike."""

from alembic import context
from flask import current_app

db = current_app.extensions["migrate"].db


def run() -> None:
    with db.engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=db.metadata, **current_app.extensions["migrate"].configure_args
        )
        with context.begin_transaction():
            context.run_migrations()


run()
