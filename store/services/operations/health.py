"""Whether this process can serve: the database answers, and it has the tables that this code was written for."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from store.domain.errors import StoreBusy
from store.services.database import is_no_database
from store.services.services import Services

MIGRATIONS = Path(__file__).parents[3] / "migrations"


def problems(services: Services) -> list[str]:
    """What stands in the way of serving, a sentence each; empty when all is well."""
    try:
        with services.database.reading() as session:
            current = MigrationContext.configure(session.connection()).get_current_revision()
    except StoreBusy as failure:
        if is_no_database(failure.__cause__):
            return ["DATABASE_URL names a file that is not a database, or a damaged one: name another."]
        return ["The database does not answer."]
    if current != _newest_revision():
        return [f"The database is at revision {current}, the code needs {_newest_revision()}: run `flask db upgrade`."]
    return []


@cache
def _newest_revision() -> str | None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config).get_current_head()
