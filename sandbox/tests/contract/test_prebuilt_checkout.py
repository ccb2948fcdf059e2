"""Shops that use Stripe's page, each with an official library, sell on the sandbox: only the address is another."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import stripe
from flask import Flask
from flask.testing import FlaskClient
from samples.prebuilt_checkout import create_app

from harness.checkout import pay
from harness.listening import listening
from harness.node import PROJECT, require_packages
from till_sandbox.testing import Endpoint

KEY, SECRET, DOMAIN = "sk_test_contract", "whsec_shop", "https://tea.example"
PROGRAM = Path(__file__).parent / "node" / "prebuilt_checkout.mjs"


@contextmanager
def in_python(environ: dict[str, str]) -> Iterator[str]:
    with listening(create_app(environ)) as url:
        yield url


@contextmanager
def in_node(environ: dict[str, str]) -> Iterator[str]:
    require_packages("stripe")
    node = shutil.which("node")
    assert node is not None, "This test needs Node.js 20 or newer: https://nodejs.org"
    command = [node, "--no-warnings", str(PROGRAM)]
    with subprocess.Popen(command, cwd=PROJECT, env=environ, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            yield program.stdout.readline().strip()
        finally:
            program.kill()


@pytest.mark.parametrize("shop", [in_python, in_node])
def test_a_shop_sells_on_stripes_page(
    shop: Callable[[dict[str, str]], Any],
    application: Flask,
    client: stripe.StripeClient,
    http: FlaskClient,
    endpoint: Endpoint,
    clock: Any,
) -> None:
    clock.seconds = time.time()  # the libraries look at how old a webhook is
    sandbox = application.extensions["sandbox"]
    sandbox.forward(KEY, f"{DOMAIN}/webhook", [SECRET])
    tea: Any = {"name": "Tea", "default_price_data": {"currency": "usd", "unit_amount": 900}}
    price = client.v1.products.create(tea).default_price
    environ = {"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET, "DOMAIN": DOMAIN, "PRICE": str(price)}

    with listening(application) as address:
        environ |= {"STRIPE_API_BASE": address, "SANDBOX_PORT": str(urlsplit(address).port)}
        with shop(environ) as url:
            assert 'action="/create-checkout-session"' in requests.get(url, timeout=10).text
            sent = requests.post(f"{url}/create-checkout-session", {"quantity": "2"}, timeout=10, allow_redirects=False)
            page = http.get(urlsplit(sent.headers["Location"]).path)
            (session,) = client.v1.checkout.sessions.list().data
            paid = pay(http, session.id)
            bought = requests.get(f"{url}/success", {"session_id": session.id}, timeout=10).json()
            sandbox.deliver_due()
            told = [
                requests.post(f"{url}/webhook", each.body, headers=each.headers, timeout=10)
                for each in endpoint.received
            ]
            forged = requests.post(f"{url}/webhook", b"{}", headers=endpoint.received[0].headers, timeout=10)

    assert sent.status_code == 303
    assert page.status_code == 200
    assert "Tea" in page.text
    assert paid["session"]["success_url"].startswith(f"{DOMAIN}/success")
    assert bought == {"status": "paid", "total": 1800, "bought": ["2 Tea"]}
    assert told[-1].json() == {"fulfilled": [session.id]}
    assert {each.status_code for each in told} == {200}
    assert forged.status_code == 400
