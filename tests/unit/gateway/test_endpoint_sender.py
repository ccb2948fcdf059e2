"""What is sent to endpoints goes nowhere but to the internet, follows nothing, waits for nobody, and reads little."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from store.domain.errors import EndpointFault, EndpointUnreachable
from store.gateway.endpoint_sender import MOST_READ, EndpointSender, Resolve
from store.gateway.port import EndpointAnswer

HEADERS = {"webhook-id": "msg_1", "Content-Type": "application/json"}


@contextmanager
def server(answer: Callable[[socket.socket], object]) -> Iterator[tuple[int, list[bytes]]]:
    """A server on this machine that gives one connection to `answer`: its port, and what it was sent."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                heard.append(request_of(connection))
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1], heard
        thread.join(timeout=10)


def request_of(connection: socket.socket) -> bytes:
    """What comes until it is a whole request, or nothing more comes."""
    text = b""
    while part := connection.recv(65536):
        text += part
        head, _, body = text.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if not text.startswith(b"POST") or (length and len(body) == int(length[1])):
            break
    return text


def said(text: str) -> Callable[[socket.socket], object]:
    return lambda connection: connection.sendall(text.encode())


def test_an_endpoint_gets_the_headers_and_the_body_and_answers() -> None:
    with server(said("HTTP/1.1 202 Accepted\r\nContent-Length: 6\r\n\r\nthanks")) as (port, heard):
        answer = EndpointSender(live=False).post(f"http://127.0.0.1:{port}/till?x=1", HEADERS, b'{"a": 1}')

    head, _, body = heard[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert answer == EndpointAnswer(202, "thanks")
    assert lines[0] == "POST /till?x=1 HTTP/1.1"
    assert {f"Host: 127.0.0.1:{port}", "webhook-id: msg_1", "Content-Type: application/json"} <= set(lines)
    assert body == b'{"a": 1}'


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    elsewhere = "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"

    with server(said(elsewhere)) as (port, _heard):
        answer = EndpointSender(live=False).post(f"http://127.0.0.1:{port}", HEADERS, b"{}")

    assert answer == EndpointAnswer(307, "")


def test_only_the_beginning_of_an_answer_is_read() -> None:
    with server(said("HTTP/1.1 200 OK\r\n\r\n" + "x" * 1_000_000)) as (port, _heard):
        answer = EndpointSender(live=False).post(f"http://127.0.0.1:{port}", HEADERS, b"{}")

    assert answer == EndpointAnswer(200, "x" * MOST_READ)


def drip(connection: socket.socket) -> None:
    """Answer without an end, a byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(200):
        connection.sendall(b"x")
        time.sleep(0.02)


@pytest.mark.parametrize("answer", [drip, lambda connection: connection.recv(1)])
def test_an_endpoint_has_so_much_time_however_it_spends_it(answer: Callable[[socket.socket], object]) -> None:
    began = time.monotonic()

    with pytest.raises(EndpointUnreachable) as failure, server(answer) as (port, _heard):
        EndpointSender(live=False, seconds=0.2).post(f"http://127.0.0.1:{port}", HEADERS, b"{}")

    assert failure.value.fault is EndpointFault.TIME_OUT
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("answer", [said(""), said("SSH-2.0\r\n")])
def test_what_does_not_speak_http_has_not_answered(answer: Callable[[socket.socket], object]) -> None:
    with pytest.raises(EndpointUnreachable) as failure, server(answer) as (port, _heard):
        EndpointSender(live=False).post(f"http://127.0.0.1:{port}", HEADERS, b"{}")

    assert failure.value.fault is EndpointFault.NO_ANSWER


def test_a_connection_without_a_right_certificate_is_not_used() -> None:
    with pytest.raises(EndpointUnreachable) as failure, server(said("not TLS")) as (port, heard):
        EndpointSender(live=False).post(f"https://127.0.0.1:{port}/secret-path", HEADERS, b"secret")

    assert failure.value.fault is EndpointFault.NO_ANSWER
    assert b"secret" not in heard[0]


@pytest.mark.parametrize(
    "number",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),  # noqa: S104
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:a00:1"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "no number"),
    ],
)
def test_with_live_keys_nothing_is_sent_into_a_private_network(number: str) -> None:
    asked: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["93.184.216.34", number]

    with pytest.raises(EndpointUnreachable) as failure:
        EndpointSender(live=True, resolve=resolve).post("https://books.example/till", HEADERS, b"{}")

    assert failure.value.fault is EndpointFault.PRIVATE_ADDRESS
    assert asked == [("books.example", 443)]


def test_the_connection_goes_to_the_number_that_was_looked_at() -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])

    with server(said("HTTP/1.1 204 No Content\r\n\r\n")) as (port, heard):
        sender = EndpointSender(live=False, resolve=lambda _host, _port: next(answers))
        answer = sender.post(f"http://books.example:{port}/", HEADERS, b"{}")

    assert answer.status == 204
    assert f"Host: books.example:{port}".encode() in heard[0]


def test_a_host_that_is_not_there_is_said() -> None:
    def nowhere(_host: str, _port: int) -> list[str]:
        raise socket.gaierror

    resolvers: tuple[Resolve, ...] = (nowhere, lambda _host, _port: [])
    for resolve in resolvers:
        with pytest.raises(EndpointUnreachable) as failure:
            EndpointSender(live=True, resolve=resolve).post("https://nowhere.example", HEADERS, b"{}")
        assert failure.value.fault is EndpointFault.UNKNOWN_HOST
