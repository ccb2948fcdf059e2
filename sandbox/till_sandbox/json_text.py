"""JSON: as Stripe writes it, and as the sandbox keeps it."""

from typing import Any

import orjson


def pretty(value: Any) -> str:
    """As Stripe writes it: two spaces for each level, one value a line."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def compact(value: Any) -> str:
    """As it is kept: without any space."""
    return orjson.dumps(value).decode()


def parse(text: str) -> Any:
    """The value of what one of the others wrote."""
    return orjson.loads(text)
