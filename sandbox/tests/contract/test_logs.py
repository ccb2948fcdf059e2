"""Whatever happens to a sandbox, what it prints and logs holds nobody's secret."""

import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests

from harness.processes import SandboxProcess
from till_sandbox.logs import redacted

CARD, CHALLENGED = "4242424242424242", "4000002760003184"
ACCOUNT, WEBHOOK_SECRET = "abcdefghijklmnop", "whsec_abcdefghijklmnop"
SECRET, PUBLISHABLE = f"sk_test_{ACCOUNT}", f"pk_test_{ACCOUNT}"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[SandboxProcess]:
    """A sandbox that writes everything it says to its log."""
    with SandboxProcess(tmp_path, secret=WEBHOOK_SECRET) as sandbox:
        yield sandbox


def test_a_whole_run_tells_no_secret(running: SandboxProcess, tmp_path: Path) -> None:
    known = [ACCOUNT, CARD, CHALLENGED]

    known += pay_in_every_way(running.url)
    known += go_wrong_in_every_way(running.url)
    send_nonsense(running.port, known[-1])
    break_the_state(running.url, tmp_path / "sandbox.sqlite3", known[-1])
    running.stop()

    log = running.log.read_text(encoding="utf-8")
    assert "Error handling request" in log, "the run was to leave something in the log"
    assert [secret for secret in known if secret in log] == []
    assert re.findall(r"_secret_\w+|\b\d{12,19}\b", log) == []


def pay_in_every_way(url: str) -> list[str]:
    """Pay by number, pay with a challenge, look payments up; the client secrets that were used."""
    secrets = []
    for number in (CARD, CHALLENGED):
        intent = opened(url)
        typed = {
            "key": PUBLISHABLE,
            "client_secret": intent["client_secret"],
            "payment_method_data[type]": "card",
            "payment_method_data[card][number]": number,
            "payment_method_data[card][exp_month]": "12",
            "payment_method_data[card][exp_year]": "2040",
        }
        paid = requests.post(f"{url}/v1/payment_intents/{intent['id']}/confirm", data=typed, timeout=30).json()
        if paid["status"] == "requires_action":
            page = paid["next_action"]["use_stripe_sdk"]["stripe_js"]
            assert requests.get(page, timeout=30).ok
            assert requests.post(page, data={"outcome": "complete"}, timeout=30).ok
            secrets.append(page.partition("client_secret=")[2])
        retrieve(url, intent)
        secrets.append(intent["client_secret"])
    return secrets


def go_wrong_in_every_way(url: str) -> list[str]:
    """Every fault there is, each on a call that carries secrets; the secret of the intent that was asked for."""
    intent = opened(url)
    for kind in ("error", "rate_limit", "reset", "timeout"):
        for when in ("before", "after"):
            fault = {"target": "api", "kind": kind, "when": when, "seconds": 0.1}
            assert requests.post(f"{url}/sandbox/faults", json=fault, timeout=30).status_code == 201
            try:
                retrieve(url, intent)
            except requests.ConnectionError:
                assert kind in ("reset", "timeout")
    return [intent["client_secret"]]


def send_nonsense(port: int, secret: str) -> None:
    """Requests that are not HTTP, with secrets in every part of them."""
    said = f"client_secret={secret}&key={SECRET}&card[number]={CARD}"
    for text in (
        f"GET /v1/payment_intents?{said} HTTP/9.9\r\n\r\n",
        f"NONSENSE {said}\r\n\r\n",
        f"GET  /v1/payment_intents?{said}  HTTP/1.1\r\n\r\n",
        f"GET /v1/charges?{said} HTTP/1.1\r\nAuthor ization: Bearer {SECRET}\r\n\r\n",
        f"GET /v1/charges?{said} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\0\r\n\r\n",
        f"POST /v1/charges?{said} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{said}",
        f"POST /v1/charges?{said} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {SECRET}\r\n\r\n{said}",
        f"GET /v1/charges?{said * 200} HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(text.encode())
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass


def break_the_state(url: str, database: Path, secret: str) -> None:
    """Take a table away under the sandbox, so that it fails in ways nobody foresaw."""
    fault = {"target": "api", "kind": "error", "match": "GET /v1/nowhere"}
    assert requests.post(f"{url}/sandbox/faults", json=fault, timeout=30).ok, "it looks for faults where there are any"
    with closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        connection.execute("DROP TABLE faults")
    said = {"client_secret": secret, "key": SECRET, "card[number]": CARD}
    for path in ("/v1/payment_intents", "/sandbox/faults"):
        assert requests.get(url + path, params=said, timeout=30).status_code == 500


def opened(url: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {SECRET}"}
    form = {"amount": "4900", "currency": "usd"}
    intent: dict[str, Any] = requests.post(f"{url}/v1/payment_intents", form, headers=headers, timeout=30).json()
    return intent


def retrieve(url: str, intent: dict[str, Any]) -> None:
    asked = {"key": PUBLISHABLE, "client_secret": intent["client_secret"]}
    requests.get(f"{url}/v1/payment_intents/{intent['id']}", params=asked, timeout=30)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET /v1/x?client_secret=pi_1_secret_abc&limit=1", "GET /v1/x?client_secret=…&limit=1"),
        ("Bearer sk_test_51Habc", "Bearer …"),
        ("key%3Dwhatever", "key%3D…"),
        ("card[number]=4242 and 4242424242424242", "card[number]=… and …"),
        ("signed with whsec_abc at 1795241844.123456789012", "signed with … at 1795241844.123456789012"),
        ("charge ch_3UHnJtHIBYZYyePr01234567 failed", "charge ch_3UHnJtHIBYZYyePr01234567 failed"),
    ],
)
def test_only_secrets_are_kept(text: str, shown: str) -> None:
    assert redacted(text) == shown
