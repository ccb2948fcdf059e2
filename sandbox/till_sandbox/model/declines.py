"""Why a card was refused: one table, `data/declines.json`, from the reason to everything Stripe says about it."""

from typing import Any

from till_sandbox.data import load
from till_sandbox.errors import ApiError, doc_url
from till_sandbox.state import Resource

_DECLINES: dict[str, dict[str, Any]] = load("declines")["declines"]
_FIELDS = ("advice_code", "code", "decline_code", "message", "network_advice_code", "network_decline_code", "param")


def error(reason: str, *, keeps_changes: bool = False, **details: Any) -> ApiError:
    """The 402 for a decline. `details`: charge, payment_method, payment_intent, setup_intent where there are any."""
    said = {name: value for name, value in _DECLINES[reason].items() if name in _FIELDS}
    return ApiError(
        said.pop("message"), status=402, kind="card_error", keeps_changes=keeps_changes, **{**said, **details}
    )


def last_error(reason: str, payment_method: Resource, *, charge: str | None = None) -> dict[str, Any]:
    """What a PaymentIntent or SetupIntent keeps of a decline."""
    said: dict[str, Any] = {name: value for name, value in _DECLINES[reason].items() if name in _FIELDS}
    said["doc_url"] = doc_url(said["code"])
    said["type"] = "card_error"
    said["payment_method"] = payment_method.snapshot()
    if charge is not None:
        said["charge"] = charge
    return dict(sorted(said.items()))


def outcome(reason: str) -> dict[str, Any]:
    """The parts of a failed charge's `outcome` that depend on the reason."""
    said = _DECLINES[reason]
    decline_code = said["decline_code"]
    details = (
        "The bank did not return any further details with this decline."
        if decline_code == "generic_decline"
        else f"The bank returned the decline code `{decline_code}`."
    )
    issuer = {
        "network_status": "declined_by_network",
        "reason": decline_code,
        "seller_message": details,
        "type": "issuer_declined",
    }
    return {
        "advice_code": said.get("advice_code"),
        "network_advice_code": said.get("network_advice_code"),
        "network_decline_code": said.get("network_decline_code"),
        **said.get("outcome", issuer),
    }


def code(reason: str) -> str:
    return str(_DECLINES[reason]["code"])


def message(reason: str) -> str:
    return str(_DECLINES[reason]["message"])
