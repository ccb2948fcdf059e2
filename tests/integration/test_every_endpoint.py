"""Every address of the store, asked in every wrong way: a clear refusal each time, and nothing is changed by it."""

from collections import defaultdict
from collections.abc import Iterator

import pytest

from store.web.security import LARGEST_EVENT, LARGEST_FORM
from tests.support.shop import WEBHOOK_PATH, Shop

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"})
FORM = "application/x-www-form-urlencoded"

# What is no form of ours, and the answer of an address that takes forms. A webhook's is about its signature, 400.
WRONG_TYPES = {
    "application/json": 415,
    "application/xml": 415,
    "text/plain": 415,
    "application/octet-stream": 415,
    "image/png": 415,
    "application/x-www-form-urlencodedx": 415,
    "nonsense": 415,
    "multipart/mixed; boundary=x": 415,
}


def addresses(shop: Shop, reference: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Every path, with names of things that exist, and the methods it takes."""
    known = {"reference": reference, "slug": "cedar-pencil", "filename": "css/base.css", "key": "x", "number": "4242"}
    adapter, methods = shop.app.url_map.bind("localhost"), defaultdict[str, set[str]](set)
    for rule in shop.app.url_map.iter_rules():
        given = {name: known.get(name, "x") for name in rule.arguments}
        taken = rule.methods or {"GET"}
        methods[adapter.build(rule.endpoint, given, method=min(taken))] |= taken
    yield from ((path, frozenset(taken)) for path, taken in sorted(methods.items()))


def test_a_wrong_method_is_refused_with_the_allowed_ones(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()

    for path, taken in addresses(shop, reference):
        for method in METHODS - taken:
            answer = browser.open(method, path)
            assert (path, method, answer.status_code) == (path, method, 405)
            assert set(answer.headers["Allow"].split(", ")) == taken, path


@pytest.mark.parametrize("content_type", WRONG_TYPES)
def test_a_body_of_a_wrong_type_is_refused(shop: Shop, content_type: str) -> None:
    browser, reference = shop.browser_with_order()
    before = shop.history(reference)

    for path, taken in addresses(shop, reference):
        if "POST" in taken:
            answer = browser.open("POST", path, data=b'{"quantity": 1}', content_type=content_type)
            expected = 400 if path == WEBHOOK_PATH else WRONG_TYPES[content_type]
            assert (path, answer.status_code) == (path, expected)
    assert shop.history(reference) == before


def test_a_body_that_is_too_large_is_refused(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()

    for path, taken in addresses(shop, reference):
        if "POST" not in taken:
            continue
        largest = LARGEST_EVENT if path == WEBHOOK_PATH else LARGEST_FORM
        body = b"q=" + b"x" * largest
        answer = browser.open("POST", path, data=body, content_type=FORM)
        assert (path, answer.status_code) == (path, 413)


def test_an_unexpected_body_is_ignored(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()

    for path, taken in addresses(shop, reference):
        if "GET" in taken:
            bare = browser.open("GET", path)
            laden = browser.open("GET", path, data=b"x" * 100_000, content_type="application/json")
            assert (path, laden.status_code) == (path, bare.status_code)
            bare.close()
            laden.close()
