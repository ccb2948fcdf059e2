"""A sandbox in this process, the official SDK on it, and time that passes when a test says so."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stripe
from flask import Flask
from flask.testing import FlaskClient

from till_sandbox.app import create_app
from till_sandbox.sandbox import Sandbox
from till_sandbox.testing import Endpoint, ManualClock, connect


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def application(tmp_path: Path, clock: ManualClock, endpoint: Endpoint) -> Iterator[Flask]:
    application = create_app(tmp_path / "sandbox.sqlite3", clock=clock, send=endpoint)
    yield application
    application.extensions["sandbox"].stop()


@pytest.fixture
def sandbox(application: Flask) -> Sandbox:
    found: Sandbox = application.extensions["sandbox"]
    return found


@pytest.fixture
def client(application: Flask) -> stripe.StripeClient:
    """The official SDK with the secret key of the account the other fixtures use too."""
    return connect(application)


@pytest.fixture
def http(application: Flask) -> FlaskClient:
    """Plain HTTP with the same account's secret key."""
    http = application.test_client()
    http.environ_base["HTTP_AUTHORIZATION"] = "Bearer sk_test_contract"
    return http


@pytest.fixture
def browser(application: Flask) -> FlaskClient:
    """Plain HTTP with the account's publishable key, as Stripe.js has it."""
    browser = application.test_client()
    browser.environ_base["HTTP_AUTHORIZATION"] = "Bearer pk_test_contract"
    return browser


@pytest.fixture
def later(sandbox: Sandbox, clock: ManualClock) -> Callable[[float], None]:
    """Let so many seconds pass, second by second, with everything that falls due."""

    def pass_time(seconds: float) -> None:
        for _ in range(int(seconds)):
            clock.advance(1)
            sandbox.deliver_due()

    return pass_time


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait for something another thread does, with a deadline."""

    def wait(happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not happened():
            assert time.monotonic() < deadline, "it did not happen within 10 seconds"
            time.sleep(0.01)

    return wait
