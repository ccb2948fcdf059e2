"""The sandbox as a process: killed in the middle of anything, it starts again with nothing half done."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
import stripe

ROOT = Path(__file__).parents[3]
KEY, SECRET = "sk_test_process", "whsec_process"


class Receiver(BaseHTTPRequestHandler):
    """Takes webhooks, and checks each signature."""

    taken: ClassVar[list[dict[str, Any]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event = stripe.Webhook.construct_event(body, self.headers["Stripe-Signature"], SECRET)
        self.taken.append(event.to_dict())
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address that takes webhooks, and what it has taken."""

    class OfThisTest(Receiver):
        taken: ClassVar[list[dict[str, Any]]] = []

    server = ThreadingHTTPServer(("127.0.0.1", 0), OfThisTest)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/webhooks", OfThisTest.taken
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def running(database: Path, port: int, forward_to: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "till_sandbox", "--port", str(port), "--database", str(database), "--key", KEY]
    command += ["--forward-to", forward_to, "--webhook-secret", SECRET]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: answers(port))
            yield process
        finally:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """-9 for the sandbox and every process it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/sandbox/health", timeout=1).ok
    except requests.RequestException:
        return False


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline, "it did not happen within 30 seconds"
        time.sleep(0.05)


def as_many_as(number: int, paid: list[str]) -> bool:
    return len(paid) >= number


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def keep_paying(url: str, paid: list[str]) -> None:
    """Payments one after the other until the sandbox is gone; the ids of those that were answered."""
    while True:
        try:
            answer = requests.post(
                f"{url}/v1/payment_intents",
                data={"amount": 500, "currency": "usd", "confirm": "true", "payment_method": "pm_card_visa"},
                headers={"Authorization": f"Bearer {KEY}"},
                timeout=5,
            )
        except requests.RequestException:
            return
        paid.append(answer.json()["id"])


def test_killed_in_the_middle_it_starts_again_with_nothing_half_done(
    tmp_path: Path, receiver: tuple[str, list[dict[str, Any]]]
) -> None:
    address, taken = receiver
    database, port = tmp_path / "sandbox.sqlite3", free_port()
    url = f"http://127.0.0.1:{port}"
    paid: list[str] = []
    for enough in (3, 20, 50):
        with running(database, port, address) as process:
            threads = [threading.Thread(target=keep_paying, args=(url, paid)) for _ in range(4)]
            for thread in threads:
                thread.start()
            wait_for(partial(as_many_as, enough, paid))
            kill(process)
            for thread in threads:
                thread.join()

    with running(database, port, address):
        client = stripe.StripeClient(KEY, base_addresses={"api": url})
        intents = {i.id: i for i in client.v1.payment_intents.list({"limit": 100}).auto_paging_iter()}
        charges = {c.payment_intent: c for c in client.v1.charges.list({"limit": 100}).auto_paging_iter()}
        events = client.v1.events.list({"limit": 100, "type": "payment_intent.succeeded"}).auto_paging_iter()
        told = {event.data.object["id"] for event in events}
        assert set(paid) <= set(intents)
        assert {intent.status for intent in intents.values()} == {"succeeded"}
        assert set(charges) == set(intents)
        assert told == set(intents)
        wait_for(lambda: {of(event) for event in taken if event["type"] == "payment_intent.succeeded"} == set(intents))


def of(event: dict[str, Any]) -> str:
    """The id of what the event is about."""
    return str(event["data"]["object"]["id"])


def test_who_sends_too_much_gets_to_read_the_answer(tmp_path: Path) -> None:
    port = free_port()

    with running(tmp_path / "sandbox.sqlite3", port, f"http://127.0.0.1:{free_port()}/webhooks"):
        answer = requests.post(
            f"http://127.0.0.1:{port}/v1/payment_intents",
            data=b"a" * 20_000_000,
            headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"},
            timeout=60,
        )

    assert answer.status_code == 413
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_an_idle_connection_is_kept_and_takes_nothing_from_others(tmp_path: Path) -> None:
    port = free_port()

    with ExitStack() as opened:
        address = f"http://127.0.0.1:{free_port()}/webhooks"
        process = opened.enter_context(running(tmp_path / "sandbox.sqlite3", port, address))
        idle = [opened.enter_context(closing(HTTPConnection("127.0.0.1", port, timeout=5))) for _ in range(40)]
        for connection in idle:
            get(connection, "/sandbox/health")
        ended, _, _ = select.select([connection.sock for connection in idle], [], [], 3)
        assert ended == []
        assert answers(port)
        assert {get(connection, "/sandbox/health").status for connection in idle} == {200}

        process.terminate()
        process.wait(timeout=10)


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/v1/charges/search?query=" + "a" * 7000, {}, 400),
        ("/v1/charges?" + "a" * 9000, {}, 414),
        ("/v1/charges", {"X-Long": "a" * 9000}, 431),
        ("/v1/charges", {"X Y": "a"}, 400),
    ],
    ids=["a long query", "too long a query", "too long a header", "a header that is none"],
)
def test_what_cannot_be_read_is_answered_in_json(
    tmp_path: Path, target: str, headers: dict[str, str], status: int
) -> None:
    port = free_port()

    with running(tmp_path / "sandbox.sqlite3", port, f"http://127.0.0.1:{free_port()}/webhooks"):
        lines = {"Host": "x", "Authorization": f"Bearer {KEY}", **headers}
        said = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
            line.sendall(f"GET {target} HTTP/1.1\r\n{said}\r\n".encode())
            answer = HTTPResponse(line)
            answer.begin()
            error = json.load(answer)["error"]

    assert (answer.status, error["type"]) == (status, "invalid_request_error")


def get(connection: HTTPConnection, path: str) -> HTTPResponse:
    """The answer, read to its end, so that the connection can be used again."""
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer
