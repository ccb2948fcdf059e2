"""The console: a page in the browser to look inside the sandbox and to make it misbehave. All it does is call the
control API, so everything it can do can be done from a program too."""

from pathlib import Path

from flask import Blueprint, Response

PAGE = Path(__file__).parent / "static" / "console.html"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

blueprint = Blueprint("console", __name__, static_folder="static", static_url_path="/sandbox/console")


@blueprint.get("/sandbox/")
def page() -> Response:
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
    return Response(PAGE.read_text(encoding="utf-8"), content_type="text/html; charset=utf-8", headers=headers)
