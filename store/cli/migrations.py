"""What Flask-Migrate asks of the application, in `app.extensions["migrate"]`."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from models import db

if TYPE_CHECKING:
    from flask_migrate import Migrate


class Migrations:
    """Flask-Migrate's own object, made when a migration runs: it imports Alembic, which takes a tenth of a second."""

    def __init__(self, app: Flask) -> None:
        self.db: SQLAlchemy = db
        self.directory = str(Path(app.root_path) / "migrations")

    @cached_property
    def migrate(self) -> Migrate:
        from flask_migrate import Migrate  # see above

        return Migrate(db=self.db, directory=self.directory)

    @property
    def configure_args(self) -> dict[str, Any]:
        """What `migrations/env.py` configures Alembic with."""
        return dict(self.migrate.alembic_ctx_kwargs)
