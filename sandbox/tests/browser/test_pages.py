"""What the sandbox's own pages say in their headers, and how its scripts are put together."""

from pathlib import Path

import pytest

from browser.conftest import SandboxServer
from till_sandbox.browser import script


@pytest.mark.parametrize(
    "path",
    [
        "/v3/controller.html",
        "/v3/elements-inner-card.html?componentName=card",
        "/v3/three-ds-2-challenge.html",
        "/sandbox/3ds/src_none?client_secret=x",
    ],
)
def test_frames_may_stand_in_any_page_and_load_nothing_foreign(sandbox_server: SandboxServer, path: str) -> None:
    answer = sandbox_server.app.test_client().get(path)

    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert "frame-ancestors" not in policy
    assert "X-Frame-Options" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_the_script_is_fresh_and_open_to_every_page(sandbox_server: SandboxServer) -> None:
    client = sandbox_server.app.test_client()

    first = client.get("/endive/stripe.js")
    second = client.get("/endive/stripe.js", headers={"If-None-Match": first.headers["ETag"]})

    assert first.content_type.startswith("text/javascript")
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    assert first.headers["Cache-Control"] == "no-cache"
    assert second.status_code == 304


def test_an_unknown_field_is_not_found(sandbox_server: SandboxServer) -> None:
    assert sandbox_server.app.test_client().get("/v3/elements-inner-card.html?componentName=iban").status_code == 404


def test_an_answer_the_bank_did_not_offer_is_refused(sandbox_server: SandboxServer) -> None:
    client = sandbox_server.app.test_client()

    assert client.post("/sandbox/3ds/src_none?client_secret=x", data={"outcome": "maybe"}).status_code == 400
    assert client.post("/sandbox/3ds/src_none?client_secret=x", data={"outcome": "fail"}).status_code == 404


def test_a_script_is_its_modules_in_the_order_they_need_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\n\nexport const a = b;\n')
    (tmp_path / "b.js").write_text("export const b = 1;\n")
    monkeypatch.setattr(script, "_FOLDER", tmp_path)

    text = script.assemble("a.js")

    assert text.index("const b = 1;") < text.index("const a = b;")
    assert "import" not in text
    assert "export" not in text


def test_modules_that_use_one_name_twice_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clash.js").write_text('import { x } from "./other.js";\nconst a = x;\n')
    (tmp_path / "other.js").write_text("export const x = 1;\nconst a = 2;\n")
    monkeypatch.setattr(script, "_FOLDER", tmp_path)

    with pytest.raises(ValueError, match=r"a is declared in other\.js and in clash\.js"):
        script.assemble("clash.js")
