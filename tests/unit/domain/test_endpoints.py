"""Which addresses may be told of what happens, and how that is signed."""

import pytest

from store.domain.endpoints import is_endpoint
from store.services.notifications.secrets import new_secret, signature


@pytest.mark.parametrize(
    ("url", "in_test_mode", "live"),
    [
        ("https://books.example/till?x=1", True, True),
        ("https://books.example:8443", True, True),
        ("https://" + "x" * 492, True, True),
        ("http://localhost:9000/till", True, False),
        ("http://127.0.0.1", True, False),
        ("http://[::1]:9000", True, False),
        ("http://books.example", False, False),
        ("http://localhost.example", False, False),
        ("http://10.0.0.1", False, False),
        ("https://" + "x" * 493, False, False),
        ("https://user@books.example", False, False),
        ("https://:secret@books.example", False, False),
        ("https://books.example/#part", False, False),
        ("https://books.example/a b", False, False),
        ("https://bücher.example", False, False),
        ("https://books.example:0", False, False),
        ("https://books.example:x", False, False),
        ("https://[books", False, False),
        ("https:///till", False, False),
        ("ftp://books.example", False, False),
        ("books.example", False, False),
        ("", False, False),
    ],
)
def test_an_endpoint_is_https_or_this_machine_in_test_mode(url: str, in_test_mode: bool, live: bool) -> None:
    assert (is_endpoint(url, live=False), is_endpoint(url, live=True)) == (in_test_mode, live)


def test_a_signature_is_the_one_of_standard_webhooks() -> None:
    # The example of its libraries' own tests.
    secret, text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", '{"test": 2432232314}'

    made = signature([secret, new_secret()], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, text)

    first, second = made.split(" ")
    assert first == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert second.startswith("v1,")
    assert second != first
