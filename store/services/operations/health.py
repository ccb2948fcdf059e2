"""Whether this process can serve: the database answers, and it has the tables that this code was written for."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import String, column, inspect, select, table
from sqlalchemy.orm import Session

from models import Heartbeat
from store.domain.errors import StoreBusy
from store.services import inserts
from store.services.database import is_no_database
from store.services.services import Services

MIGRATIONS = Path(__file__).parents[3] / "migrations" / "versions"
# How a migration names itself, and the one before it.
NAMES, FOLLOWS = (rf"^{name} = [\"'](\w+)[\"']$" for name in ("revision", "down_revision"))

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
    try:
        with services.database.reading() as session:
            current = _revision(session)
    except StoreBusy as failure:
        if is_no_database(failure.__cause__):
            return ["DATABASE_URL names a file that is not a database, or a damaged one: name another."]
        said = str(failure.__cause__)
        return [next((problem for answer, problem in REFUSALS if re.search(answer, said)), NO_ANSWER)]
    if current != _newest_revision():
        return [f"The database is at revision {current}, the code needs {_newest_revision()}: run `flask db upgrade`."]
    return []


def beat(session: Session, name: str, now: datetime) -> None:
    """Note that the program of this name has done its work at `now`."""
    beaten = inserts.into(session, Heartbeat).values(name=name, at=now)
    session.execute(beaten.on_conflict_do_update(index_elements=[Heartbeat.name], set_={"at": now}))


def _revision(session: Session) -> str | None:
    """Which migration the database stands at; None before the first."""
    if not inspect(session.connection()).has_table("alembic_version"):
        return None
    return session.scalar(select(column("version_num", String)).select_from(table("alembic_version")))


@cache
def _newest_revision() -> str:
    """The migration that none follows. Alembic says the same; it would cost each process of a server 8 MB."""
    scripts = [script.read_text("utf-8") for script in MIGRATIONS.glob("*.py")]
    followed = {found[1] for script in scripts if (found := re.search(FOLLOWS, script, re.MULTILINE))}
    (newest,) = {found[1] for script in scripts if (found := re.search(NAMES, script, re.MULTILINE))} - followed
    return newest
