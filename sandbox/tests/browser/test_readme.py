"""What sandbox/README.md says to do with each library is done here, word for word, on another port."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask, send_file
from playwright.sync_api import BrowserContext, Page, expect

from browser.conftest import SandboxServer, serving
from harness.node import PROJECT, bundle, require_packages, run_node

pytestmark = pytest.mark.browser

README = (PROJECT / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## Point a library at it\n")[2].partition("\n## ")[0]


def test_the_python_library(sandbox_server: SandboxServer) -> None:
    before = payments(sandbox_server)

    subprocess.run([sys.executable, "-c", snippet("python", sandbox_server)], check=True)

    assert payments(sandbox_server) == [4900, *before]


def test_the_node_library(sandbox_server: SandboxServer) -> None:
    require_packages("stripe")
    before = payments(sandbox_server)

    done = run_node("--input-type=module", "--eval", snippet("js", sandbox_server))

    assert done.returncode == 0, done.stderr
    assert payments(sandbox_server) == [4900, *before]


def test_curl(sandbox_server: SandboxServer) -> None:
    before = payments(sandbox_server)

    subprocess.run(["sh", "-c", snippet("sh", sandbox_server)], check=True, capture_output=True)

    assert payments(sandbox_server) == [4900, *before]


def test_a_page_of_html(context: BrowserContext, sandbox_server: SandboxServer) -> None:
    with serving(site(snippet("html", sandbox_server))) as url:
        expect_card_field(context.new_page(), url)


def test_a_page_in_react(context: BrowserContext, sandbox_server: SandboxServer, tmp_path: Path) -> None:
    require_packages("react", "react-dom", "@stripe/react-stripe-js", "@stripe/stripe-js")
    entry, script = tmp_path / "page.jsx", tmp_path / "page.js"
    entry.write_text(snippet("jsx", sandbox_server), encoding="utf-8")
    bundle(entry, script)
    first_line = snippet("html", sandbox_server).splitlines()[0]

    with serving(site(f'{first_line}<div id="root"></div><script src="/page.js"></script>', script)) as url:
        expect_card_field(context.new_page(), url)


def snippet(language: str, sandbox: SandboxServer) -> str:
    """The only code of that language in the section, with the address of this sandbox."""
    (code,) = re.findall(rf"^```{language}\n(.+?)^```$", SECTION, flags=re.MULTILINE | re.DOTALL)
    port = sandbox.origin.rpartition(":")[2]
    assert "4242" in code or language == "jsx"
    return str(code).replace("4242", port)


def payments(sandbox: SandboxServer) -> list[int]:
    """The amounts of the payments of the README's account, newest first."""
    answer = sandbox.app.test_client().get(
        "/v1/payment_intents?limit=100", headers={"Authorization": "Bearer sk_test_mine"}
    )
    return [intent["amount"] for intent in answer.get_json()["data"]]


def site(html: str, script: Path | None = None) -> Flask:
    """A site of one page, and perhaps a script at /page.js."""
    app = Flask(__name__)

    @app.get("/")
    def page() -> str:
        return f"<!doctype html><title>A page</title>{html}"

    if script is not None:
        app.add_url_rule("/page.js", view_func=lambda: send_file(script))

    return app


def expect_card_field(page: Page, url: str) -> None:
    page.goto(url)
    frame = page.frame_locator("iframe[title='Secure card payment input frame']")
    expect(frame.locator("input[name=cardnumber]")).to_be_editable()
