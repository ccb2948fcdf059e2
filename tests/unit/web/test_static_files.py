"""What is served of `static/`: compressed, named by its content, kept for ever."""

import gzip
import re

import pytest

from store.web.static_files import built
from tests.support.shop import FORM, Browser, Shop

PAGES = ["/", "/products/brass-pen", "/cart", "/orders", "/nothing-here", "/test-cards", "/dev/mail"]


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br, zstd", ""])
def test_a_static_file_comes_compressed_and_is_kept_for_ever(browser: Browser, accepted: str) -> None:
    address = address_of("css/pages/shop.css")

    with browser.open("GET", address, headers={"Accept-Encoding": accepted}) as answer:
        assert answer.status_code == 200
        assert answer.content_type == 'text/css; charset="utf-8"'
        assert "immutable" in answer.headers["Cache-Control"]
        assert "public" in answer.headers["Cache-Control"]
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers.get("Content-Encoding", "") == {"gzip": "gzip", "": ""}.get(accepted, "br")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
        sheet = gzip.decompress(answer.data) if accepted == "gzip" else answer.data
    assert (b".product-card" in sheet) == (accepted in ("gzip", ""))


def test_a_static_file_says_no_more_than_browsers_need(browser: Browser) -> None:
    said = {
        name: browser.open("GET", address_of(name), headers={"Accept-Encoding": "br"}, buffered=True).headers
        for name in ("css/pages/payment.css", "js/pages/payment.js", "img/hero.svg")
    }

    of_every_file = {"Cache-Control", "Content-Length", "Content-Type", "ETag", "X-Content-Type-Options"}
    compressed = {"Content-Encoding", "Vary"}
    for name, headers in said.items():
        of_a_picture = {"Content-Security-Policy"} if name.endswith(".svg") else set()
        assert (name, set(headers.keys())) == (name, of_every_file | compressed | of_a_picture)
    assert said["img/hero.svg"]["Content-Security-Policy"] == "default-src 'none'"


@pytest.mark.parametrize(
    "path",
    [
        "/static/css/pages/shop.css",
        "/static/css/pages/shop.000000000000.css",
        "/static/css/base.css",
        "/static/js/components/payment_form.js",
        "/static/../config.py",
        "/static/",
        "/static",
    ],
)
def test_only_the_names_of_built_files_are_served(browser: Browser, path: str) -> None:
    answer = browser.get(path)

    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"
    assert browser.get(f"{address_of('css/pages/shop.css')}.br").status_code == 404


def test_an_unchanged_file_is_not_sent_again(browser: Browser) -> None:
    address = address_of("img/hero.svg")
    with browser.get(address) as first:
        known = first.headers["ETag"]

    again = browser.open("GET", address, headers={"If-None-Match": known})

    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_one_style_sheet_and_everything_that_it_names(browser: Browser, path: str) -> None:
    page = browser.get(path).text
    named = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))

    assert page.count('rel="stylesheet"') == 1
    assert named
    for address in named:
        with browser.get(address) as answer:
            assert (address, answer.status_code) == (address, 200)


@pytest.mark.parametrize("path", [*PAGES, "/checkout", "an order that waits", "an order that is paid"])
def test_a_page_has_the_styles_of_everything_on_it(shop: Shop, path: str) -> None:
    browser = shop.browser()
    browser.post("/cart/lines", {"slug": "cedar-pencil", "quantity": "1"}, page="/products/cedar-pencil")
    if path.startswith("an order"):
        placed = str(browser.post("/checkout", FORM, page="/checkout").location)
        if path == "an order that is paid":
            shop.pay(shop.read(placed.split("/")[2]))
            shop.deliver()
        path = placed if path == "an order that waits" else placed.removesuffix("/pay")
    page = browser.get(path).text
    (sheet,) = re.findall(r'rel="stylesheet" href="([^"]+)"', page)
    styled = classes_in(browser.get(sheet, buffered=True).text)
    everywhere = set().union(*(classes_in(file) for file in sheets()))

    worn = {name for names in re.findall(r'class="([^"]*)"', page) for name in names.split()}

    assert sorted((worn & everywhere) - styled) == []


def address_of(name: str) -> str:
    return f"/static/{built().names[name]}"


def sheets() -> list[str]:
    """Every style sheet of the store."""
    names = [name for name in built().names if name.endswith(".css")]
    files = [built().folder / ("test_mode" if "test_mode" in name else "pages") / built().names[name] for name in names]
    return [file.read_text("utf-8") for file in files]


def classes_in(sheet: str) -> set[str]:
    """The classes that a style sheet has rules for, other than for paper."""
    selectors = re.sub(r"\{[^{}]*\}", "{}", re.sub(r'"[^"]*"', "", sheet))
    on_screen = re.sub(r"@layer print\{@media print\{(?:[^{}]*\{\})*\}\}", "", selectors)
    assert "@media print" not in on_screen
    return set(re.findall(r"\.([a-z][a-z-]+)", on_screen))
