"""A load generator that costs little: requests built beforehand, sent over a few kept connections by one thread."""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

ANSWERS_WITHIN = 40.0  # seconds; a request that gets no answer for so long is lost

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


@dataclass(slots=True)
class Load:
    """What came of a round: how many answers in how many seconds, each latency (in seconds), and what went wrong."""

    sent: int = 0
    seconds: float = 0.0
    processor: float = 0.0  # seconds of it that the load generator itself took
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    lost: int = 0  # no answer: refused, cut off or too late

    @property
    def answered(self) -> int:
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answered / self.seconds

    @property
    def failed(self) -> dict[int, int]:
        """The answers that are neither success nor redirect, by their status."""
        return {status: times for status, times in self.statuses.items() if not 200 <= status < 400}


def drive(port: int, requests: Iterable[bytes], *, connections: int, seconds: float) -> Load:
    """Send requests to a port of this machine, one after the other on each connection, until the time is over or there
    are no more; every request that was sent is waited for.
    """
    waiting = iter(requests)
    load = Load()
    with selectors.DefaultSelector() as selector:
        started, processor = time.perf_counter(), time.process_time()
        deadline = started + seconds
        open_now = 0
        for _ in range(connections):
            connection = _Connection(port, waiting, load)
            if connection.begin(selector):
                open_now += 1
        while open_now:
            ready = selector.select(ANSWERS_WITHIN)
            if not ready:
                load.lost += open_now
                break
            for key, _events in ready:
                connection = key.data
                if connection.read() and not (time.perf_counter() < deadline and connection.begin(selector)):
                    connection.close(selector)
                    open_now -= 1
        load.seconds, load.processor = time.perf_counter() - started, time.process_time() - processor
        for key in list(selector.get_map().values()):
            key.data.close(selector)
    return load


def begin_again(port: int, request: bytes, *, most: int, seconds: float) -> float | None:
    """How often per second the first `most` bytes of an answer are read, one answer after the other, each on a
    connection of its own, which is closed then; None where one was no success or ended before.
    """
    times, started = 0, time.perf_counter()
    while time.perf_counter() < started + seconds:
        with socket.create_connection(("127.0.0.1", port), timeout=ANSWERS_WITHIN) as connection:
            connection.sendall(request)
            answer = bytearray()
            while len(answer) < most and (part := connection.recv(262_144)):
                answer += part
        status = _STATUS.match(answer)
        if len(answer) < most or status is None or not 200 <= int(status[1]) < 300:
            return None
        times += 1
    return times / (time.perf_counter() - started)


class _Connection:
    """One connection, kept while the server keeps it, with one request at a time."""

    def __init__(self, port: int, waiting: Iterator[bytes], load: Load) -> None:
        self._port, self._waiting, self._load = port, waiting, load
        self._socket: socket.socket | None = None
        self._watched_by: selectors.BaseSelector | None = None
        self._request, self._answer = b"", bytearray()
        self._sent_at = 0.0
        self._kept = False  # whether the server may have closed it before this request arrived

    def begin(self, selector: selectors.BaseSelector) -> bool:
        """Send the next request; False when there is none."""
        self._request = next(self._waiting, b"")
        if not self._request:
            return False
        self._watched_by = selector
        self._load.sent += 1
        self._sent_at = time.perf_counter()
        self._send()
        return True

    def read(self) -> bool:
        """Take what has arrived; True once this request is done with, answered or lost."""
        if self._socket is None:
            return True
        try:
            part = self._socket.recv(262_144)
        except ConnectionError:
            part = b""
        if part:
            self._answer += part
            if not _is_whole(self._answer):
                return False
            self._note_answer()
            return True
        self._drop()
        if self._kept and not self._answer:  # closed while idle: nobody has read the request
            self._kept = False
            self._send()
            return False
        self._load.lost += 1
        return True

    def close(self, selector: selectors.BaseSelector) -> None:
        self._watched_by = selector
        self._drop()

    def _note_answer(self) -> None:
        self._load.latencies.append(time.perf_counter() - self._sent_at)
        status = _STATUS.match(self._answer)
        self._load.statuses[int(status[1]) if status else 0] += 1
        self._kept = True
        if _CLOSES.search(self._answer, 0, self._answer.find(b"\r\n\r\n") + 2):
            self._drop()

    def _send(self) -> None:
        self._answer.clear()
        if self._socket is None:
            self._kept = False
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=ANSWERS_WITHIN)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._watched_by is not None:
                self._watched_by.register(self._socket, selectors.EVENT_READ, self)
        try:
            self._socket.sendall(self._request)
        except ConnectionError:
            if not self._kept:
                raise
            self._drop()
            self._send()

    def _drop(self) -> None:
        if self._socket is not None and self._watched_by is not None:
            self._watched_by.unregister(self._socket)
            self._socket.close()
        self._socket = None


def _is_whole(answer: bytearray) -> bool:
    """Whether the whole answer to a request that is not HEAD has arrived."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(answer[: end + 2])
    length = _LENGTH.search(head)
    if length:
        return len(answer) >= end + 4 + int(length[1])
    if _CHUNKED.search(head):
        return answer.endswith(b"0\r\n\r\n")
    return True


def request(method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """A request as it goes over the wire, for `drive`."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
