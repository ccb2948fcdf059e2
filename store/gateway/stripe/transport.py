"""The way to Stripe: one HTTP client with a deadline, a circuit breaker and a log, and what its errors are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import stripe
import structlog
from stripe import HTTPClient

from store.domain.errors import (
    DeadlineExceeded,
    DetailsRefused,
    PaymentMisconfigured,
    PaymentMissing,
    PaymentServiceFailed,
    PaymentUnavailable,
)
from store.gateway.deadline import RequestDeadline
from store.gateway.stripe.mapping import detail_of

if TYPE_CHECKING:
    from pybreaker import CircuitBreaker

log = structlog.get_logger(__name__)

T = TypeVar("T")
Response = tuple[str, int, Mapping[str, str]]

# Seconds for each try, and how many more tries follow no answer, a 5xx, or a conflict with the same request from
# another tab.
CONNECT_TIMEOUT, READ_TIMEOUT = 1.0, 3.0
TRY = CONNECT_TIMEOUT + READ_TIMEOUT
RETRIES = 2
ABOUT_ONE_PAYMENT = (
    "retrieve_payment",
    "cancel_payment",
    "capture_payment",
    "refund_payment",
    "retrieve_hosted_page",
    "expire_hosted_page",
)
FAILURES = 3  # calls in a row without an answer, after which web requests stop calling
PAUSE = 10.0  # seconds until web requests may call again


class UploadedFile(BytesIO):
    """A file as the SDK sends one."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name


class NotSent(stripe.APIConnectionError):
    """No request was sent, so that nothing is known about Stripe."""

    def __init__(self, why: str) -> None:
        super().__init__(why, should_retry=False)  # type: ignore[no-untyped-call]  # the SDK has no types for it


class NoTimeLeft(NotSent):
    """The web request could not wait for another try."""

    def __init__(self) -> None:
        super().__init__("the web request has no time left")


class HeldBack(NotSent):
    """The breaker is open."""

    def __init__(self) -> None:
        super().__init__("Stripe did not answer a moment ago")


class StripeHTTPClient(stripe.HTTPClient):
    """The HTTP client of the SDK; every request goes through `client`.

    A web request is not kept waiting: no try begins that could outlast `request_deadline`, and after `FAILURES` calls
    in a row without an answer its calls are refused for `pause` seconds. Then the first call that ends decides. A
    refusal by Stripe is an answer; a broken connection, a 5xx and a 429 are none. Calls go side by side.

    Without a web request (the worker, commands) every call is made, with all its tries.
    """

    name = "store"

    def __init__(self, client: HTTPClient, request_deadline: RequestDeadline, *, pause: float = PAUSE) -> None:
        super().__init__()
        self._client, self._request_deadline, self._pause = client, request_deadline, pause

    def request_with_retries(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: Any = None,
        max_network_retries: int | None = None,
        *,
        _usage: list[str] | None = None,
    ) -> Response:
        """One call of the SDK, with all its tries."""
        call = partial(
            super().request_with_retries, method, url, headers, post_data, max_network_retries, _usage=_usage
        )
        if not self._request_deadline.running:
            return call()
        from pybreaker import CircuitBreakerError  # as below

        try:
            # Not the breaker's `call`, which holds a lock until the answer is there: one call would wait for another.
            with self._breaker.calling():
                return _answered(call())
        except OutOfOrder as failure:
            return failure.response
        except CircuitBreakerError as held_back:
            raise HeldBack from held_back

    @cached_property
    def _breaker(self) -> CircuitBreaker:
        # It imports a client of Redis with it, a tenth of the store's start, which nothing needs before the first call.
        from pybreaker import CircuitBreaker

        return CircuitBreaker(
            fail_max=FAILURES, reset_timeout=self._pause, exclude=[NotSent], throw_new_error_on_trip=False
        )

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> Response:
        """One try."""
        if not self._request_deadline.allows(TRY):
            raise NoTimeLeft
        try:
            response = self._client.request(method, url, headers, post_data)
        except stripe.APIConnectionError as failure:
            # Decided now: a try after this one would end as NoTimeLeft and hide that Stripe did not answer.
            failure.should_retry = failure.should_retry and self._request_deadline.allows(TRY)
            raise
        _, status, answered = response
        if status < 400:  # `translate_errors` logs the others, with what they were about
            path, request = urlsplit(url).path, answered.get("Request-Id")
            log.info("stripe answered", method=method, path=path, status=status, stripe_request=request)
        return response

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]  # the SDK has no types for it


class OutOfOrder(Exception):
    """Stripe answered that it is out of order, which the breaker has to count."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def _answered(response: Response) -> Response:
    if response[1] == 429 or response[1] >= 500:
        raise OutOfOrder(response)
    return response


def date_of(answer: stripe.StripeObject) -> datetime:
    """When Stripe answered, by its own time."""
    headers = answer.last_response.headers if answer.last_response else {}
    return parsedate_to_datetime(headers["Date"]) if "Date" in headers else datetime.now(UTC)


def retrieve_or_none(retrieve: Callable[..., T], *args: Any) -> T | None:
    """What Stripe has under this id; None when there is no such object."""
    try:
        return retrieve(*args)
    except stripe.InvalidRequestError as refusal:
        if refusal.code != "resource_missing":
            raise
        return None


def permits(call: Callable[[], object]) -> bool:
    """Whether the key may make this call; that it fails for another reason is no matter."""
    try:
        call()
    except stripe.PermissionError:
        return False
    except stripe.InvalidRequestError:
        return True
    return True


@contextmanager
def translate_errors(call: str, object: str) -> Iterator[None]:  # noqa: A002  # the log's name for it
    """Raise the SDK's errors as the store's: PaymentUnavailable for no answer to build on (the outcome is unknown),
    PaymentServiceFailed for a failure that Stripe repeats under the same idempotency key, PaymentMisconfigured for a
    refusal that only a person can put right, PaymentMissing for a payment that is not there, DeadlineExceeded when the
    web request had no time left.

    Each is logged once, without Stripe's message and body, which can hold the end of a key, a client secret or personal
    data.
    """
    try:
        yield
    except stripe.StripeError as failure:
        # Stripe keeps its first answer under the idempotency key, a failure of its own too.
        kept = failure.http_status == 500 or isinstance(failure, stripe.IdempotencyError)
        unknown = kept or isinstance(failure, (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError))
        log.warning(
            _outcome(failure, unknown=unknown),
            call=call,
            object=object,
            status=failure.http_status,
            code=failure.error.code if failure.error else None,
            param=getattr(failure, "param", None),
            stripe_request=failure.request_id,
        )
        if isinstance(failure, NoTimeLeft):
            raise DeadlineExceeded from failure
        if kept:
            raise PaymentServiceFailed from failure
        detail = detail_of(getattr(failure, "param", None) or "")
        if isinstance(failure, stripe.InvalidRequestError):
            if detail is not None:
                raise DetailsRefused(detail) from failure
            if failure.code == "resource_missing" and call in ABOUT_ONE_PAYMENT:
                raise PaymentMissing from failure
        raise (PaymentUnavailable if unknown else PaymentMisconfigured) from failure


def _outcome(failure: stripe.StripeError, *, unknown: bool) -> str:
    if isinstance(failure, NotSent):
        return "stripe was not asked"
    return "stripe did not answer" if unknown else "stripe refused"
