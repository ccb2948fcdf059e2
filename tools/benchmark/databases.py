"""The benchmark's own databases, thrown away afterwards: on a PostgreSQL server of its own, and files of SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
from psycopg2.sql import SQL, Identifier, Literal
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.pool import NullPool

from tools.postgres import PostgresServer

# As a server is run that must not lose a payment: PostgreSQL's own defaults where the tests' server saves time.
SERVER_SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "max_connections": "400",
    "log_line_prefix": "<%d %p> ",
}


class Databases:
    """Databases on one server of the benchmark's own."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server

    def create(
        self, name: str, *, template: str = "template1", synchronous_commit: bool = True, log_statements: bool = False
    ) -> str:
        """The address of a new database, a copy of `template`, which nobody may be connected to."""
        settings = {
            "synchronous_commit": "on" if synchronous_commit else "off",
            "log_statement": "all" if log_statements else "none",
        }
        self._execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
        for setting, value in settings.items():
            self._execute(
                SQL("ALTER DATABASE {} SET {} = {}").format(Identifier(name), Identifier(setting), Literal(value))
            )
        return self.server.url(name)

    def drop(self, name: str) -> None:
        self._execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))

    def version(self) -> str:
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            return str(cursor.fetchall()[0][0])

    def _execute(self, statement: psycopg2.sql.Composable) -> None:
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement)

    @contextmanager
    def _connection(self) -> Iterator[psycopg2.extensions.connection]:
        with closing(psycopg2.connect(self.server.url())) as connection:
            connection.autocommit = True  # databases are made and dropped outside of transactions
            yield connection


class SqliteFiles:
    """Databases of SQLite in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, name: str, *, template: str = "") -> str:
        """The address of a new database, a copy of `template` with what only its -wal has."""
        file = self._folder / f"{name}.sqlite3"
        if template:
            original = sqlite3.connect(self._folder / f"{template}.sqlite3")
            with closing(original), closing(sqlite3.connect(file)) as copy:
                original.backup(copy)
        return f"sqlite:///{file}"


def engine_of(url: str) -> Engine:
    """An engine that keeps no connection open, so that a database can be copied."""
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        address = address.set(drivername="postgresql+psycopg2")
    return create_engine(address, poolclass=NullPool)
