"""A server that starts imports what its first page needs, and no more."""

import os
import subprocess
import sys
import time
from pathlib import Path

import requests
from honcho.environ import parse_procfile

from tests.support.databases import SETTINGS
from tools.programs import Program, free_port

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
import store.server
from app import create_app
client = create_app().test_client()
assert client.get("/").status_code == client.get("/readyz").status_code == 200
print(*sys.modules)
"""
NOT_NEEDED = {
    "alembic", "flask_migrate",  # for `flask db`
    "limits.aio.storage",  # for nothing: the store has no event loop
    "pybreaker", "redis",  # for the first call to Stripe, and for counting in Redis
    "requests", "store.gateway.stripe", "stripe", "urllib3",  # for the first call to Stripe
    "PIL", "fontTools", "fpdf", "uharfbuzz",  # for the first invoice as PDF
    "dns", "email_validator", "phonenumbers", "pydoc", "stdnum",  # for the first address that a shopper types
    # For the staff's first page.
    "argon2", "cryptography", "flask_security", "passlib", "qrcode", "store.admin.application", "webauthn", "zxcvbn",
    "store.cli.doctor", "store.cli.operations", "store.cli.orders", "store.cli.working",  # each for its command
}  # fmt: skip


def test_a_server_starts_without_what_only_commands_need(database_url: str) -> None:
    environment = {**os.environ, **SETTINGS, "DATABASE_URL": database_url}

    started = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    imported = set(started.stdout.split())
    assert "store.web" in imported
    assert imported & NOT_NEEDED == set()


def test_workers_share_what_was_imported_before_them(tmp_path: Path) -> None:
    command = parse_procfile((ROOT / "Procfile").read_text()).processes["web"]
    command = command.replace("app:create_app()", "tests.support.memory:app")
    port = free_port()
    program = Program(
        ["sh", "-c", f"exec {command}"], {"STORE_PORT": str(port)}, tmp_path / "log", port=port, ready="/"
    )
    program.start()

    try:
        memory = requests.get(program.url, timeout=10).json()
        later = once_made_on_demand(program.url)
    finally:
        program.stop()

    shared = {"imported_by_worker": False, "collects_garbage": True, "sweeps_what_was_imported": False}
    assert memory == shared | {"made_on_demand": False, "knows_redis": False}
    assert later == shared | {"made_on_demand": True, "knows_redis": False}


def once_made_on_demand(url: str) -> dict[str, bool]:
    """What a worker says of its memory when it has made what is made on demand, or 20 seconds later."""
    over = time.monotonic() + 20
    while True:
        memory: dict[str, bool] = requests.get(url, timeout=10).json()
        if memory["made_on_demand"] or time.monotonic() > over:
            return memory
        time.sleep(0.05)
