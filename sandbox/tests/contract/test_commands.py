"""`python -m till_sandbox trigger`, `events`, `resend` and `reset`, on a sandbox that is running."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import stripe
from flask import Flask
from werkzeug import Response

from harness.listening import listening
from till_sandbox.__main__ import main
from till_sandbox.api.keys import account_of
from till_sandbox.commands import Refused, Remote, triggers
from till_sandbox.model import webhook_endpoints
from till_sandbox.sandbox import Sandbox
from till_sandbox.state import State
from till_sandbox.testing import Endpoint, connect

KEY = "sk_test_contract"
Later = Callable[[float], None]


@pytest.fixture
def url(application: Flask) -> Iterator[str]:
    """Where the sandbox of this test listens."""
    with listening(application) as address:
        yield address


@pytest.mark.parametrize("event", triggers())
def test_every_trigger_makes_its_event_happen(event: str, url: str, application: Flask, later: Later) -> None:
    Remote(url, KEY).trigger(event)
    later(6)

    assert event in [it.type for it in connect(application).v1.events.list({"limit": 100}).data]


def test_an_account_can_collect_wherever_there_is_a_rate(url: str, client: stripe.StripeClient) -> None:
    def taxes(country: str, postal_code: str) -> int:
        details: Any = {"address": {"country": country, "postal_code": postal_code}}
        asked: Any = {"currency": "usd", "line_items": [{"amount": 10000}], "customer_details": details}
        return client.v1.tax.calculations.create(asked).tax_amount_exclusive

    made = Remote(url, KEY).register(["all"])

    places = [("FR", ""), ("GB", ""), ("US", "98101"), ("CA", "H2Y 1C6"), ("CA", "M5V 2T6"), ("CA", "T2P 1J9")]
    assert len(set(made)) == len(made) > 20
    assert [taxes(*place) for place in places] == [2000, 2000, 650, 1498, 1300, 500]


def test_a_trigger_names_what_came_of_it(url: str) -> None:
    paid, dispute, closed = Remote(url, KEY).trigger("charge.dispute.closed")

    assert (paid[:3], dispute[:3], closed) == ("pi_", "du_", dispute)
    assert len(Remote(url, KEY).trigger("charge.expired")) == 1


def test_a_trigger_is_about_ones_own_order(url: str, client: stripe.StripeClient, later: Later) -> None:
    mine, newer = (
        client.v1.payment_intents.create({"amount": 500, "currency": "usd", "metadata": {"order_reference": reference}})
        for reference in ("T-1", "T-2")
    )

    paid = Remote(url, KEY).trigger("payment_intent.succeeded", order="T-1")
    refunded = Remote(url, KEY).trigger("charge.refunded", order="T-1")

    assert (paid, refunded[0]) == ([mine.id], mine.id)
    assert client.v1.payment_intents.retrieve(mine.id).status == "succeeded"
    assert client.v1.refunds.list({"payment_intent": mine.id}).data[0].id == refunded[1]
    assert client.v1.payment_intents.retrieve(newer.id).status == "requires_payment_method"


@pytest.mark.parametrize(
    ("event", "order", "words"),
    [
        ("payment_intent.succeeded", "T-9", "no payment of this key's account has T-9 in its metadata"),
        ("payment_intent.succeeded", "T-1", "is succeeded, and payment_intent.succeeded needs one that is still to be"),
        ("refund.failed", "T-1", "needs one that is still to be paid"),
        ("customer.created", "T-1", "customer.created is not about a payment"),
    ],
)
def test_a_trigger_that_cannot_be_about_the_order_says_so(
    url: str, client: stripe.StripeClient, event: str, order: str, words: str
) -> None:
    paid: Any = {"amount": 500, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
    paid["metadata"] = {"order_reference": "T-1"}
    client.v1.payment_intents.create(paid)

    with pytest.raises(Refused, match=words):
        Remote(url, KEY).trigger(event, order=order)


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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "99999"], "'99999' is not a port"),
        (["--port", "0"], "'0' is not a port"),
        (["--forward-to", "foo"], "'foo' is not an address"),
        (["--forward-to", "http://shop:http/"], "'http://shop:http/' is not an address"),
        (["--url", "http://[::1", "events"], "'http://[::1' is not an address"),
        (["--key", "sk_test_łódź", "events"], "test keys only"),
        (["events", "--limit", "some"], "'some' is not a number"),
        (["resend", "../../x"], "'../../x' is not the id of an event"),
        (["benchmark", "--rounds", "0"], "'0' is not a number of at least 1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_argument_is_said(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_wrong_setting_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_PORT", "abc")

    with pytest.raises(SystemExit) as ended:
        main(["events"])

    assert ended.value.code == 2
    assert "SANDBOX_PORT" in capsys.readouterr().err


def test_a_database_that_cannot_be_one_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes").write_text("no database, but long enough to be looked at" * 20)

    for wrong in (tmp_path, tmp_path / "notes", tmp_path / "notes" / "x.sqlite3"):
        assert main(["--database", str(wrong)]) == 1
        said = capsys.readouterr()
        assert said.err.startswith(f"{wrong} cannot be the file everything is kept in: ")
        assert said.out == ""


def test_forwarding_to_one_address_too_many_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    database = str(tmp_path / "sandbox.sqlite3")
    with closing(State(database)) as state, state.write(account_of(KEY)) as tx:
        for number in range(webhook_endpoints.MOST):
            webhook_endpoints.forward(tx, f"http://shop.example/{number}", ["whsec_a"])

    assert main(["--database", database, "--key", KEY, "--forward-to", "http://shop.example/more"]) == 1
    assert "maximum" in capsys.readouterr().err


@pytest.mark.parametrize("answer", ["<p>Hello</p>", "[]", "{}", '{"id": "x", "data": []}'])
@pytest.mark.parametrize("status", [200, 404])
def test_another_server_is_no_sandbox(answer: str, status: int) -> None:
    with listening(Response(answer, status=status)) as url:
        for ask in (
            lambda: Remote(url, KEY).events(1),
            lambda: Remote(url, KEY).resend("evt_1"),
            lambda: Remote(url, KEY).trigger("charge.refunded"),
        ):
            with pytest.raises(Refused, match="is no sandbox"):
                ask()


def test_an_id_stays_within_its_place_in_the_address(url: str) -> None:
    with pytest.raises(Refused, match=r"\(POST: /v1/events/\.\./customers\?x#y/retry\)"):
        Remote(url, KEY).resend("../customers?x#y")


def test_who_reads_only_the_beginning_gets_no_complaint(url: str) -> None:
    Remote(url, KEY).trigger("customer.created")
    reads, writes = os.pipe()
    os.close(reads)

    with os.fdopen(writes, "wb") as nobody:
        command = [sys.executable, "-m", "till_sandbox", "--url", url, "--key", KEY, "events"]
        ended = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, timeout=60, check=False)

    assert (ended.returncode, ended.stderr) == (0, b"")
