"""Addresses, billing and shipping details: every key there, null where nothing was given."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from till_sandbox.errors import ApiError

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def address(given: Mapping[str, Any] | None, current: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A whole address. What is not given keeps its current value."""
    return {name: (given or {}).get(name, (current or {}).get(name)) or None for name in ADDRESS}


def billing_details(given: Mapping[str, Any], current: Mapping[str, Any] | None = None) -> dict[str, Any]:
    current = current or {}
    if given.get("email"):
        check_email(given["email"], "billing_details[email]")
    plain = {name: given.get(name, current.get(name)) or None for name in ("email", "name", "phone", "tax_id")}
    return {"address": address(given.get("address"), current.get("address")), **plain}


def shipping(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Shipping details, always replaced as a whole; None clears them."""
    if not given:
        return None
    plain = {name: given.get(name) or None for name in ("carrier", "name", "phone", "tracking_number")}
    return {"address": address(given.get("address")), **plain}


def check_email(value: str, param: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", value):
        raise ApiError(f"Invalid email address: {value}", code="email_invalid", param=param)
    return value


def check_url(value: str, param: str) -> str:
    if not re.match(r"[a-z][a-z0-9+.-]*://[^\s/]+", value, re.IGNORECASE):
        raise ApiError("Not a valid URL", code="url_invalid", param=param)
    return value


def check_web_url(value: str, param: str) -> str:
    """An address that can be posted to."""
    try:
        parts = urlsplit(value)
        complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        complete = False
    if not complete or re.search(r"\s", value):
        raise ApiError("Not a valid URL", code="url_invalid", param=param)
    return value
