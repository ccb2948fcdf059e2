"""Whether this process can serve: the database answers, and it has the tables that this code was written for."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from store.domain.errors import StoreBusy
from store.services.database import is_no_database
from store.services.services import Services

MIGRATIONS = Path(__file__).parents[3] / "migrations"

NO_ANSWER = "The database does not answer."
# What a server answers that turns a connection away, and what to do: PostgreSQL's words and PgBouncer's. Neither names
# of users nor of databases are repeated.
REFUSALS = [
    (
        "unsupported startup parameter|Unsupported startup parameter",
        "PgBouncer refuses a start-up parameter that DATABASE_URL asks for: leave `options` out of it.",
    ),
    (
        "authentication failed|no password supplied|no pg_hba.conf entry|no such user|not allowed",
        "The database refuses the user or the password of DATABASE_URL.",
    ),
    ("database .* does not exist|no such database", "The server of DATABASE_URL has no database of that name."),
    ("too many clients|no more connections allowed|remaining connection slots", "The database has no connection left."),
]


def problems(services: Services) -> list[str]:
    """Why the store cannot serve, a sentence for each reason; empty when it can."""
    from alembic.migration import MigrationContext  # no page needs Alembic, and it takes a tenth of a second

    try:
        with services.database.reading() as session:
            current = MigrationContext.configure(session.connection()).get_current_revision()
    except StoreBusy as failure:
        if is_no_database(failure.__cause__):
            return ["DATABASE_URL names a file that is not a database, or a damaged one: name another."]
        said = str(failure.__cause__)
        return [next((problem for answer, problem in REFUSALS if re.search(answer, said)), NO_ANSWER)]
    if current != _newest_revision():
        return [f"The database is at revision {current}, the code needs {_newest_revision()}: run `flask db upgrade`."]
    return []


@cache
def _newest_revision() -> str | None:
    from alembic.config import Config  # as above
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return ScriptDirectory.from_config(config).get_current_head()
