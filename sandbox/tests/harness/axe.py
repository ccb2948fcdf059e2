"""axe-core, which knows what keeps people from using a page, in a page of a test."""

from typing import Any

from playwright.sync_api import Page

from harness.node import PACKAGES, require_packages


def obstacles(page: Page) -> list[str]:
    """What axe-core finds wrong with a page as it is shown now: each rule that is broken, with the first place."""
    require_packages("axe-core")
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate((PACKAGES / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("() => axe.run({ resultTypes: ['violations'] })")
    return [_sentence(each["id"], each["nodes"][0]) for each in found["violations"]]


def _sentence(rule: str, place: dict[str, str]) -> str:
    return f"{rule}: {place['html']} {place['failureSummary']}"
