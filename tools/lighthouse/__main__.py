"""`make lighthouse`: lets Lighthouse look at catalogue, product, payment and order page of the running store.

It prints the scores on a telephone with a slow network and on a computer, how far the page shifts while it loads, and
what costs points; whole reports go to `.cache/lighthouse/`. It needs the sandbox, since an order is placed and paid.
Exits with 1 if a page has less than it should, with 2 if it could not be tried.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from playwright.sync_api import Browser, Error, expect

from config import ConfigurationError, Settings
from tools.browser import BrowserMissing, find
from tools.headless import launched
from tools.screenshots import PAYS, place_order, press_pay, type_card

PROGRAM = Path(__file__).parent / "node_modules" / ".bin" / "lighthouse"
REPORTS = Path(__file__).parents[2] / ".cache" / "lighthouse"

CATEGORIES = ("performance", "accessibility", "best-practices")
DEVICES: Mapping[str, tuple[str, ...]] = {"telephone": (), "computer": ("--preset=desktop",)}
WANTED_SCORE, LARGEST_SHIFT = 100, 0.01
COULD_NOT_BE_TRIED = 2  # the exit status, beside 0 and 1


class Impossible(Exception):
    """The pages cannot be looked at; the message says why, and what to do."""


def main() -> NoReturn:
    try:
        store = _store()
        addresses, cookie = _pages(store)
        good = [_look_at(name, store + path, cookie) for name, path in addresses.items()]
    except (BrowserMissing, ConfigurationError, Impossible) as problem:
        print(problem, file=sys.stderr)
        sys.exit(COULD_NOT_BE_TRIED)
    print(f"\n{sum(good)} of {len(good)} pages are as they should be. Reports: {REPORTS}")
    sys.exit(not all(good))


def _store() -> str:
    parser = argparse.ArgumentParser(prog="make lighthouse", description=__doc__, add_help=True)
    parser.add_argument("--store", help="the address of the running store; else what the settings say")
    store: str = parser.parse_args().store or f"http://127.0.0.1:{Settings.load().store_port}"
    return store.rstrip("/")


def _pages(store: str) -> tuple[dict[str, str], str]:
    """The path of each page by name, of two new orders of one browser, and the cookie of that browser."""
    with launched() as browser:
        try:
            paid, waiting, cookie = _order_twice(browser, store)
        except Error as problem:
            raise Impossible(f"No order could be placed at {store}; is it running (`make run`)?\n{problem}") from None
    pages = {"catalogue": "/", "product": "/products/stoneware-mug"}
    return {**pages, "payment": f"/orders/{waiting}/pay", "order": f"/orders/{paid}"}, cookie


def _order_twice(browser: Browser, store: str) -> tuple[str, str, str]:
    """The reference of an order that is paid, that of one that is not, and the browser's cookie."""
    context = browser.new_context(base_url=store, locale="en-US")
    page = context.new_page()
    paid = place_order(page)
    type_card(page, PAYS)
    press_pay(page)
    expect(page.get_by_role("heading", name="Payment received")).to_be_visible(timeout=20_000)
    waiting = place_order(page)
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in context.cookies(store))
    context.close()
    return paid, waiting, cookies


def _look_at(name: str, address: str, cookie: str) -> bool:
    """Print what Lighthouse says of a page; returns whether all of it is as it should be."""
    good = True
    for device, options in DEVICES.items():
        report = _report(f"{name}-{device}", address, cookie, options)
        scores = {category: round(100 * (report["categories"][category]["score"] or 0)) for category in CATEGORIES}
        shift = report["audits"]["cumulative-layout-shift"]["numericValue"]
        print(f"{name:<10} {device:<10}", *(f"{category} {score:>3}  " for category, score in scores.items()), end="")
        print(f"shift {shift:.3f}", flush=True)
        for line in _what_costs_points(report):
            print(f"    {line}")
        good &= min(scores.values()) >= WANTED_SCORE and shift <= LARGEST_SHIFT
    return good


def _report(name: str, address: str, cookie: str, options: tuple[str, ...]) -> dict[str, Any]:
    REPORTS.mkdir(parents=True, exist_ok=True)
    file = REPORTS / f"{name}.json"
    command = [
        str(PROGRAM),
        address,
        "--quiet",
        "--output=json",
        f"--output-path={file}",
        f"--only-categories={','.join(CATEGORIES)}",
        f"--extra-headers={json.dumps({'Cookie': cookie})}",
        "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
        *options,
    ]
    environment = os.environ | {"CHROME_PATH": str(find())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Impossible(f"Lighthouse could not look at {address}:\n{done.stderr[-2000:]}")
    report: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return report


def _what_costs_points(report: dict[str, Any]) -> Iterator[str]:
    """Each audit that counts and is not passed."""
    for category in CATEGORIES:
        for reference in report["categories"][category]["auditRefs"]:
            audit = report["audits"][reference["id"]]
            if reference["weight"] and audit["score"] is not None and audit["score"] < 1:
                yield f"{audit['title']} {audit.get('displayValue', '')}".rstrip()


if __name__ == "__main__":
    main()
