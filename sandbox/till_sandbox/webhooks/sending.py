"""One HTTP request to an endpoint."""

from collections.abc import Callable
from dataclasses import dataclass, field

import requests

#: Seconds to connect and to wait for an answer.
TIMEOUT = (5, 30)
KEPT_ANSWER = 2000


@dataclass(frozen=True)
class Outgoing:
    """What is sent to an endpoint."""

    url: str
    body: bytes
    headers: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class WebhookResponse:
    """What came back: a status and some text, or no status and why there was no answer."""

    status: int | None
    text: str

    @property
    def delivered(self) -> bool:
        """Only 2xx counts; Stripe takes a redirect for a failure."""
        return self.status is not None and 200 <= self.status < 300


Send = Callable[[Outgoing], WebhookResponse]


def send_over_http(outgoing: Outgoing) -> WebhookResponse:
    """Post it. Never raises: when there is no answer, the response says why."""
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy meant for the internet must not see deliveries to this machine
            answer = session.post(
                outgoing.url, data=outgoing.body, headers=outgoing.headers, timeout=TIMEOUT, allow_redirects=False
            )
            return WebhookResponse(answer.status_code, answer.text[:KEPT_ANSWER])
    except (requests.RequestException, ValueError) as error:  # an address can be nonsense
        return WebhookResponse(None, type(error).__name__)
