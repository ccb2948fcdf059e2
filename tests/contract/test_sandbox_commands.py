"""`python -m sandbox trigger`, `events`, `resend` and `reset`, on a sandbox that is running."""

import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.serving import make_server

from sandbox.__main__ import main
from sandbox.commands import Refused, Remote, triggers
from sandbox.sandbox import Sandbox
from tests.support.local_stripe import Endpoint, sdk

KEY = "sk_test_contract"


@pytest.fixture
def url(application: Flask) -> Iterator[str]:
    """Where the sandbox of this test listens."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("event", triggers())
def test_every_trigger_makes_its_event_happen(
    event: str, url: str, application: Flask, later: Callable[[float], None]
) -> None:
    Remote(url, KEY).trigger(event)
    later(6)

    assert event in [it.type for it in sdk(application).v1.events.list({"limit": 100}).data]


def test_the_commands_speak_plainly(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    here = ["--url", url, "--key", KEY]

    assert main([*here, "trigger", "customer.created"]) == 0
    assert capsys.readouterr().out.startswith("cus_")
    assert main([*here, "events"]) == 0
    line = capsys.readouterr().out
    assert "customer.created" in line
    assert main([*here, "resend", line.split()[1]]) == 0
    assert main([*here, "reset"]) == 0
    assert main([*here, "resend", line.split()[1]]) == 1
    assert "No such event" in capsys.readouterr().err


def test_a_resent_event_is_sent_again(url: str, sandbox: Sandbox, endpoint: Endpoint) -> None:
    sandbox.forward(KEY, "http://shop.example/", ["whsec_a"])
    remote = Remote(url, KEY)
    remote.trigger("customer.created")
    sandbox.deliver_due()

    remote.resend(endpoint.events[0]["id"])
    sandbox.deliver_due()

    assert endpoint.types == ["customer.created", "customer.created"]


def test_forgetting_everything_keeps_the_forwarding(url: str, sandbox: Sandbox, endpoint: Endpoint) -> None:
    sandbox.forward(KEY, "http://shop.example/", ["whsec_a"])
    remote = Remote(url, KEY)

    remote.reset()
    remote.trigger("customer.created")
    sandbox.deliver_due()

    assert endpoint.types == ["customer.created"]


def test_nobody_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Refused, match="no sandbox answers"):
        Remote("http://127.0.0.1:9", KEY).reset()
    with pytest.raises(SystemExit):
        main(["--key", "sk_live_1", "events"])
    assert "test keys only" in capsys.readouterr().err
