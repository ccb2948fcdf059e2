"""A browser reads in a style sheet as it is served what its author wrote."""

import pytest
from playwright.sync_api import Page

from store.static_build.join import without_layout
from tests.support.databases import ROOT

STYLES = ROOT / "static" / "css"
# Browsers keep a value with custom properties as it is written; how blank its blanks are means nothing there either.
AS_READ = """(sheet) => {
    const read = new CSSStyleSheet();
    read.replaceSync(sheet);
    return [...read.cssRules].map((rule) => rule.cssText.replace(/\\s+/g, " ").replaceAll(", ", ","));
}"""


@pytest.mark.parametrize("folder", ["", "components"])
def test_taking_comments_and_blanks_away_changes_no_rule(page: Page, folder: str) -> None:
    for file in (STYLES / folder).glob("*.css"):
        written = file.read_text("utf-8")

        served = page.evaluate(AS_READ, without_layout(written))

        assert (file.name, served) == (file.name, page.evaluate(AS_READ, written))
