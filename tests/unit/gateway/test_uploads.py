"""Files go where Stripe takes them: to an address of their own, or to what stands in for Stripe."""

from collections.abc import Mapping
from typing import Any

import pytest
import stripe

from config import STRIPE_API_VERSION
from store.gateway.stripe import StripeGateway


class Recorder(stripe.HTTPClient):
    """Answers every request with a file, and keeps what was asked."""

    name = "recorder"

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str, str, bytes]] = []

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_more: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        self.asked.append((method, url, (headers or {})["Idempotency-Key"], post_data))
        return '{"id": "file_1", "object": "file"}', 200, {}


@pytest.mark.parametrize(
    ("api_base", "address"),
    [
        ("https://api.stripe.com", "https://files.stripe.com/v1/files"),
        ("http://127.0.0.1:4242", "http://127.0.0.1:4242/v1/files"),
    ],
)
def test_a_file_is_sent_whole_to_the_address_for_files(api_base: str, address: str) -> None:
    recorder = Recorder()
    gateway = StripeGateway("sk_test_files", api_base, STRIPE_API_VERSION, [], http_client=recorder)

    name = gateway.upload_evidence("receipt.pdf", b"%PDF-\x00\xff", "a key")

    ((method, url, key, sent),) = recorder.asked
    assert (name, method.upper(), url, key) == ("file_1", "POST", address, "a key")
    assert b'name="file"; filename="receipt.pdf"\r\n' in sent
    assert b"\r\n\r\n%PDF-\x00\xff\r\n" in sent
    assert b'name="purpose"\r\n\r\ndispute_evidence\r\n' in sent
