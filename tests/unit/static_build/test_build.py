"""What browsers are sent is built once for each content, by any number of processes, and then only read."""

import gzip
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store.static_build import CannotBuild, CannotJoin, StaticBuild, build

PAGE = ".page { background: url('../../img/a.svg'); }".replace("'", '"')


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A script and a sheet for a page, one for developers, a picture, and what is not to be served."""
    contents = {
        "js/pages/page.js": 'import { a } from "../a.js";\n\nconsole.log(a);\n',
        "js/test_mode/tool.js": "console.log(1);\n",
        "js/a.js": "export const a = 1;\n",
        "css/pages/page.css": PAGE,
        "img/.a.svg.swp": "an editor's",
        "img/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>" + " " * 500,
    }
    for name, text in contents.items():
        (tmp_path / "static" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "static" / name).write_text(text)
    return tmp_path / "static"


def files_in(folder: Path) -> Mapping[str, float]:
    return {str(file.relative_to(folder)): file.stat().st_mtime for file in folder.rglob("*") if file.is_file()}


def content(built: StaticBuild, name: str, kind: str = "pages") -> str:
    return (built.folder / kind / built.names[name]).read_text()


def test_pages_get_what_they_need_under_names_of_their_content(sources: Path, tmp_path: Path) -> None:
    built = build({"more.json": b"[]"}, sources, tmp_path / "built")

    assert set(built.names) == {
        "more.json",
        "img/a.svg",
        "js/pages/page.js",
        "css/pages/page.css",
        "js/test_mode/tool.js",
    }
    assert f'url("../../{built.names["img/a.svg"]}")' in content(built, "css/pages/page.css")
    assert content(built, "js/test_mode/tool.js", "test_mode") == "console.log(1);"
    picture = built.folder / "pages" / built.names["img/a.svg"]
    assert gzip.decompress(picture.with_name(f"{picture.name}.gz").read_bytes()) == picture.read_bytes()
    assert len(picture.with_name(f"{picture.name}.br").read_bytes()) < 100


def test_a_change_gets_a_new_name_and_the_old_file_stays(sources: Path, tmp_path: Path) -> None:
    before = build({}, sources, tmp_path / "built")

    (sources / "js" / "a.js").write_text("export const a = 2;\n")
    after = build({}, sources, tmp_path / "built")

    changed = {name for name, built in after.names.items() if before.names[name] != built}
    assert changed == {"js/pages/page.js"}
    assert "a=1" in content(before, "js/pages/page.js")
    assert "a=2" in content(after, "js/pages/page.js")


def test_a_finished_build_is_only_read(sources: Path, tmp_path: Path) -> None:
    first = build({}, sources, tmp_path / "built")
    files = files_in(tmp_path / "built")
    (sources / "js" / "a.js").touch()

    second = build({}, sources, tmp_path / "built")

    assert second == first
    assert files_in(tmp_path / "built") == files


def test_many_may_build_at_once(sources: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        builds = list(pool.map(lambda _: build({}, sources, tmp_path / "built"), range(8)))

    assert all(each == builds[0] for each in builds)
    alone = build({}, sources, tmp_path / "alone")
    assert set(files_in(tmp_path / "built")) == set(files_in(tmp_path / "alone"))
    assert alone.names == builds[0].names


def test_where_nothing_can_be_written_the_remedy_is_named(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "built").write_text("a file, where the folder should be")

    with pytest.raises(CannotBuild, match="Run `make static`"):
        build({}, sources, tmp_path / "built")


def test_a_picture_that_a_sheet_names_must_be_there(sources: Path, tmp_path: Path) -> None:
    (sources / "img" / "a.svg").unlink()

    with pytest.raises(CannotJoin, match=r"a\.svg, which does not exist"):
        build({}, sources, tmp_path / "built")
