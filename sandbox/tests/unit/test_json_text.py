"""JSON is written as Stripe writes it, to the byte, since signatures and idempotent answers are of bytes."""

import json
from typing import Any

import pytest

from till_sandbox import json_text
from till_sandbox.state import Resource

VALUES: list[Any] = [
    {"none": {}, "empty": [], "nested": {"list": [1, {"a": None}], "yes": True, "no": False}},
    {"text": '"quoted" \\ / </script> \u0000 \u001f \u007f \n\t\b\f\r é € ☕ 💳 \u2028'},
    {"numbers": [0, -1, 99999999, 10**18, 0.1, 2.5, 1800000000.25]},
    Resource({"id": "pi_1", "object": "payment_intent", "charge": Resource({"id": "ch_1", "object": "charge"})}),
]


@pytest.mark.parametrize("value", VALUES)
def test_json_is_indented_as_stripe_does(value: Any) -> None:
    written = json_text.pretty(value)

    assert written == json.dumps(value, indent=2, ensure_ascii=False)


@pytest.mark.parametrize("value", VALUES)
def test_json_is_kept_as_it_was(value: Any) -> None:
    kept = json_text.compact(value)

    assert kept == json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    assert json_text.parse(kept) == value
