"""A server that starts imports what its first page needs, and no more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.databases import SETTINGS

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from app import create_app
client = create_app().test_client()
assert client.get("/").status_code == client.get("/readyz").status_code == 200
print(*sys.modules)
"""
NOT_NEEDED = {
    "alembic", "flask_migrate",  # for `flask db`
    "pybreaker", "redis",  # for the first call to Stripe, and for counting in Redis
    "store.cli.doctor", "store.cli.operations", "store.cli.orders", "store.cli.working",  # each for its command
}  # fmt: skip


@pytest.mark.on_sqlite
def test_a_server_starts_without_what_only_commands_need(database_url: str) -> None:
    environment = {**os.environ, **SETTINGS, "DATABASE_URL": database_url}

    started = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    imported = set(started.stdout.split())
    assert "store.web" in imported
    assert imported & NOT_NEEDED == set()
