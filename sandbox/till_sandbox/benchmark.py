"""How fast the sandbox answers beside an endpoint that does nothing, served the same way: `till-sandbox benchmark`.

Both run at once, as processes of their own on free ports, and are asked in turns by the same client, so that whatever
slows the machine down slows both down.
"""

import json
import multiprocessing
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from gunicorn.app.base import BaseApplication

from till_sandbox.server import SHAPE, Server

#: Connections kept open to each server, each with one request after the other.
AT_ONCE = 4
KEY = "sk_test_benchmark"
PAYMENT = {"amount": 4900, "currency": "usd", "description": "Tea"}

Request = tuple[str, str, dict[str, Any]]


class Idle(BaseApplication):
    """An endpoint that does nothing but answer, served as the sandbox is."""

    def __init__(self, port: int) -> None:
        self._port = port
        super().__init__()

    def load_config(self) -> None:
        for name, value in {**SHAPE, "bind": f"127.0.0.1:{self._port}"}.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override]  # a Flask is a WSGI application
        app = Flask(__name__, static_folder=None)
        app.add_url_rule("/", view_func=lambda: {"object": "nothing"}, endpoint="nothing")
        return app


@dataclass
class Row:
    """A line of the table: what was asked, and how many of it were answered per second, round by round."""

    name: str
    rates: list[float]

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)


def run(requests: int, rounds: int) -> Iterator[str]:
    """The lines of the table. Each round asks `requests` times for each thing; the median round counts."""
    with tempfile.TemporaryDirectory(prefix="sandbox-benchmark-") as folder, _served(Path(folder)) as (idle, sandbox):
        rows = {name: Row(name, []) for name in ("nothing", "create", "confirm", "retrieve")}
        _round(idle, sandbox, max(requests // 10, AT_ONCE))  # the first ones load what the others find loaded
        for _ in range(rounds):
            for name, rate in _round(idle, sandbox, requests).items():
                rows[name].rates.append(rate)
    yield f"{requests} requests of each, {AT_ONCE} at once, {rounds} rounds: the median round"
    yield f"{'':24}{'per second':>12}{'of nothing':>12}{'ratio':>10}"
    nothing = rows["nothing"].rate
    yield f"{'a view doing nothing':24}{nothing:12,.0f}"
    for name in ("create", "confirm", "retrieve"):
        rate = rows[name].rate
        yield f"{name:24}{rate:12,.0f}{rate / nothing:12.0%}{f'1 : {nothing / rate:.1f}':>10}"


def _round(idle: int, sandbox: int, requests: int) -> dict[str, float]:
    made: list[str] = []

    def keep(body: dict[str, Any]) -> None:
        made.append(body["id"])

    create = ("POST", "/v1/payment_intents", PAYMENT)
    rates = {
        "nothing": _measure(idle, [("GET", "/", {})] * requests),
        "create": _measure(sandbox, [create] * requests, keep),
    }
    confirming = {"payment_method": "pm_card_visa"}
    rates["confirm"] = _measure(sandbox, [("POST", f"/v1/payment_intents/{pi}/confirm", confirming) for pi in made])
    rates["retrieve"] = _measure(sandbox, [("GET", f"/v1/payment_intents/{pi}", {}) for pi in made])
    return rates


def _measure(port: int, asked: list[Request], keep: Callable[[dict[str, Any]], None] = lambda _body: None) -> float:
    """Answers per second."""

    def ask(share: list[Request]) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        for method, path, form in share:
            headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"}
            connection.request(method, path, urlencode(form) if form else None, headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{method} {path} was answered {answer.status}")
            keep(json.loads(body))
        connection.close()

    started = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(ask, [asked[start::AT_ONCE] for start in range(AT_ONCE)]))
    return len(asked) / (time.perf_counter() - started)


@contextmanager
def _served(folder: Path) -> Iterator[tuple[int, int]]:
    """The ports of both servers, which end with the block."""
    ports = _free_port(), _free_port()
    spawning = multiprocessing.get_context("spawn")
    servers = [
        spawning.Process(target=_serve_nothing, args=(ports[0],)),
        spawning.Process(target=_serve_sandbox, args=(ports[1], folder / "sandbox.sqlite3")),
    ]
    for server in servers:
        server.start()
    try:
        for port in ports:
            _wait_for(port)
        yield ports
    finally:
        for server in servers:
            server.terminate()
            server.join()


def _serve_nothing(port: int) -> None:
    Idle(port).run()


def _serve_sandbox(port: int, database: Path) -> None:
    Server("127.0.0.1", port, database, None).run()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
