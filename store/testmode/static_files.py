"""Static files that only the test-card page and the drawer of test cards use."""

from __future__ import annotations

from flask import Flask, abort, request

DEVELOPERS_ONLY = frozenset(
    {
        "css/components/test_card_table.css",
        "css/components/test_cards.css",
        "js/test_card_run.js",
        "js/components/test_card_table.js",
        "js/components/test_cards.js",
        "js/sandbox_autofill.js",
        "js/test_mode.js",
        "js/word_filter.js",
    }
)


def withhold(app: Flask) -> None:
    """Answer 404 for them, as a store with live keys does."""

    @app.before_request
    def refuse() -> None:
        if request.endpoint == "static" and (request.view_args or {}).get("filename") in DEVELOPERS_ONLY:
            abort(404)
