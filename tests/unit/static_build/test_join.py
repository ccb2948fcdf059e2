"""Modules become one script, and sheets one sheet; what cannot be joined is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from store.static_build import CannotJoin
from store.static_build.join import script, sheet
from tests.support.node import run_node

Files = Callable[..., Path]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Writes files by name; returns the first."""

    def write(**contents: str) -> Path:
        paths = [tmp_path / name.replace("__", "/").replace("_", ".") for name in contents]
        for path, text in zip(paths, contents.values(), strict=True):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return paths[0]

    return write


def test_modules_run_once_and_keep_their_names_to_themselves(files: Files, tmp_path: Path) -> None:
    entry = files(
        page_js='import { count as counted, Box } from "./parts/a.js";\n'
        'import { name } from "./parts/b.js";\n\nconst hidden = "the page\'s";\nexport function told() {\n'
        "  return [hidden, name, counted(), counted(), new Box().open()].join();\n}\n",
        parts__a_js='// A comment with import and export in it.\nimport { name } from "./b.js";\n\n'
        'const hidden = "a";\nlet calls = 0;\nexport async function later() {}\n'
        "export function count() {\n  return (calls += 1);\n}\n"
        "export class Box {\n  #what = `${hidden} from  ${name}`;\n  open() {\n    return this.#what;\n  }\n}\n",
        parts__b_js='export const name = "b";\n',
    )
    joined = tmp_path / "joined.mjs"
    joined.write_text(script(entry))

    told = run_node("-e", f'import("{joined}").then(({{ told }}) => console.log(told()))')

    assert told.stdout.strip() == "the page's,b,1,2,a from  b", told.stderr
    assert "comment" not in joined.read_text()


@pytest.mark.parametrize(
    "form",
    [
        'import a from "./b.js";',
        'import * as a from "./b.js";',
        'import "./b.js";',
        'import { a } from "far-away";',
        'import("./b.js");',
        "export default 1;",
        "export { a };",
        "export let a = 1;",
        'export * from "./b.js";',
    ],
)
def test_any_other_form_of_import_or_export_is_refused(files: Files, form: str) -> None:
    entry = files(page_js=f"{form}\n", b_js="export const a = 1;\n")

    with pytest.raises(CannotJoin, match=r"page\.js"):
        script(entry)


def test_modules_that_import_each_other_are_refused(files: Files) -> None:
    entry = files(
        a_js='import { b } from "./b.js";\nexport const a = 1;\n',
        b_js='import { a } from "./a.js";\nexport const b = 1;\n',
    )

    with pytest.raises(CannotJoin, match="imports itself"):
        script(entry)


def test_a_module_that_is_not_there_is_named(files: Files) -> None:
    entry = files(a_js='import { b } from "./gone.js";\n')

    with pytest.raises(CannotJoin, match=r"gone\.js is imported and does not exist"):
        script(entry)


def test_sheets_stand_where_they_are_imported_and_only_once(files: Files) -> None:
    entry = files(
        page_css='@import "parts/first.css";\n@import "parts/second.css";\n.page { color: red; }\n',
        parts__first_css='@import "second.css";\n.first { background: url("../img/a.svg"); }\n',
        parts__second_css='/* a ; */\n.second :is(a, b) {\n  margin: calc(1rem + 2px);\n  content: "} , ";\n}\n',
    )

    joined = sheet(entry, lambda file: f"../{file.name}")

    assert joined == (
        '.second :is(a,b){margin:calc(1rem + 2px);content:"} , "}.first{background:url("../a.svg")}.page{color:red}'
    )


def test_an_import_of_a_sheet_under_a_condition_is_refused(files: Files) -> None:
    entry = files(page_css='@import "second.css" print;\n', second_css="a { color: red; }\n")

    with pytest.raises(CannotJoin, match=r"page\.css"):
        sheet(entry, str)
