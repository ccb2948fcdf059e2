"""The address Stripe sends events to: raw body, signature, and an answer that says whether to send it again."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from store.web.current import now, services
from store.web.security import csrf
from store.webhooks import inbox

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")
csrf.exempt(blueprint)  # the signature says who sends it


@blueprint.post("/stripe")
def stripe() -> ResponseReturnValue:
    """200 once the event is dealt with or not ours, 400 when it cannot be believed, 5xx to get it again."""
    body = request.get_data(cache=False)
    outcome = inbox.receive(services(), body, request.headers.get("Stripe-Signature"), now())
    return {"outcome": outcome}, 200
