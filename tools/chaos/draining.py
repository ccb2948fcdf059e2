"""After the faults: worker and reconciliation, until no work is pending.

Time is an argument to both, so that nothing has to wait for reservations, claims and challenges to expire.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import text

from app import create_app
from config import Settings
from store import logs
from store.cli.findings import problem_of
from store.domain.errors import StoreError
from store.services import reconciliation
from store.services.operations import audit, worker
from store.services.services import Services
from store.webhooks import inbox
from tools.chaos import evidence, packer
from tools.chaos.stack import Stack

AT_LEAST, FOR_EACH_ORDER = 180.0, 0.2  # seconds that draining may take
ONE_ROUND = timedelta(minutes=10)
ENDS_IN_ROUND, LONGER_THAN_AUTHORISED = 4, timedelta(days=7)
DELIVERED_WITHIN = 8.0  # seconds that a round waits for pending webhooks


@contextmanager
def opened_services(stack: Stack) -> Iterator[Services]:
    """The store's services in this process, on the same database and the same sandbox as the stack."""
    settings = Settings.load(_env_file=None, **{name.lower(): value for name, value in stack.settings.items()})
    app = create_app(settings, instance=stack.folder)
    services: Services = app.extensions["services"]
    with (stack.folder / "draining.log").open("a") as log:
        logs.configure(log)
        try:
            yield services
        finally:
            logs.configure()
            services.database.engine.dispose()


def drain(
    stack: Stack, services: Services, since: datetime, orders: int, *, charged_later: bool = False
) -> tuple[int, list[str]]:
    """Run worker and reconciliation until a round has nothing to do; return the rounds, and what is still pending.

    Where cards are charged later, the merchant ships once more, and then the authorisations end that are left.
    """
    for program in stack.background_workers:
        program.stop()
    deadline = time.monotonic() + max(AT_LEAST, FOR_EACH_ORDER * orders)
    now, rounds, repaired = datetime.now(UTC), 0, True
    while (repaired or any(pending_work(stack))) and time.monotonic() < deadline:
        rounds += 1
        now += ONE_ROUND if rounds != ENDS_IN_ROUND or not charged_later else LONGER_THAN_AUTHORISED
        if charged_later and rounds < ENDS_IN_ROUND:
            packer.ship_all(services)
        stack.control("POST", "/clock", {"advance": 60})
        _wait_for_webhooks(stack)
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(_run_worker, services, now) for _ in range(2)]:
                done.result()
        repaired = _reconcile(services, since, now)
    return rounds, list(pending_work(stack))


def findings(services: Services, since: datetime) -> list[str]:
    """What the store itself finds wrong: its audit, and its comparison with Stripe."""
    with services.database.reading() as session:
        found = audit.run(session, datetime.now(UTC))
    return [str(problem_of(finding)) for finding in (*found, *reconciliation.compare(services, since))]


def pending_work(stack: Stack) -> Iterator[str]:
    """What is pending, in the store or on the way to it."""
    queries = {
        "orders wait for their payment": "SELECT count(*) FROM orders WHERE state = 'awaiting_payment'",
        "payments are to be refunded": "SELECT count(*) FROM payments WHERE refund_due",
        "refunds were asked for and not answered": "SELECT count(*) FROM refunds WHERE state = 'requested'",
        "emails were not sent": "SELECT count(*) FROM mails WHERE sent_at IS NULL AND dropped_because IS NULL",
        "webhooks were not handled": evidence.UNHANDLED,
    }
    with stack.engine.connect() as connection:
        for description, query in queries.items():
            if count := connection.execute(text(query)).scalar_one():
                yield f"{count} {description}"
    if pending := evidence.pending_deliveries(stack.sandbox_file):
        yield f"{pending} webhooks are not delivered"


def _run_worker(services: Services, now: datetime) -> None:
    try:
        while worker.run(services, now):
            pass
    except StoreError as failure:
        structlog.get_logger(__name__).warning("worker failed", failure=type(failure).__name__)


def _reconcile(services: Services, since: datetime, now: datetime) -> bool:
    """Whether anything was repaired, or Stripe did not answer."""
    try:
        return bool(reconciliation.run(services, inbox.catch_up, since, now).repaired)
    except StoreError as failure:
        structlog.get_logger(__name__).warning("reconciliation failed", failure=type(failure).__name__)
        return True


def _wait_for_webhooks(stack: Stack) -> None:
    deadline = time.monotonic() + DELIVERED_WITHIN
    while evidence.pending_deliveries(stack.sandbox_file) and time.monotonic() < deadline:
        time.sleep(0.1)
