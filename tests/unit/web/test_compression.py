"""Pages are compressed, and their length tells nothing of the secrets in them."""

import gzip
import re
import zlib

import pytest

from store.web.compression import compress
from tests.support.shop import FORM, Browser, Shop

GZIP = {"Accept-Encoding": "gzip, deflate, br"}
SECRETS = r"pi_\w+_secret_\w+|from-mail/([\w.-]+)|name=\"csrf_token\"[^>]*value=\"([^\"]+)\""


def test_a_page_comes_compressed_for_browsers_that_take_it(browser: Browser) -> None:
    plain = browser.get("/products/brass-pen")
    packed = browser.open("GET", "/products/brass-pen", headers=GZIP)

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.data) < len(plain.data) / 2
    unpacked = gzip.decompress(packed.data).decode()
    assert re.sub(r'value="[^"]+"', "", unpacked) == re.sub(r'value="[^"]+"', "", plain.text)


@pytest.mark.parametrize("path", ["/healthz", "/cart/lines/none"])
def test_what_is_short_or_no_page_is_sent_as_it_is(browser: Browser, path: str) -> None:
    answer = browser.open("GET", path, headers=GZIP | {"Accept-Encoding": "identity, gzip;q=0"})

    assert "Content-Encoding" not in answer.headers
    assert "Content-Encoding" not in browser.open("GET", "/healthz", headers=GZIP).headers


def test_a_page_is_the_same_after_it_was_compressed() -> None:
    page = ("<p>Größe 😀 secret-1</p>" * 5000 + "secret-12 secret-1").encode()

    for secrets in ([], ["secret-1"], ["secret-1", "secret-12"], ["not there", ""], ["<p>"]):
        assert gzip.decompress(compress(page, secrets)) == page


def test_the_length_tells_nothing_of_a_secret() -> None:
    """Whether what somebody else has put on the page is the secret, a part of it, or nothing like it."""
    secret = "IjJiOTk2NGMzNTZmNWNmMjZmZTJhMzZjNmE4NDY4ZGQxYjQxNzhkYjEi"
    guesses = [secret[:50], secret[5:55], secret[:25][::-1] + secret[25:50][::-1]]
    pages = [f'<p>{guess}</p>{"<p>More.</p>" * 50}<input value="{secret}"><p>{guess}</p>' for guess in guesses]

    hidden = [len(compress(page.encode(), [secret])) for page in pages]
    shown = [len(compress(page.encode(), [])) for page in pages]

    alone = [len(zlib.compress(page.replace(secret, "").encode(), 6)) for page in pages]
    assert [size - hidden[0] for size in hidden] == pytest.approx([size - alone[0] for size in alone], abs=1)
    assert shown[2] - shown[0] > 20  # as it would be otherwise


def test_the_secrets_of_the_payment_page_are_not_compressed(shop: Shop) -> None:
    browser = shop.browser()
    browser.post("/cart/lines", {"slug": "cedar-pencil", "quantity": "1"}, page="/products/cedar-pencil")
    placed = browser.post("/checkout", FORM, page="/checkout").location

    answer = browser.open("GET", placed, headers=GZIP)
    page = gzip.decompress(answer.data).decode()

    found = [match[1] or match[2] or match[0] for match in re.finditer(SECRETS, page)]
    assert len(found) == 3  # the client secret, the link’s key, the token of the form
    assert len(set(found)) == 3
    for secret in found:
        assert answer.data.count(secret.encode()) == found.count(secret)
