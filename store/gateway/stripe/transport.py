"""The line to Stripe: how long a call may take, what its failures are called, and whether a webhook is Stripe's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import stripe
import structlog
from stripe import HTTPClient

from store.domain.errors import (
    DeadlineExceeded,
    PaymentMisconfigured,
    PaymentServiceFailed,
    PaymentUnavailable,
    SignatureInvalid,
)
from store.gateway.deadline import RequestDeadline

log = structlog.get_logger(__name__)

T = TypeVar("T")

# Seconds for each try, and how often it is tried again after no answer, 5xx, or a conflict with the same request from
# another tab.
CONNECT_TIMEOUT, READ_TIMEOUT = 1.0, 3.0
TRY = CONNECT_TIMEOUT + READ_TIMEOUT
RETRIES = 2
SIGNATURE_TOLERANCE = 300  # seconds; a signature older than this is refused as a replay


class NotSent(stripe.APIConnectionError):
    """The page could not wait for a try, so there was none."""

    def __init__(self) -> None:
        super().__init__("the page's time is over", should_retry=False)  # type: ignore[no-untyped-call]  # the SDK types it not


class DeadlineHTTPClient(stripe.HTTPClient):
    """Asks through `client`, and gives up where the page that asks could not wait for another try."""

    name = "punctual"

    def __init__(self, client: HTTPClient, request_deadline: RequestDeadline) -> None:
        super().__init__()
        self._client, self._request_deadline = client, request_deadline

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        if not self._request_deadline.allows(TRY):
            raise NotSent
        try:
            body, status, answered = self._client.request(method, url, headers, post_data)
        except stripe.APIConnectionError as silence:
            # Said now: a try after this one would end as NotAsked and hide that Stripe was silent.
            silence.should_retry = silence.should_retry and self._request_deadline.allows(TRY)
            raise
        if status < 400:  # the others are named below, with what was asked for
            path, request = urlsplit(url).path, answered.get("Request-Id")
            log.info("stripe answered", method=method, path=path, status=status, stripe_request=request)
        return body, status, answered

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]  # the SDK types it not


def retrieve_or_none(retrieve: Callable[..., T], *args: Any) -> T | None:
    """What Stripe has under this id; None when there is no such thing."""
    try:
        return retrieve(*args)
    except stripe.InvalidRequestError as refusal:
        if refusal.code != "resource_missing":
            raise
        return None


def verify(body: bytes, signature: str, secrets: Sequence[str]) -> None:
    """Stripe's own bare check; `construct_event` would do the same and then build SDK objects that nobody needs."""
    try:
        text = body.decode()
    except UnicodeDecodeError as failure:
        raise SignatureInvalid from failure
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(text, signature, secret, SIGNATURE_TOLERANCE)
        except stripe.SignatureVerificationError:
            continue
        return
    raise SignatureInvalid


@contextmanager
def translate_errors(call: str, about: str) -> Iterator[None]:
    """Name what went wrong, once: no answer we can build on, or a refusal that only a person can mend.

    Logged without Stripe's message and body, which can carry a key's ending, a client secret or personal data.
    """
    try:
        yield
    except stripe.StripeError as failure:
        # A failure of Stripe's own is kept under the idempotency key, as is every first answer.
        kept = failure.http_status == 500 or isinstance(failure, stripe.IdempotencyError)
        unknown = kept or isinstance(failure, (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError))
        log.warning(
            "stripe did not answer" if unknown else "stripe refused",
            call=call,
            about=about,
            status=failure.http_status,
            code=failure.error.code if failure.error else None,
            param=getattr(failure, "param", None),
            stripe_request=failure.request_id,
        )
        if isinstance(failure, NotSent):
            raise DeadlineExceeded from failure
        if kept:
            raise PaymentServiceFailed from failure
        raise (PaymentUnavailable if unknown else PaymentMisconfigured) from failure
