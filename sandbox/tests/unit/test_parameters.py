"""Form encoding, and what becomes of it."""

from typing import Any

import pytest

from till_sandbox.api.parameters import accepted, decode, typed
from till_sandbox.errors import ApiError

FIELDS: dict[str, Any] = {
    "amount": {"type": "integer", "required": True},
    "confirm": {"type": "boolean"},
    "created": {"type": "object", "or": "integer", "fields": {"gte": {"type": "integer"}}},
    "expand": {"type": "array", "items": {"type": "string"}},
    "mode": {"type": "string", "enum": ["a", "b"]},
    "metadata": {"type": "map"},
    "note": {"type": "string", "clearable": True},
    "shipping": {"type": "object", "clearable": True, "fields": {"name": {"type": "string", "required": True}}},
}


def read(*pairs: tuple[str, str]) -> dict[str, Any]:
    return typed(decode([("amount", "1"), *pairs]), accepted(FIELDS))


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("amount", "-7")], {"amount": -7}),
        ([("confirm", "true")], {"confirm": True}),
        ([("expand[]", "a"), ("expand[]", "b")], {"expand": ["a", "b"]}),
        ([("expand[1]", "b"), ("expand[0]", "a")], {"expand": ["a", "b"]}),
        ([("created", "5")], {"created": 5}),
        ([("created[gte]", "5")], {"created": {"gte": 5}}),
        ([("metadata[a]", "b"), ("metadata[c]", "")], {"metadata": {"a": "b", "c": ""}}),
        ([("metadata", "")], {"metadata": None}),
        ([("note", "")], {"note": None}),
        ([("shipping[name]", "Ada")], {"shipping": {"name": "Ada"}}),
        ([("shipping", "")], {"shipping": None}),
    ],
)
def test_values_get_their_types(pairs: list[tuple[str, str]], expected: dict[str, Any]) -> None:
    assert read(*pairs) == {"amount": 1, **expected}


@pytest.mark.parametrize(
    ("pairs", "message", "param"),
    [
        ([("wat", "1")], "Received unknown parameter: wat", "wat"),
        (
            [("shipping[wat]", "1"), ("shipping[name]", "A")],
            "Received unknown parameter: shipping[wat]",
            "shipping[wat]",
        ),
        ([("shipping[name]", "A"), ("shipping", "x")], "Invalid object", "shipping"),
        ([("metadata", "x")], "Invalid object", "metadata"),
        ([("expand", "x")], "Invalid array", "expand"),
        ([("expand[x]", "y")], "Invalid array", "expand"),
        ([("amount", "1.5")], "Invalid integer: 1.5", "amount"),
        ([("amount[]", "1")], "Invalid object", "amount[]"),
        ([("confirm", "x")], "Invalid boolean: 'x'", "confirm"),
        ([("mode", "c")], "Invalid mode: must be one of a or b", "mode"),
        ([("shipping[x", "1")], "Received unknown parameter: shipping[x", "shipping[x"),
        ([("created[gte]", "")], "You passed an empty string for 'created[gte]'.", "created[gte]"),
    ],
)
def test_what_does_not_fit_is_refused(pairs: list[tuple[str, str]], message: str, param: str) -> None:
    with pytest.raises(ApiError) as refusal:
        read(*pairs)

    assert refusal.value.message.startswith(message)
    assert refusal.value.param == param


def test_what_is_missing_is_named_with_its_place() -> None:
    with pytest.raises(ApiError, match="Missing required param: amount"):
        typed({}, accepted(FIELDS))
    with pytest.raises(ApiError, match=r"Missing required param: shipping\[name\]"):
        typed({"amount": "1", "shipping": {}}, accepted(FIELDS))
