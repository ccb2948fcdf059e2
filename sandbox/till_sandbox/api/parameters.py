"""Request parameters: from form encoding to typed values, as strict as Stripe.

What exists, and of which type, comes from the official library's parameter types (`data/sdk.json`).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from till_sandbox.data import load
from till_sandbox.errors import ApiError, missing_param

Spec = dict[str, Any]

#: Longest text Stripe takes where it says nothing else.
LONGEST = 5000
DEEPEST = 12

#: Python's own words too, as stripe-python sent them before 12.0.1.
_BOOLEANS = {"true": True, "True": True, "false": False, "False": False}

#: What each kind of number is read as, and how it is written.
_NUMBERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "decimal": (Decimal, r"-?[0-9]{1,18}(\.[0-9]{1,12})?"),
    "integer": (int, r"-?[0-9]{1,18}"),
    "number": (float, r"-?[0-9]+(\.[0-9]+)?"),
}

_STRING = {"type": "string"}
_INTEGER = {"type": "integer"}
_OPEN = {"type": "open"}

#: Typed into the card frame; no library has parameters for it.
CARD = {
    "type": "object",
    "fields": {
        "cvc": _STRING,
        "exp_month": _INTEGER,
        "exp_year": _INTEGER,
        "networks": {"type": "object", "fields": {"preferred": _STRING}},
        "number": _STRING,
        "token": _STRING,
    },
}

#: What Stripe.js says about a group of Elements that was made without an intent.
_CONTEXT = {"type": "map"}

#: What Stripe.js adds to its requests, read by nobody here.
FROM_STRIPE_JS = (
    "_stripe_account",
    "_stripe_version",
    "client_attribution_metadata",
    "expected_payment_method_type",
    "guid",
    "muid",
    "pasted_fields",
    "payment_user_agent",
    "referrer",
    "sid",
    "time_on_page",
)


def spec_of(params: str | dict[str, Spec]) -> dict[str, Spec]:
    """The parameters of an operation: those of a class of the library's, or given as they are."""
    return load("sdk")["parameters"][params] if isinstance(params, str) else params


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`a[b]=1&c[]=2&c[]=3` as {"a": {"b": "1"}, "c": {"": ["2", "3"]}}: nothing is typed yet."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        match = re.fullmatch(r"([^\[\]]+)((?:\[[^\[\]]*\])+)", name) if name.endswith("]") else None
        path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])] if match else [name]
        _put(tree, path[:DEEPEST], value, name)
    return tree


@dataclass(frozen=True)
class Accepted:
    """The parameters that an operation takes from a kind of caller. Those in `unread` are taken and forgotten."""

    fields: dict[str, Spec]
    unread: frozenset[str] = frozenset()
    chooses_types: bool = False


def accepted(fields: dict[str, Spec], *, browser: bool = False, pins_types: bool = False) -> Accepted:
    """What is taken where the library declares `fields`.

    `browser`: Stripe.js may have added its own. `pins_types`: the version still takes `payment_method_types`.
    """
    known = dict(fields)
    chooses_types = "allowed_payment_method_types" in known
    if chooses_types and pins_types:
        known["payment_method_types"] = {"type": "array", "items": _STRING}
    extra = {name: _OPEN for name in FROM_STRIPE_JS if browser}
    if browser:
        known |= {**extra, "client_context": _CONTEXT, "client_secret": _STRING} | _of_browsers(known)
    if "payment_method_data" in known:
        inside = {
            **extra,
            **known["payment_method_data"]["fields"],
            "card": CARD,
            "type": {**_STRING, "required": True},
        }
        known["payment_method_data"] = {**known["payment_method_data"], "fields": inside}
    return Accepted(known, frozenset(extra), chooses_types and not pins_types)


def typed(tree: dict[str, Any], taken: Accepted) -> dict[str, Any]:
    """The decoded parameters as values of their types. Refuses unknown, missing and malformed ones as Stripe does."""
    if taken.chooses_types and "payment_method_types" in tree:
        raise _types_no_longer_supported()
    values = _object(tree, taken.fields, "")
    return {name: value for name, value in values.items() if name not in taken.unread} if taken.unread else values


def _of_browsers(known: dict[str, Spec]) -> dict[str, Spec]:
    """What the library declares, with what only a browser sends in it: a CVC asked for again, consent given there."""
    changed = {}
    if "payment_method_options" in known:
        options = known["payment_method_options"]
        card = options["fields"]["card"]
        with_cvc = {**card, "fields": {**card["fields"], "cvc": _STRING}}
        changed["payment_method_options"] = {**options, "fields": {**options["fields"], "card": with_cvc}}
    if "mandate_data" in known:
        changed["mandate_data"] = _OPEN
    return changed


def _put(tree: dict[str, Any], path: list[str], value: str, name: str) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise ApiError("Invalid object", param=name)
    last = path[-1]
    if last == "":
        listed = tree.setdefault("", [])
        if not isinstance(listed, list):
            raise ApiError("Invalid array", param=name)
        listed.append(value)
    elif isinstance(tree.get(last), dict):
        raise ApiError("Invalid object", param=name)
    else:
        tree[last] = value


def _object(tree: dict[str, Any], fields: dict[str, Spec], prefix: str) -> dict[str, Any]:
    unknown = [_join(prefix, name) for name in tree if name not in fields]
    if unknown:
        several = "s" if len(unknown) > 1 else ""
        raise ApiError(
            f"Received unknown parameter{several}: {', '.join(unknown)}", code="parameter_unknown", param=unknown[0]
        )
    for name, spec in fields.items():
        if spec.get("required") and name not in tree:
            raise missing_param(_join(prefix, name))
    return {name: _value(raw, fields[name], _join(prefix, name)) for name, raw in tree.items()}


def _value(raw: Any, spec: Spec, name: str) -> Any:
    kind = spec["type"]
    if kind == "open":
        return raw
    if raw == "":
        return _cleared(spec, name)
    if isinstance(raw, dict):
        return _structure(raw, spec, name)
    if kind == "object" and "or" in spec:
        return _scalar(raw, {"type": spec["or"]}, name)
    if kind in ("object", "map"):
        raise ApiError("Invalid object", param=name)
    if kind == "array":
        raise ApiError("Invalid array", param=name)
    return _scalar(raw, spec, name)


def _structure(raw: dict[str, Any], spec: Spec, name: str) -> Any:
    if spec["type"] == "object":
        return _object(raw, spec["fields"], name)
    if spec["type"] == "map" and "values" in spec:
        return {_currency_key(key, name): _value(value, spec["values"], _join(name, key)) for key, value in raw.items()}
    if spec["type"] == "map":
        for key, value in raw.items():
            if not isinstance(value, str):
                raise ApiError("Invalid string: metadata values must be plain strings", param=_join(name, key))
        return raw
    if spec["type"] == "array":
        listed = raw.get("")
        if listed is not None and len(raw) == 1:
            values = [(f"{name}[{index}]", value) for index, value in enumerate(listed)]
        elif all(key.isascii() and key.isdigit() and len(key) < 6 for key in raw):
            values = [(f"{name}[{key}]", raw[key]) for key in sorted(raw, key=int)]
        else:
            raise ApiError("Invalid array", param=name)
        return [_value(value, spec["items"], path) for path, value in values]
    raise ApiError(f"Invalid {spec['type']}", param=name)


def _currency_key(key: str, name: str) -> str:
    """A map of hashes has currencies as its keys."""
    if key != key.lower():
        raise ApiError(
            f"Currencies must be lowercase when used as keys in a map. Use `{key.lower()}` instead of `{key}`.",
            param=name,
        )
    return key


def _cleared(spec: Spec, name: str) -> Any:
    """An empty value unsets what can be unset."""
    if spec["type"] == "map" or spec.get("clearable"):
        return None
    if spec["type"] == "array":
        return []
    raise ApiError(
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter; however "
        f"'{name}' cannot be unset. You should remove '{name}' from your request or supply a non-empty value.",
        code="parameter_invalid_empty",
        param=name,
    )


def _scalar(raw: str, spec: Spec, name: str) -> Any:
    kind = spec["type"]
    if kind in ("integer", "boolean") and raw in spec.get("enum", ()):
        return raw
    if kind in _NUMBERS:
        return _number(raw, kind, name)
    if kind == "boolean":
        if raw in _BOOLEANS:
            return _BOOLEANS[raw]
        raise ApiError(f"Invalid boolean: '{raw}'", param=name)
    if "enum" in spec and raw not in spec["enum"]:
        raise ApiError(f"Invalid {name}: must be one of {_one_of(spec['enum'])}", param=name)
    if len(raw) > LONGEST:
        raise ApiError(f"Invalid string: {raw[:10]}...{raw[-10:]}; must be at most {LONGEST} characters", param=name)
    return raw


def _number(raw: str, kind: str, name: str) -> Any:
    made, pattern = _NUMBERS[kind]
    if re.fullmatch(pattern, raw, re.ASCII):
        return made(raw)
    if kind == "integer":
        raise ApiError(f"Invalid integer: {raw}", code="parameter_invalid_integer", param=name)
    raise ApiError(f"Invalid decimal: {raw}", param=name)


def _one_of(values: list[str]) -> str:
    *others, last = values
    comma = "," if len(others) > 1 else ""
    return f"{', '.join(others)}{comma} or {last}" if others else last


def _types_no_longer_supported() -> ApiError:
    return ApiError(
        "`payment_method_types` is no longer supported. Use `allowed_payment_method_types` or "
        "`excluded_payment_method_types` to choose among the payment methods enabled in your Dashboard.",
        code="payment_method_types_no_longer_supported",
        param="payment_method_types",
    )


def _join(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name
