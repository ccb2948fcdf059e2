"""The sandbox as a process: killed in the middle of anything, it starts again with nothing half done."""

import json
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from harness.processes import KEY, SECRET, SandboxProcess, wait_for
from harness.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(SECRET) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox for the tests that only ask it something."""
    with SandboxProcess(tmp_path_factory.mktemp("running")) as sandbox:
        yield sandbox


def as_many_as(number: int, paid: list[str]) -> bool:
    return len(paid) >= number


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


def test_killed_in_the_middle_it_starts_again_with_nothing_half_done(tmp_path: Path, receiver: Receiver) -> None:
    paid: list[str] = []
    for enough in (3, 20, 50):
        with SandboxProcess(tmp_path, forward_to=receiver.url) as sandbox:
            threads = [threading.Thread(target=keep_paying, args=(sandbox.url, paid)) for _ in range(4)]
            for thread in threads:
                thread.start()
            wait_for(partial(as_many_as, enough, paid))
            sandbox.kill()
            for thread in threads:
                thread.join()

    with SandboxProcess(tmp_path, forward_to=receiver.url) as sandbox:
        client = stripe.StripeClient(KEY, base_addresses={"api": sandbox.url})
        intents = {i.id: i for i in client.v1.payment_intents.list({"limit": 100}).auto_paging_iter()}
        charges = {c.payment_intent: c for c in client.v1.charges.list({"limit": 100}).auto_paging_iter()}
        events = client.v1.events.list({"limit": 100, "type": "payment_intent.succeeded"}).auto_paging_iter()
        told = {event.data.object["id"] for event in events}
        assert set(paid) <= set(intents)
        assert {intent.status for intent in intents.values()} == {"succeeded"}
        assert set(charges) == set(intents)
        assert told == set(intents)
        wait_for(
            lambda: (
                {of(event) for event in receiver.events if event["type"] == "payment_intent.succeeded"} == set(intents)
            )
        )


def of(event: dict[str, Any]) -> str:
    """The id of what the event is about."""
    return str(event["data"]["object"]["id"])


def test_who_sends_too_much_gets_to_read_the_answer(running: SandboxProcess) -> None:
    answer = requests.post(
        f"{running.url}/v1/payment_intents",
        data=b"a" * 20_000_000,
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"},
        timeout=60,
    )

    assert answer.status_code == 413
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_an_idle_connection_is_kept_and_takes_nothing_from_others(tmp_path: Path) -> None:
    with ExitStack() as opened:
        sandbox = opened.enter_context(SandboxProcess(tmp_path))
        idle = [opened.enter_context(closing(HTTPConnection("127.0.0.1", sandbox.port, timeout=5))) for _ in range(40)]
        for connection in idle:
            get(connection, "/sandbox/health")
        ends = opened.enter_context(selectors.DefaultSelector())  # select() takes no file above the 1,024th
        for connection in idle:
            ends.register(connection.sock, selectors.EVENT_READ)
        assert ends.select(3) == []
        assert sandbox.answers()
        assert {get(connection, "/sandbox/health").status for connection in idle} == {200}

        sandbox.stop()


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
    running: SandboxProcess, target: str, headers: dict[str, str], status: int
) -> None:
    lines = {"Host": "x", "Authorization": f"Bearer {KEY}", **headers}
    said = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as line:
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
