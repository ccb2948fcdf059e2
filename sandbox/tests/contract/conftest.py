"""A sandbox in this process, the official SDK on it, and time that passes when a test says so.

The tests of a file share one application, which forgets everything before each: to make one costs as much as a few
dozen requests.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import stripe
from flask import Flask
from flask.testing import FlaskClient

from till_sandbox.app import create_app
from till_sandbox.sandbox import Sandbox
from till_sandbox.testing import START, Endpoint, ManualClock, connect


@dataclass
class Shared:
    """What the tests of a file have together."""

    clock: ManualClock
    endpoint: Endpoint
    application: Flask


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    clock, endpoint = ManualClock(), Endpoint()
    database = tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3"
    application = create_app(database, clock=clock, send=endpoint)
    yield Shared(clock, endpoint, application)
    application.extensions["sandbox"].stop()


@pytest.fixture
def clock(shared: Shared) -> ManualClock:
    shared.clock.seconds = START
    return shared.clock


@pytest.fixture
def endpoint(shared: Shared) -> Endpoint:
    shared.endpoint.received.clear()
    shared.endpoint.answers.clear()
    return shared.endpoint


@pytest.fixture
def application(shared: Shared, clock: ManualClock, endpoint: Endpoint) -> Flask:
    """As if it had just been made."""
    shared.application.extensions["sandbox"].reset(forwarding=True)
    return shared.application


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
