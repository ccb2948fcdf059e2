"""The `Stripe-Version` header: any version Stripe has published is taken, and answered as the pinned one."""

from till_sandbox.data import load
from till_sandbox.errors import ApiError

PINNED: str = load("sdk")["api_version"]
_PUBLISHED = frozenset(load("sdk")["parameters"]["WebhookEndpointCreateParams"]["api_version"]["enum"])


def check_version(given: str | None) -> None:
    if given is not None and given != PINNED and given not in _PUBLISHED:
        raise ApiError(f"Invalid Stripe API version: {given}")


def answered_version(given: str | None) -> str:
    """The version an answer names: the one that was asked for, or the account's own."""
    return given if given is not None and given in _PUBLISHED else PINNED


def pins_types(given: str | None) -> bool:
    """Whether the version is from before endive, which took `payment_method_types` away."""
    return given is not None and given[:10] < "2026-09-30"
