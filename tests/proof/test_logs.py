"""The logs of a whole run of the shop, at the finest level, hold no secret and no personal data."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NoReturn, cast

import pytest
from sqlalchemy import select

from models import Order
from store import logs
from store.domain.errors import StoreError
from store.domain.states import OrderState
from store.gateway.port import PaymentGateway, PaymentSession
from store.services import payments, reconciliation
from store.services.history import Origin, Source
from store.services.operations import worker
from store.services.payments import refunds
from tests.support.crash_points import FaultPlan, Process
from tests.support.shop import (
    ADDRESS,
    CUSTOMER,
    FORM,
    SECRET_KEY,
    WEBHOOK_PATH,
    WEBHOOK_SECRET,
    Browser,
    Shop,
    open_shop,
)

CARDS = {
    "pays": "4242424242424242",
    "declined": "4000000000000002",
    "asks": "4000002760003184",
    "disputed": "4000000000000259",
    "refund fails": "4000000000005126",
}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What every logger of the standard library writes from now on, at DEBUG, and what the store writes."""
    log = io.StringIO()
    root, handler = logging.getLogger(), logging.StreamHandler(log)
    handler.setLevel(logging.DEBUG)
    before, hook = root.level, sys.excepthook
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield log
    root.removeHandler(handler)
    root.setLevel(before)
    logs.configure()
    sys.excepthook = hook


@pytest.fixture
def shop(log: io.StringIO, database_url: str, tmp_path: Path) -> Iterator[Shop]:
    opened = open_shop(database_url, tmp_path)
    logs.configure(log)
    yield opened
    opened.close()


@pytest.mark.on_both_databases
def test_no_secret_and_no_shopper_is_in_the_logs_of_a_whole_run(shop: Shop, log: io.StringIO) -> None:
    pages = [shop.open(shop.order()) for _ in CARDS]
    outcomes = {name: shop.confirm(page, number) for page, (name, number) in zip(pages, CARDS.items(), strict=True)}
    shop.challenge(outcomes["asks"], "fail")
    shop.deliver()
    shop.clock.forward(seconds=5)
    shop.deliver()
    refund_everything(shop)
    in_the_browser(shop)
    with_bad_input(shop)
    with_a_broken_connection(shop)
    shop.order()
    shop.clock.forward(hours=1)
    worker.run(shop.services, shop.clock())
    reconciliation.repair(shop.services, shop.clock() - timedelta(days=1), shop.clock())
    shop.deliver()

    text = log.getvalue()
    assert "webhook received" in text
    assert "stripe did not answer" in text
    assert {word for word in forbidden(pages) if word in text} == set()


QUOTED = f"{CUSTOMER.email} typed 4242 4242 4242 4242 for pi_1_secret_2, signed {WEBHOOK_SECRET}"


class FailingGateway:
    """A gateway whose every method fails."""

    def __getattr__(self, _name: str) -> Callable[..., NoReturn]:
        return quote


def quote(*_anything: object) -> NoReturn:
    """Fail with a message, a cause and local variables that hold what no log may hold."""
    secret = QUOTED
    raise RuntimeError(secret) from KeyError(secret)


@pytest.mark.on_both_databases
def test_an_unexpected_failure_is_logged_by_its_place_without_its_message(shop: Shop, log: io.StringIO) -> None:
    """In a page, in a webhook, in the worker."""
    browser, reference = shop.browser_with_order()
    payment = shop.open(shop.order())
    shop.confirm(payment)
    shop.services = shop.app.extensions["services"] = replace(
        shop.services, gateway=cast("PaymentGateway", FailingGateway())
    )

    page = browser.get(f"/orders/{reference}/pay")
    shop.deliver()
    shop.clock.forward(hours=1)
    worker.run(shop.services, shop.clock())

    text = log.getvalue()
    assert page.status_code == 500
    assert "We cannot see right now whether you were charged." in page.text
    assert text.count('"unexpected failure"') >= 2
    assert '"worker failed"' in text
    assert "RuntimeError at " in text
    assert f"{Path(__file__).name}:" in text
    assert "because of KeyError at " in text
    assert not {word for word in (QUOTED, "4242 4242", *forbidden([payment])) if word in text}


def test_a_command_that_fails_does_not_log_its_message(log: io.StringIO) -> None:
    logs.configure(log)

    try:
        quote()
    except RuntimeError as mistake:
        sys.excepthook(type(mistake), mistake, mistake.__traceback__)

    assert "RuntimeError at " in log.getvalue()
    assert CUSTOMER.email not in log.getvalue()


def forbidden(pages: list[PaymentSession]) -> list[str]:
    keys = [SECRET_KEY, WEBHOOK_SECRET, "a-secret-for-the-tests-only", "_secret_", *(p.client_secret for p in pages)]
    numbers = [*CARDS.values(), *(" ".join(n[i : i + 4] for i in range(0, 16, 4)) for n in CARDS.values())]
    person = [CUSTOMER.email, ADDRESS.full_name, ADDRESS.line1, "mistyped@example", "Nobody Atall"]
    return keys + numbers + person


def refund_everything(shop: Shop) -> None:
    with shop.services.database.reading() as session:
        paid = session.scalars(select(Order.reference).where(Order.state == OrderState.PAID)).all()
    for reference in paid:
        try:
            refunds.submit(shop.services, reference, None, f"{reference}-all", Origin(Source.STAFF, shop.clock()))
        except StoreError:
            continue  # the money of the disputed one is with the bank
    shop.clock.forward(minutes=5)
    shop.deliver()


def in_the_browser(shop: Shop) -> None:
    """Through the pages, to the end."""
    browser, reference = shop.browser_with_order()
    page = browser.get(f"/orders/{reference}/pay")
    assert page.status_code == 200
    for path in (
        "",
        "?confirming=1",
        "/status.json",
        "?payment_intent=pi_1&payment_intent_client_secret=pi_1_secret_2",
    ):
        browser.get(f"/orders/{reference}{path}")
    browser.get("/orders")
    browser.post(f"/orders/{reference}/cancel", {}, page=f"/orders/{reference}/pay")


def with_bad_input(shop: Shop) -> None:
    """What no form of the shop sends, and what nobody but Stripe should."""
    browser = Browser(shop.app)
    browser.post("/cart/lines", {"slug": "cedar-pencil", "quantity": "1"}, page="/products/cedar-pencil")
    wrong = {**FORM, "email": "mistyped@example", "full_name": "Nobody Atall", "postal_code": "x" * 400}
    answers = [
        browser.post("/checkout", wrong, page="/checkout"),
        browser.post("/checkout", {**FORM, "country": "ZZ"}, page="/checkout"),
        browser.post("/cart/lines", {"slug": "no-such-thing", "quantity": "-1"}, page="/products/cedar-pencil"),
        browser.get("/orders/NO-SUCH-ORDER?email=" + CUSTOMER.email),
        shop.post_webhook(b"{}", {"Stripe-Signature": f"t=1,v1={WEBHOOK_SECRET}"}),
        shop.post_webhook(b"\xff" * 100, {}),
        shop.app.test_client().put(WEBHOOK_PATH, data=CUSTOMER.email),
        shop.app.test_client().post("/checkout", json=FORM),
    ]
    assert all(answer.status_code < 500 for answer in answers)


def with_a_broken_connection(shop: Shop) -> None:
    """Stripe does not answer, then refuses what it is asked."""
    order = shop.order()
    process = Process(shop)
    with pytest.raises(StoreError), process.under(FaultPlan(breaks_before=1)):
        payments.create(shop.services, order.reference, shop.clock())
    with pytest.raises(StoreError), process.under(FaultPlan(breaks_after=1)):
        payments.create(shop.services, order.reference, shop.clock())
    with pytest.raises(StoreError):
        shop.services.gateway.retrieve_payment("pi_unknown")
