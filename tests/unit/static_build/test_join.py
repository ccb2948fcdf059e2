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


def test_modules_run_once_and_before_those_that_import_them(files: Files, tmp_path: Path) -> None:
    entry = files(
        page_js='import { count, Box } from "./parts/a.js";\n'
        'import { name } from "./parts/b.js";\n\nconst mine = "the page\'s hidden calls";\nexport function told() {\n'
        "  return [mine, name, count(), count(), new Box().open(), { hidden: 3 }.hidden].join();\n}\n",
        parts__a_js='// A comment with import and export in it.\nimport { name } from "./b.js";\n\n'
        'const hidden = "a";\nlet calls = 0;\nexport async function later() {}\n'
        "export function count() {\n  return (calls += 1);\n}\n"
        "export class Box {\n  #what = `${hidden} from  ${name}`;\n  open() {\n    return this.#what;\n  }\n}\n",
        parts__b_js='export const name = "b";\n',
    )
    joined = tmp_path / "joined.mjs"
    joined.write_text(script(entry))

    told = run_node("-e", f'import("{joined}").then(({{ told }}) => console.log(told()))')

    assert told.stdout.strip() == "the page's hidden calls,b,1,2,a from  b,3", told.stderr
    assert "comment" not in joined.read_text()


@pytest.mark.parametrize(
    "form",
    [
        'import a from "./b.js";',
        'import * as a from "./b.js";',
        'import "./b.js";',
        'import { a as b } from "./b.js";',
        'import { a } from "far-away";',
        'import("./b.js");',
        "export default 1;",
        "export { a };",
        "export let a = 1;",
        "export const { a } = b;",
        "const [a] = b;",
        "var a = 1;",
        "let a = 1, b = 2;",
        "let a, b;",
        "function* a() {}",
        'export * from "./b.js";',
    ],
)
def test_any_other_form_of_import_or_export_is_refused(files: Files, form: str) -> None:
    entry = files(page_js=f"{form}\n", b_js="export const a = 1;\n")

    with pytest.raises(CannotJoin, match=r"page\.js"):
        script(entry)


@pytest.mark.parametrize(
    "code",
    [
        "function name() {}\n",
        "export const address = () => location.origin + name;\n",
        "function f() {\n  const name = 1;\n}\n",
        "const given = { name };\n",
        "const all = [...name];\n",
        "const known = `${name}`;\n",
    ],
)
def test_a_name_that_would_mean_what_another_module_gave_it_is_refused(files: Files, code: str) -> None:
    entry = files(
        page_js='import { other } from "./a.js";\nimport { unlike } from "./b.js";\n',
        a_js='export const other = "a";\nlet name = 1;\n',
        b_js=f"export const unlike = {{ name: 1 }}.name;\n{code}",
    )

    with pytest.raises(CannotJoin, match=r"names `name` at its top, and .* has that name without importing it"):
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


def test_neighbours_in_one_layer_are_one_block(files: Files) -> None:
    entry = files(
        page_css='@import "first.css";\n@import "second.css";\n.page { color: red; }\n@import "third.css";\n',
        first_css="@layer all, some;\n@layer some { .a { color: red; } }\n",
        second_css='@layer some { .b::after { content: "}"; } @media print { .b { color: red; } } }\n',
        third_css="@layer some { .c { color: red; } }\n@layer all { .c { color: blue; } }\n",
    )

    assert sheet(entry, str) == (
        '@layer all,some;@layer some{.a{color:red}.b::after{content:"}"}@media print{.b{color:red}}}'
        ".page{color:red}@layer some{.c{color:red}}@layer all{.c{color:blue}}"
    )


def test_an_import_of_a_sheet_under_a_condition_is_refused(files: Files) -> None:
    entry = files(page_css='@import "second.css" print;\n', second_css="a { color: red; }\n")

    with pytest.raises(CannotJoin, match=r"page\.css"):
        sheet(entry, str)
