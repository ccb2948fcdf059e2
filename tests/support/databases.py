"""Fixtures: a database of its own for every test, on SQLite and on PostgreSQL, made by the migrations.

The migrations run once per database system and test process; every test then gets a copy of the result. A copy
costs about 50 ms on PostgreSQL and next to nothing on SQLite, and unlike a rolled-back transaction it lets tests
commit for real and from several threads.

    def test_something(database_url): ...     runs twice: on SQLite and on PostgreSQL
    def test_locks(databases): ...            databases.create("postgresql") gives one address of the named system
"""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import psycopg2
import psycopg2.sql
import pytest
from sqlalchemy import URL, make_url

from tools.postgres import PostgresServer, PostgresUnavailable

ROOT = Path(__file__).parents[2]

System = Literal["sqlite", "postgresql"]
SYSTEMS: tuple[System, ...] = ("sqlite", "postgresql")


class Databases:
    """Creates and drops migrated, otherwise empty databases. Starts a PostgreSQL server when one is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._postgres: PostgresDatabases | None = None

    def create(self, system: System) -> str:
        """The address, as in DATABASE_URL, of a new database with all tables and no rows."""
        if system == "postgresql":
            self._postgres = self._postgres or PostgresDatabases()
            return self._postgres.create()
        copy = self._folder / f"{uuid.uuid4().hex}.sqlite3"
        copy.write_bytes(migrated_sqlite())
        return f"sqlite:///{copy}"

    def drop(self, url: str) -> None:
        """Remove a database that `create` made, even if somebody is still connected to it."""
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql" and self._postgres is not None:
            self._postgres.drop(str(parsed.database))
            return
        for suffix in ("", "-wal", "-shm"):
            Path(f"{parsed.database}{suffix}").unlink(missing_ok=True)

    def close(self) -> None:
        if self._postgres is not None:
            self._postgres.close()


@cache
def migrated_sqlite() -> bytes:
    """An SQLite file with all tables and no rows. A process that was forked from one that knows it has it at once."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "template.sqlite3"
        migrate(f"sqlite:///{file}")
        if file.with_name(f"{file.name}-wal").exists():
            raise AssertionError("the migrations left a connection open: the file is not whole without its -wal")
        return file.read_bytes()


class PostgresDatabases:
    """Databases on the server of TEST_DATABASE_URL if that is set (its user must be allowed to create databases),
    otherwise on a private server. Their names begin with till_test_."""

    def __init__(self) -> None:
        self._server: PostgresServer | None = None
        given = os.environ.get("TEST_DATABASE_URL")
        if given is None:
            self._server = PostgresServer()
            self._server.start()
            given = self._server.url()
        self._admin = make_url(given).set(drivername="postgresql")
        self._template = f"till_test_{uuid.uuid4().hex}"
        self._execute("CREATE DATABASE {}", self._template)
        migrate(_text(self._admin.set(database=self._template)))

    def create(self) -> str:
        name = f"till_test_{uuid.uuid4().hex}"
        # FILE_COPY halves the time of the default strategy here.
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, self._template)
        return _text(self._admin.set(database=name))

    def drop(self, name: str) -> None:
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def close(self) -> None:
        if self._server is not None:
            self._server.stop()
        else:
            self.drop(self._template)

    def _execute(self, statement: str, *names: str) -> None:
        identifiers = [psycopg2.sql.Identifier(name) for name in names]
        try:
            connection = psycopg2.connect(_text(self._admin))
        except psycopg2.OperationalError as error:
            raise PostgresUnavailable(f"TEST_DATABASE_URL names a server that does not answer: {error}") from error
        with closing(connection):
            connection.autocommit = True  # CREATE and DROP DATABASE refuse to run inside a transaction
            with connection.cursor() as cursor:
                cursor.execute(psycopg2.sql.SQL(statement).format(*identifiers))


def migrate(url: str) -> None:
    """Run `flask db upgrade` against the database at `url`, as `make run` does."""
    subprocess.run(
        [sys.executable, "-m", "flask", "db", "upgrade"],
        cwd=ROOT,
        env=os.environ | SETTINGS | {"DATABASE_URL": url},
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


# What every process the tests start can be given; whatever .env holds loses against these.
SETTINGS = {
    "SECRET_KEY": "not-a-secret-only-for-the-tests-of-this-store",
    "STRIPE_SECRET_KEY": "sk_test_sandbox",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_sandbox",
    "STRIPE_WEBHOOK_SECRET": "whsec_not_a_secret_only_for_tests",
}


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Where a test gets further databases, or those of one system, from."""
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(params=SYSTEMS)
def database_url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """The address of an empty database; a test that asks for it runs once per database system."""
    url = databases.create(request.param)
    yield url
    databases.drop(url)
