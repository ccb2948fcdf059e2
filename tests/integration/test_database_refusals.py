"""A database that refuses the store is distinguished from one that does not answer."""

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import create_app
from config import Settings
from store.services import Services
from store.services.operations import health

ENCRYPTION_REQUESTS = (80877103, 80877104)  # SSLRequest and GSSENCRequest of PostgreSQL's protocol


class PgBouncer(socketserver.ThreadingTCPServer):
    """Reads a client's start-up message and answers with an error: to `options` as PgBouncer does by default, else with
    `answer`.
    """

    daemon_threads = True

    def __init__(self, answer: str) -> None:
        self.answer, self.introductions = answer, list[bytes]()
        super().__init__(("127.0.0.1", 0), Introduction)


class Introduction(socketserver.StreamRequestHandler):
    server: PgBouncer

    def handle(self) -> None:
        while True:
            length = int.from_bytes(self.rfile.read(4), "big")
            packet = self.rfile.read(length - 4)
            if int.from_bytes(packet[:4], "big") not in ENCRYPTION_REQUESTS:
                break
            self.wfile.write(b"N")
        self.server.introductions.append(packet)
        message = "unsupported startup parameter: options" if b"options" in packet else self.server.answer
        fields = b"SFATAL\0C08P01\0M" + message.encode() + b"\0\0"
        self.wfile.write(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)


@pytest.fixture
def pgbouncer(request: pytest.FixtureRequest) -> Iterator[PgBouncer]:
    with PgBouncer(request.param) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def services_on(address: str, folder: Path) -> Services:
    settings = Settings.load(_env_file=None, secret_key="a-secret-for-the-tests-only", database_url=address)
    services: Services = create_app(settings, instance=folder).extensions["services"]
    return services


@pytest.mark.parametrize(
    ("pgbouncer", "query", "problem"),
    [
        ("no such user: till", "?options=-c%20work_mem=64kB", "PgBouncer refuses a start-up parameter"),
        ("no such user: till", "", "The database refuses the user or the password of DATABASE_URL."),
        ('password authentication failed for user "till"', "", "The database refuses the user or the password"),
        ('database "till" does not exist', "", "The server of DATABASE_URL has no database of that name."),
        ("no more connections allowed (max_client_conn)", "", "The database has no connection left."),
        ("the database system is starting up", "", "The database does not answer."),
    ],
    indirect=["pgbouncer"],
)
def test_the_reason_of_a_database_refusal_is_said(
    pgbouncer: PgBouncer, query: str, problem: str, tmp_path: Path
) -> None:
    port = pgbouncer.server_address[1]
    services = services_on(f"postgresql://till:hush@127.0.0.1:{port}/till{query}", tmp_path)

    (said,) = health.problems(services)

    assert said.startswith(problem)
    assert "hush" not in said
    assert any(b"options" in introduction for introduction in pgbouncer.introductions) is bool(query)
