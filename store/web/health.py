"""Whether the process runs, and whether it can serve."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from store.services.operations import health
from store.web.current import services

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> ResponseReturnValue:
    return {"status": "ok"}, 200


@blueprint.get("/readyz")
def ready() -> ResponseReturnValue:
    """503 with the reasons, when the database does not answer or is not migrated."""
    problems = health.problems(services())
    return {"status": "not ready" if problems else "ready", "problems": problems}, 503 if problems else 200
