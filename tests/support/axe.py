"""axe-core, which knows what keeps people from using a page."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.support.databases import ROOT

SCRIPT = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def obstacles(page: Page) -> list[str]:
    """What axe-core finds wrong with a page as it is shown now: each broken rule, with the first place."""
    page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]
