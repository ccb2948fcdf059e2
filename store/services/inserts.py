"""Inserts that can say what follows where such a row is there already. SQL has no words for that; PostgreSQL and SQLite
have the same, each in a statement of its own.
"""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models import Base


def into(session: Session, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An insert into this table for the session's database."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return insert(table)
