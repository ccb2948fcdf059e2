"""A headless Chromium to drive with Playwright: for the browser tests and for taking pictures."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tools.browser import find_shell

# Chromium must not ask the network for anything of its own, nor need rights or a screen.
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Each window would start two renderers for its address bar, and a spare one: more than half of what a page costs.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,SpareRendererForSitePerProcess",
]


_running = threading.local()


@contextmanager
def launched() -> Iterator[Browser]:
    """The browser, until the block ends. Raises tools.browser.BrowserMissing.

    Playwright takes one in each thread only: a block inside another one gets the same browser.
    """
    outer: Browser | None = getattr(_running, "browser", None)
    if outer is not None:
        yield outer
        return
    executable = find_shell()
    with sync_playwright() as playwright:
        browser = _running.browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            yield browser
        finally:
            _running.browser = None
            browser.close()
