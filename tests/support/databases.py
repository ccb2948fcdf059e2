"""Fixtures: a database of its own for every test, on SQLite and on PostgreSQL, made by the migrations.

The migrations run once per database system and test process; a database is a copy of the result. When a test is done
with its database, the next test gets it, emptied, which costs PostgreSQL a sixth of a copy. Unlike a
rolled-back transaction this lets tests commit for real and from several threads.

    def test_something(database_url): ...     runs on SQLite; marked `on_both_databases`, on PostgreSQL as well; marked
                                              `on_postgresql`, there alone
    def test_locks(databases): ...            databases.create("postgresql") gives one address of the named system
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import flask_migrate
import psycopg2
import psycopg2.sql
import pytest
from sqlalchemy import URL, make_url

from app import create_app
from config import Settings
from tools.postgres import PostgresServer, PostgresUnavailable

ROOT = Path(__file__).parents[2]

System = Literal["sqlite", "postgresql"]
ON: dict[str, tuple[System, ...]] = {"on_both_databases": ("sqlite", "postgresql"), "on_postgresql": ("postgresql",)}


class Databases:
    """Creates and drops migrated, otherwise empty databases. Starts a PostgreSQL server when one is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._postgres: PostgresDatabases | None = None
        self._ready: dict[System, list[str]] = {"sqlite": [], "postgresql": []}

    def take(self, system: System) -> str:
        """As `create`, but it may be one that was given back, at the same address and as empty as a new one."""
        return self._ready[system].pop() if self._ready[system] else self.create(system)

    def give_back(self, url: str) -> None:
        """Empty a database for the next who takes one. No connection to it may be in use any more."""
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            self.drop(url)
            Path(str(parsed.database)).write_bytes(migrated_sqlite())
            self._ready["sqlite"].append(url)
        elif self._postgres is not None and self._postgres.empty(str(parsed.database)):
            self._ready["postgresql"].append(url)
        else:
            self.drop(url)

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
        self._emptying: dict[str, psycopg2.extensions.connection] = {}  # opening one takes longer than emptying
        self._template = f"till_test_{uuid.uuid4().hex}"
        self._execute("CREATE DATABASE {}", self._template)
        migrate(self._address(self._template))
        self._schema = self._schema_of(self._template)

    def create(self) -> str:
        name = f"till_test_{uuid.uuid4().hex}"
        # FILE_COPY halves the time of the default strategy here.
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, self._template)
        return self._address(name)

    def empty(self, name: str) -> bool:
        """Remove every row; False, with nothing done, when that does not make it as good as a new database."""
        try:
            if name not in self._emptying:
                self._emptying[name] = psycopg2.connect(self._address(name))
            with self._emptying[name] as connection, connection.cursor() as cursor:
                cursor.execute(END_OTHER_CONNECTIONS)
                cursor.execute("SET LOCAL lock_timeout = '2s'")
                cursor.execute(DELETE_EVERY_ROW)
                cursor.execute(SCHEMA)
                return cursor.fetchall() == self._schema
        except psycopg2.Error:
            return False

    def drop(self, name: str) -> None:
        if name in self._emptying:
            self._emptying.pop(name).close()
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def close(self) -> None:
        for connection in self._emptying.values():
            connection.close()
        if self._server is not None:
            self._server.stop()
        else:
            self.drop(self._template)

    def _address(self, name: str) -> str:
        return _text(self._admin.set(database=name))

    def _schema_of(self, name: str) -> list[tuple[object, ...]]:
        with closing(psycopg2.connect(self._address(name))) as connection, connection.cursor() as cursor:
            cursor.execute(SCHEMA)
            return cursor.fetchall()

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


END_OTHER_CONNECTIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# Few rows in many tables: DELETE takes a fraction of TRUNCATE's time, which makes new files. Without the foreign keys'
# triggers the order does not matter.
DELETE_EVERY_ROW = """
    DO $$
    DECLARE name text;
    BEGIN
        SET LOCAL session_replication_role = replica;
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
            EXECUTE format('DELETE FROM %I', name);
        END LOOP;
        FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
            PERFORM setval(format('%I', name)::regclass, 1, false);
        END LOOP;
    END $$
"""
# What a test may have changed besides rows: tables, columns, indexes, constraints, and the migration it stands at.
SCHEMA = """
    SELECT c.relname, c.relkind::text, a.attname, a.atttypid, a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT conname, contype::text, NULL, NULL, NULL, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'alembic_version', NULL, version_num, NULL, NULL, NULL FROM alembic_version
    ORDER BY 1, 2, 3
"""


def migrate(url: str) -> None:
    """Do what `flask db upgrade` does to the database at `url`."""
    settings = {name.lower(): value for name, value in SETTINGS.items()}
    with TemporaryDirectory() as folder:
        store = create_app(Settings.load(_env_file=None, database_url=url, **settings), instance=Path(folder))
        with store.app_context():
            flask_migrate.upgrade()
        store.extensions["services"].database.engine.dispose()


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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test on the databases that its own mark names, or else its file's."""
    if "database_url" in metafunc.fixturenames:
        marked = [ON[mark.name] for mark in metafunc.definition.iter_markers() if mark.name in ON]
        metafunc.parametrize("database_url", marked[0] if marked else ("sqlite",), indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """The address of an empty database."""
    url = databases.take(request.param)
    yield url
    databases.give_back(url)
