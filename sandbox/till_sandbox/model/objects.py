"""New objects: every field that the official library declares, with what was given in place of its blank value."""

from functools import cache
from typing import Any

from till_sandbox.data import load
from till_sandbox.state import Resource, Transaction

#: In a template, where a value has to be given.
_REQUIRED: Any = object()


def new(tx: Transaction, kind: str, given: dict[str, Any], private: dict[str, Any] | None = None) -> Resource:
    """An object of a kind with its fields in Stripe's order: `id`, `object`, then by name.

    `given` has its `id` and whatever is not blank; `created` is now unless it is given. Fields that the library does
    not declare are taken too. Raises ValueError for a required one that is missing.
    """
    template, required, mutable = _template(kind)
    body = {**template, **given}
    for name in mutable:
        if name not in given:
            body[name] = type(body[name])()
    if body.get("created") is _REQUIRED:
        body["created"] = tx.now
    if len(body) != len(template):
        body = {name: body[name] for name in ("id", "object", *sorted(body.keys() - {"id", "object"}))}
    missing = [name for name in required if body[name] is _REQUIRED]
    if missing:
        raise ValueError(f"a {kind} needs {', '.join(missing)}")
    return Resource(body, private)


@cache
def _template(kind: str) -> tuple[dict[str, Any], list[str], list[str]]:
    """The blank object of a kind, its fields that have no blank value, and those whose blank values must not be shared
    between objects.
    """
    found = load("sdk")["objects"][kind]
    values = {**found["blank"], **dict.fromkeys(found["required"], _REQUIRED)}
    if "created" in values:
        values["created"] = _REQUIRED
    template = {"id": _REQUIRED, "object": kind, **dict(sorted(values.items()))}
    required = [name for name, value in template.items() if value is _REQUIRED]
    return template, required, [name for name, value in template.items() if isinstance(value, list | dict)]
