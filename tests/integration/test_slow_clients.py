"""A client that sends a request a byte at a time takes no thread and blocks no other client."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from honcho.environ import parse_procfile
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from models import StaffMember
from store.domain.staff import Role
from store.services import catalogue
from tests.support.databases import ROOT, SETTINGS, Databases
from tests.support.short_timeout_worker import ShortTimeoutWorker
from tests.support.staff import HASH, PASSWORD
from tools.programs import Program, free_port

WORKER, THREADS = "store.web.read_timeout_worker.ReadTimeoutWorker", "--threads 16"
FEW = 4
OWNER = "owner@shop.example"

FORM_TYPE = "application/x-www-form-urlencoded"
BODY = (
    b"POST /webhooks/stripe HTTP/1.1\r\nHost: store\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n"
)
FORM = (
    b"POST /cart/lines HTTP/1.1\r\nHost: store\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 9000\r\n\r\n"
)
CHUNKED = b"POST /checkout HTTP/1.1\r\nHost: store\r\nTransfer-Encoding: chunked\r\n\r\n"
HEADERS = b"GET / HTTP/1.1\r\nHost: store\r\nX-Slow: "


@pytest.fixture(scope="module")
def store(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The store as `make run` starts it, with one worker of few threads and a short read timeout; its address."""
    command = parse_procfile((ROOT / "Procfile").read_text()).processes["web"]
    assert WORKER in command
    assert THREADS in command
    hasty = command.replace(WORKER, f"{ShortTimeoutWorker.__module__}.{ShortTimeoutWorker.__name__}")
    hasty = hasty.replace(THREADS, f"--threads {FEW}").replace("--workers 2", "--workers 1")
    port, url = free_port(), databases.create("sqlite")
    engine = create_engine(url)
    with Session(engine) as session:
        catalogue.seed(session, "usd")
        session.add(StaffMember(email=OWNER, role=Role.OWNER, password=HASH, added_at=datetime.now(UTC)))
        session.commit()
    engine.dispose()
    settings = SETTINGS | {"DATABASE_URL": url, "STORE_PORT": str(port)}
    log = tmp_path_factory.mktemp("slow") / "store.log"
    program = Program(["sh", "-c", f"exec {hasty}"], settings, Path(log), port=port, ready="/readyz")
    program.start()
    yield program.url
    program.stop()
    databases.drop(url)


@pytest.fixture
def staff_session(store: str) -> Iterator[requests.Session]:
    """A browser in which the owner is signed in."""
    with requests.Session() as session:
        page = session.get(f"{store}/admin/sign-in", timeout=20)
        form = {"csrf_token": token_in(page.text), "email": OWNER, "password": PASSWORD}
        assert session.post(page.url, form, timeout=20).ok
        yield session


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    return found[1]


@contextmanager
def dribbling(store: str, start: bytes, times: int) -> Iterator[list[socket.socket]]:
    """So many clients that began a request and go on with a byte every tenth of a second."""
    address = ("127.0.0.1", int(store.rpartition(":")[2]))
    clients = [socket.create_connection(address, timeout=30) for _ in range(times)]
    over = threading.Event()

    def dribble() -> None:
        while not over.wait(0.1):
            for client in clients:
                try:
                    client.send(b"1")
                except OSError:
                    continue  # disconnected, as expected

    for client in clients:
        client.sendall(start)
    thread = threading.Thread(target=dribble)
    thread.start()
    try:
        yield clients
    finally:
        over.set()
        thread.join()
        for client in clients:
            client.close()


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(BODY, id="a webhook"),
        pytest.param(FORM, id="a form"),
        pytest.param(CHUNKED, id="chunks"),
        pytest.param(HEADERS, id="headers"),
    ],
)
def test_a_client_that_sends_single_bytes_is_disconnected(store: str, start: bytes) -> None:
    with dribbling(store, start, 1) as (client,):
        began = time.monotonic()
        answer = client.recv(65536)
        seconds = time.monotonic() - began

    assert seconds < 10, "only the test's own patience has ended it"
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer[:200]


def test_others_are_served_though_slow_clients_have_taken_every_thread(store: str) -> None:
    with dribbling(store, FORM, FEW):
        answers = [requests.get(store + path, timeout=20).status_code for path in ("/", "/healthz", "/cart")]

    assert answers == [200, 200, 200]


def test_a_slow_client_within_the_time_limit_is_served(store: str) -> None:
    address = ("127.0.0.1", int(store.rpartition(":")[2]))
    with socket.create_connection(address, timeout=20) as client:
        for part in (b"GET /healthz HTTP/1.1\r\n", b"Host: store\r\n", b"Connection: close\r\n\r\n"):
            client.sendall(part)
            threading.Event().wait(0.1)
        answer = client.recv(65536)

    assert answer.startswith(b"HTTP/1.1 200 OK")


def test_a_kept_alive_connection_serves_several_requests(store: str) -> None:
    with requests.Session() as session:
        statuses = [session.get(f"{store}/healthz", timeout=10).status_code for _ in range(5)]

    assert statuses == [200] * 5


@pytest.mark.parametrize("path", ["/webhooks/stripe", "/cart/lines", "/checkout"])
def test_a_chunked_body_that_grows_too_large_is_refused(store: str, path: str) -> None:
    """The length of a chunked body is known only at its end."""
    chunks = (b"x" * 65536 for _ in range(40))

    answer = requests.post(store + path, data=chunks, headers={"Content-Type": FORM_TYPE}, timeout=20)

    assert answer.status_code == 413


def test_a_member_of_the_staff_may_take_longer_to_send_a_file(store: str, staff_session: requests.Session) -> None:
    page = staff_session.get(f"{store}/admin/products/cedar-pencil", timeout=20)
    fields = {"csrf_token": token_in(page.text), "alt": "A flag"}
    file = {"file": ("flag.png", bytes(100_000), "image/png")}
    sent = requests.Request("POST", f"{page.url}/pictures", data=fields, files=file)
    prepared = staff_session.prepare_request(sent)
    body = prepared.body if isinstance(prepared.body, bytes) else b""

    def slowly() -> Iterator[bytes]:
        for start in range(0, len(body), len(body) // 25):
            threading.Event().wait(0.1)
            yield body[start : start + len(body) // 25]

    prepared.body = slowly()  # type: ignore[assignment]  # it takes an iterator, too
    answer = staff_session.send(prepared, timeout=20)

    assert (answer.status_code, "This is no JPEG, PNG, WebP or AVIF" in answer.text) == (400, True)
