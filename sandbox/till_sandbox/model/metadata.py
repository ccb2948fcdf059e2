"""Metadata: up to 50 keys of 40 characters with values of 500; updates merge, an empty value removes a key."""

from typing import Any

from till_sandbox.errors import ApiError

KEYS, KEY_LENGTH, VALUE_LENGTH = 50, 40, 500


def merged(current: dict[str, str], given: dict[str, Any] | None) -> dict[str, str]:
    """The metadata after an update with `given`; None or nothing at all removes everything."""
    if given is None:
        return {}
    result = dict(current)
    for key, value in given.items():
        _check(key, value)
        if value == "":
            result.pop(key, None)
        else:
            result[key] = value
    if len(result) > KEYS:
        raise ApiError(
            f"You can have up to {KEYS} metadata keys, but you passed in {len(result)} keys.", param="metadata"
        )
    return result


def _check(key: str, value: Any) -> None:
    if not isinstance(value, str):
        raise ApiError(
            f"Metadata values must be strings, but you passed in a value for key {key} that is not.", param="metadata"
        )
    if not key or len(key) > KEY_LENGTH:
        raise ApiError(
            f"Metadata keys can have up to {KEY_LENGTH} characters; you passed in a key that is {len(key)} characters. "
            f"Invalid key: {key}",
            param="metadata",
        )
    if len(value) > VALUE_LENGTH:
        raise ApiError(
            f"Metadata values can have up to {VALUE_LENGTH} characters, but you passed in a value that is "
            f"{len(value)} characters. Invalid value: {value}",
            param=f"metadata[{key}]",
        )
