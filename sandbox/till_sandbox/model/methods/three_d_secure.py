"""Whether a card asks for 3-D Secure, and what a charge says about it afterwards."""

import uuid
from typing import Any

from till_sandbox.model.methods.base import Authentication
from till_sandbox.model.methods.card_table import Card


def answer(card: Card, *, request: str, off_session: bool, set_up: bool) -> Authentication:
    """What 3-D Secure comes to. `request` is `request_three_d_secure`; `set_up`: saved for this before, with 3DS."""
    asked = request in ("any", "challenge")
    answers: dict[str, Authentication] = {
        "required": "challenge",
        "required_unless_set_up": "none" if off_session and set_up else "challenge",
        "required_on_session": "none" if off_session else "challenge",
        "frictionless": "frictionless",
        "optional": "challenge" if asked and not off_session else "none",
        "optional_fails_to_start": "error" if asked else "none",
        "fails_to_start": "none",
        "not_supported": "none",
        "not_enrolled": "attempted" if asked else "none",
    }
    return answers[card.authentication]


def result(given: Authentication) -> dict[str, Any] | None:
    """`three_d_secure` of a charge after this answer (for a challenge: after it was completed)."""
    if given in ("none", "error"):
        return None
    attempted = given == "attempted"
    return {
        "authentication_flow": None if attempted else given,
        "electronic_commerce_indicator": "06" if attempted else "05",
        "exemption_indicator": None,
        "exemption_indicator_applied": None,
        "result": "attempt_acknowledged" if attempted else "authenticated",
        "result_reason": None,
        "transaction_id": str(uuid.uuid4()),
        "version": "2.2.0",
    }
