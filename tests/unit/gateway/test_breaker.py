"""While Stripe does not answer, the breaker refuses web requests for a while; the worker and commands go on."""

from collections.abc import Callable
from threading import Barrier

import pytest
import stripe

from store.gateway.deadline import RequestDeadline
from store.gateway.stripe.transport import FAILURES, HeldBack, StripeHTTPClient
from tests.support.concurrency import at_once

Answer = Callable[[], int]


class NoAnswer(stripe.APIConnectionError):
    def __init__(self) -> None:
        super().__init__("no answer", should_retry=False)  # type: ignore[no-untyped-call]  # the SDK has no types for it


class FakeStripe(stripe.HTTPClient):
    """Answers with the status that `answer` gives, which the SDK does not retry."""

    name = "fake"

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer

    def request(self, *_request: object, **_more: object) -> tuple[str, int, dict[str, str]]:
        return "{}", self.answer(), {"stripe-should-retry": "false"}


def no_answer() -> int:
    raise NoAnswer


class Transport:
    """The client of the store, what it calls, and the deadline of its web requests."""

    def __init__(self, answer: Answer, *, pause: float = 60.0) -> None:
        self.page, self.stripe = RequestDeadline(), FakeStripe(answer)
        self.client = StripeHTTPClient(self.stripe, self.page, pause=pause)

    def ask(self) -> int:
        return self.client.request_with_retries("get", "http://stripe.test/v1/payment_intents", {})[1]

    def ask_in_a_web_request(self) -> int:
        self.page.begin()
        try:
            return self.ask()
        finally:
            self.page.end()

    def time_out(self, times: int = FAILURES) -> None:
        for _ in range(times):
            with pytest.raises(NoAnswer):
                self.ask_in_a_web_request()


def test_web_requests_ask_side_by_side() -> None:
    together = Barrier(8)
    transport = Transport(lambda: 200 + 0 * together.wait(timeout=10))

    assert at_once(8, lambda _number: transport.ask_in_a_web_request()) == [200] * 8


def test_many_web_timeouts_at_once_open_the_breaker() -> None:
    transport = Transport(no_answer)

    failures = at_once(FAILURES, lambda _number: transport.ask_in_a_web_request())

    assert [type(failure) for failure in failures] == [NoAnswer] * FAILURES
    with pytest.raises(HeldBack):
        transport.ask_in_a_web_request()


def test_an_open_breaker_refuses_requests_at_once() -> None:
    transport = Transport(no_answer)
    transport.time_out()
    transport.stripe.answer = lambda: 200

    with pytest.raises(HeldBack):
        transport.ask_in_a_web_request()


def test_the_first_response_after_the_pause_closes_the_breaker() -> None:
    transport = Transport(no_answer, pause=0)
    transport.time_out()
    transport.stripe.answer = lambda: 200
    assert transport.ask_in_a_web_request() == 200

    transport.stripe.answer = no_answer
    transport.time_out(FAILURES)


def test_a_response_between_two_timeouts_resets_the_count() -> None:
    transport = Transport(no_answer)
    transport.time_out(FAILURES - 1)
    transport.stripe.answer = lambda: 200
    transport.ask_in_a_web_request()
    transport.stripe.answer = no_answer

    transport.time_out(FAILURES)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_error_counts_as_no_response(status: int) -> None:
    transport = Transport(lambda: status)

    statuses = [transport.ask_in_a_web_request() for _ in range(FAILURES)]

    assert statuses == [status] * FAILURES
    with pytest.raises(HeldBack):
        transport.ask_in_a_web_request()


@pytest.mark.parametrize("status", [400, 401, 402, 404, 409])
def test_a_refusal_is_a_response_and_opens_no_breaker(status: int) -> None:
    transport = Transport(lambda: status)

    assert [transport.ask_in_a_web_request() for _ in range(FAILURES + 1)] == [status] * (FAILURES + 1)


def test_the_breaker_never_refuses_the_worker_and_commands() -> None:
    transport = Transport(no_answer)
    transport.time_out()
    transport.stripe.answer = lambda: 200

    assert transport.ask() == 200


def test_timeouts_of_the_worker_do_not_open_the_breaker() -> None:
    transport = Transport(no_answer)
    for _ in range(FAILURES):
        with pytest.raises(NoAnswer):
            transport.ask()
    transport.stripe.answer = lambda: 200

    assert transport.ask_in_a_web_request() == 200
