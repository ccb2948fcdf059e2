"""A payment gateway that stops asking for a while when nobody answers, so that pages stay fast while Stripe is down."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import ParamSpec, TypeVar

import pybreaker

from store.domain.errors import DeadlineExceeded, PaymentUnavailable
from store.domain.money import Money
from store.gateway.port import (
    CancelReason,
    DisputeSnapshot,
    PaymentGateway,
    PaymentRequest,
    PaymentSession,
    PaymentSnapshot,
    RefundSnapshot,
    SignedEvent,
    WebhookEndpoint,
    WebhookEvent,
)

P = ParamSpec("P")
T = TypeVar("T")

FAILURES = 3  # in a row, before the line is taken for dead
PAUSE = 10  # seconds until calls are let through again, of which the first to end decides


class GuardedGateway:
    """`gateway`, with PaymentUnavailable raised at once while it is known not to answer.

    Calls go through side by side. Only Stripe's silence counts: a refusal is an answer, and a page that had no time
    left to ask has heard no silence. Reading a webhook needs no network and is never held back; lists and
    what is found one by one are for upkeep and for commands, which wait as long as it takes.
    """

    def __init__(self, gateway: PaymentGateway) -> None:
        self._gateway = gateway
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=FAILURES,
            reset_timeout=PAUSE,
            exclude=[lambda failure: not _is_silence(failure)],
            throw_new_error_on_trip=False,
        )

    def create_payment(self, request: PaymentRequest) -> PaymentSession:
        return self._call(self._gateway.create_payment, request)

    def retrieve_payment(self, provider_payment_id: str) -> PaymentSession:
        return self._call(self._gateway.retrieve_payment, provider_payment_id)

    def payment_of_order(self, order_reference: str, since: datetime) -> PaymentSession | None:
        return self._call(self._gateway.payment_of_order, order_reference, since)

    def cancel_payment(self, provider_payment_id: str, reason: CancelReason) -> PaymentSnapshot:
        return self._call(self._gateway.cancel_payment, provider_payment_id, reason)

    def refund_payment(self, provider_payment_id: str, amount: Money, key: str, attempt: int = 1) -> RefundSnapshot:
        return self._call(self._gateway.refund_payment, provider_payment_id, amount, key, attempt)

    def payments_since(self, since: datetime) -> Iterator[PaymentSnapshot]:
        return self._gateway.payments_since(since)

    def refunds_since(self, since: datetime) -> Iterator[RefundSnapshot]:
        return self._gateway.refunds_since(since)

    def disputes_since(self, since: datetime) -> Iterator[DisputeSnapshot]:
        return self._gateway.disputes_since(since)

    def find_payment(self, provider_payment_id: str) -> PaymentSnapshot | None:
        return self._gateway.find_payment(provider_payment_id)

    def find_refund(self, provider_refund_id: str) -> RefundSnapshot | None:
        return self._gateway.find_refund(provider_refund_id)

    def find_dispute(self, provider_dispute_id: str) -> DisputeSnapshot | None:
        return self._gateway.find_dispute(provider_dispute_id)

    def list_undelivered_events(self, since: datetime, types: Collection[str]) -> Iterator[WebhookEvent]:
        return self._gateway.list_undelivered_events(since, types)

    def events_for(self, provider_payment_id: str, since: datetime) -> dict[str, str]:
        return self._gateway.events_for(provider_payment_id, since)

    def webhook_endpoints(self) -> list[WebhookEndpoint]:
        return self._gateway.webhook_endpoints()

    def clock(self) -> datetime:
        return self._gateway.clock()

    def parse_webhook(self, body: bytes, signature: str) -> WebhookEvent:
        return self._gateway.parse_webhook(body, signature)

    def sign_test_event(self, at: datetime, *, forged: bool) -> SignedEvent:
        return self._gateway.sign_test_event(at, forged=forged)

    def _call(self, ask: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            # Not `call`, which holds the breaker's lock until the answer is there, so that one waits for the other.
            with self._breaker.calling():
                return ask(*args, **kwargs)
        except pybreaker.CircuitBreakerError as held_back:
            raise PaymentUnavailable from held_back


def _is_silence(failure: BaseException) -> bool:
    return isinstance(failure, PaymentUnavailable) and not isinstance(failure, DeadlineExceeded)
