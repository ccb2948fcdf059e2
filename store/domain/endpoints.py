"""Addresses of other programs that are told of what happens in the store: which are taken, and what they are told."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urlsplit

LONGEST_URL = 500  # characters


class Fact(StrEnum):
    """What an endpoint may be told of. `order.refunded` is told for each refund that was sent to the bank."""

    ORDER_PAID = "order.paid"
    ORDER_SHIPPED = "order.shipped"
    ORDER_REFUNDED = "order.refunded"
    REVIEW_OPENED = "review.opened"


def is_endpoint(url: str, *, live: bool) -> bool:
    """Whether an address may be one: https, and http too to this machine where no real money moves. Where its name
    leads to is looked at whenever something is sent.
    """
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > LONGEST_URL:
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or port == 0 or parts.username is not None or parts.password is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and not live and _is_this_machine(host))


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
