"""Sends what is due. Deliveries are rows written with their events, so a restart sends what was still on its way."""

import logging
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from till_sandbox import json_text
from till_sandbox.faults import Fault, Faults
from till_sandbox.state import Resource, State
from till_sandbox.webhooks.sending import Outgoing, Send, WebhookResponse
from till_sandbox.webhooks.signing import signature_header

#: Seconds until the second try; each further wait is twice as long, up to the longest. After three days it gives up.
FIRST_WAIT, LONGEST_WAIT, GIVE_UP_AFTER = 1.0, 60.0, 3 * 24 * 3600
AT_ONCE = 4

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one endpoint."""

    id: int
    account: str
    event: str
    endpoint: str
    attempts: int
    created: float


class Deliverer:
    """Makes one attempt at each due delivery, in this thread or on a few of its own."""

    def __init__(self, state: State, send: Send, faults: Faults) -> None:
        self._state = state
        self._send = send
        self._faults = faults
        self._busy: set[int] = set()
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def deliver_due(self) -> int:
        """Attempt everything that is due, oldest first, and wait for it; how many attempts that was."""
        due = self._claim()
        for delivery in due:
            self._attempt(delivery)
        return len(due)

    def start_due(self) -> int:
        """Attempt everything that is due on other threads, several at a time; how many attempts were started."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhook")
        due = self._claim()
        for delivery in due:
            self._pool.submit(self._attempt_quietly, delivery)
        return len(due)

    def stop(self) -> None:
        """Wait for what is being attempted; start nothing more until `start_due` is called again."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
            self._busy.clear()

    def _claim(self) -> list[Delivery]:
        with self._lock, self._state.read("") as tx:
            rows = tx.execute(
                "SELECT id, account, event, endpoint, attempts, created FROM deliveries "
                "WHERE status = 'pending' AND due_at <= ? ORDER BY due_at, id LIMIT 200",
                self._state.now(),
            )
            due = [Delivery(**row) for row in rows if row["id"] not in self._busy]
            self._busy.update(delivery.id for delivery in due)
            return due

    def _attempt_quietly(self, delivery: Delivery) -> None:
        try:
            self._attempt(delivery)
        except sqlite3.Error:  # the delivery is still due, and tried again once the state can be used
            _log.exception("a delivery could not be recorded")

    def _attempt(self, delivery: Delivery) -> None:
        try:
            event, endpoint = self._load(delivery)
            if event is None or endpoint is None:
                self._record(delivery, WebhookResponse(None, "the endpoint is gone"), 0.0, last=True)
                return
            fault = self._faults.next("webhook", f"{event['type']} {event.id}")
            if fault is not None and fault.kind in ("delay", "reorder"):
                self._postpone(delivery, fault)
            elif fault is not None and fault.kind == "drop":
                self._record(delivery, WebhookResponse(None, "dropped on request"), 0.0, last=True)
            else:
                self._send_now(delivery, event, endpoint, fault)
        finally:
            with self._lock:
                self._busy.discard(delivery.id)

    def _load(self, delivery: Delivery) -> tuple[Resource | None, Resource | None]:
        with self._state.read(delivery.account) as tx:
            return tx.find("event", delivery.event), tx.find("webhook_endpoint", delivery.endpoint)

    def _send_now(self, delivery: Delivery, event: Resource, endpoint: Resource, fault: Fault | None) -> None:
        wrongly = fault is not None and fault.kind == "bad_signature"
        outgoing = self._compose(
            event, endpoint, ["whsec_wrong_on_request"] if wrongly else endpoint.private["secrets"]
        )
        started = time.monotonic()
        if fault is not None and fault.kind == "double":
            self._send(outgoing)
        answer = self._send(outgoing)
        self._record(delivery, answer, time.monotonic() - started)

    def _compose(self, event: Resource, endpoint: Resource, secrets: list[str]) -> Outgoing:
        version = endpoint["api_version"] or event["api_version"]
        body = json_text.pretty({**event, "api_version": version}).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature_header(body, secrets, int(self._state.now())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        return Outgoing(endpoint["url"], body, headers)

    def _postpone(self, delivery: Delivery, fault: Fault) -> None:
        """Send it later. To reorder, it is sent late enough for the next deliveries to overtake it."""
        with self._state.write(delivery.account) as tx:
            tx.execute("UPDATE deliveries SET due_at = ? WHERE id = ?", self._state.now() + fault.seconds, delivery.id)

    def _record(self, delivery: Delivery, answer: WebhookResponse, seconds: float, *, last: bool = False) -> None:
        now = self._state.now()
        wait = min(FIRST_WAIT * 2.0**delivery.attempts, LONGEST_WAIT)
        given_up = last or now + wait > delivery.created + GIVE_UP_AFTER
        status = "delivered" if answer.delivered else "failed" if given_up else "pending"
        with self._state.write(delivery.account) as tx:
            tx.execute(
                "UPDATE deliveries SET status = ?, attempts = attempts + 1, due_at = ? WHERE id = ?",
                status,
                now + wait,
                delivery.id,
            )
            tx.execute(
                "INSERT INTO attempts (delivery, at, seconds, status, answer) VALUES (?, ?, ?, ?, ?)",
                delivery.id,
                now,
                seconds,
                answer.status,
                answer.text,
            )
            tx.execute(
                "UPDATE objects SET body = json_set(body, '$.pending_webhooks', "
                "(SELECT count(*) FROM deliveries WHERE event = objects.id AND status != 'delivered')) WHERE id = ?",
                delivery.event,
            )
