"""Templates that are compiled once for all starts of the store."""

from pathlib import Path

from flask import Flask, render_template

from store.web import compiled_templates


def greet(templates: Path, kept: Path) -> str:
    """What a store that starts now shows."""
    app = Flask(__name__, template_folder=str(templates))
    compiled_templates.register(app, kept)
    with app.app_context():
        return render_template("greeting.html")


def test_a_template_is_compiled_once_for_each_content(tmp_path: Path) -> None:
    template, kept = tmp_path / "greeting.html", tmp_path / "kept"
    template.write_text("Hello")
    first = greet(tmp_path, kept)
    (compiled,) = kept.rglob("*.cache")
    made = compiled.stat().st_mtime_ns

    again = greet(tmp_path, kept)
    kept_as_it_was = compiled.stat().st_mtime_ns == made
    template.write_text("Welcome")
    changed = greet(tmp_path, kept)

    assert (first, again, changed) == ("Hello", "Hello", "Welcome")
    assert kept_as_it_was


def test_a_store_that_may_not_write_shows_its_pages(tmp_path: Path) -> None:
    (tmp_path / "greeting.html").write_text("Hello")
    (tmp_path / "kept").write_text("a file where the folder would be")

    assert greet(tmp_path, tmp_path / "kept") == "Hello"
