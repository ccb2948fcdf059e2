"""Rules that several kinds of the catalogue share."""

from collections.abc import Iterable, Mapping
from typing import Any

from till_sandbox.errors import ApiError
from till_sandbox.state import Resource, Transaction
from till_sandbox.state.names import stored_name

FIVE_YEARS = 5 * 366 * 86400


def check_one_of(params: Mapping[str, Any], *names: str, param: str | None = None) -> None:
    """At most one of these parameters may be given."""
    given = [name for name in names if name in params]
    if len(given) > 1:
        raise ApiError(f"You may only specify one of these parameters: {', '.join(given)}.", param=param or given[0])


def check_future(tx: Transaction, value: int, param: str) -> int:
    """A time that is still to come, within five years."""
    if value <= tx.now:
        raise ApiError(
            f"The parameter `{param}` expects a unix timestamp representing a date and time in the future. You "
            f"specified the value `{value}` which is in the past.",
            param=param,
        )
    if value > tx.now + FIVE_YEARS:
        raise ApiError("Invalid timestamp: can be no more than five years in the future.", param=param)
    return value


def check_not_negative(value: int, param: str) -> int:
    if value < 0:
        raise ApiError("Invalid non-negative integer", code="parameter_invalid_integer", param=param)
    return value


def check_at_least_one(value: int, param: str) -> int:
    if value < 1:
        raise ApiError("This value must be greater than or equal to 1.", code="parameter_invalid_integer", param=param)
    return value


def check_at_most(values: Iterable[Any], most: int, param: str) -> list[Any]:
    """The values as a list, of which there may be so many."""
    listed = list(values)
    if len(listed) > most:
        raise ApiError(f"Array {param} exceeded maximum {most} allowed elements.", param=param)
    return listed


def claim(tx: Transaction, kind: str, object_id: str) -> str:
    """The name to store an object by whose id the account has chosen. An id that is in use is refused."""
    if tx.find(kind, object_id) is not None:
        raise ApiError(f"{kind.capitalize()} already exists.", code="resource_already_exists")
    name = stored_name(tx.account, kind, object_id)
    tx.execute("DELETE FROM objects WHERE id = ? AND deleted", name)
    return name


def require(tx: Transaction, kind: str, ids: Iterable[str], param: str) -> list[Resource]:
    """The objects that a list in a parameter names."""
    return [tx.get(kind, object_id, param=f"{param}[{number}]", status=400) for number, object_id in enumerate(ids)]
