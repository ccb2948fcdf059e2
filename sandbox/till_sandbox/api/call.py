"""A request as a resource module sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from till_sandbox.api.http import SentFile
from till_sandbox.state import Page, Resource, Transaction


@dataclass(frozen=True)
class Principal:
    """The caller: an account, with its secret key or with the publishable key that every browser sees."""

    account: str
    publishable: bool


@dataclass(frozen=True)
class Call:
    """One request, checked and typed: `params` has only what the operation knows, `ids` are the path's. What was sent
    as a file is in `files`, and its description in `params`.
    """

    tx: Transaction
    params: dict[str, Any]
    ids: dict[str, str]
    principal: Principal
    files: Mapping[str, SentFile] = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """A page and how Stripe presents it."""

    page: Page
    count: int | None = None


def listing(call: Call, kind: str, equal: dict[str, Any], **more: Any) -> Listing:
    """The page of a list that the common parameters (limit, cursors, created) and `equal` select. None means any."""
    params = call.params
    created = params.get("created", {})
    return Listing(
        call.tx.page(
            kind,
            limit=params["limit"],
            starting_after=params.get("starting_after"),
            ending_before=params.get("ending_before"),
            equal={name: value for name, value in equal.items() if value is not None},
            created=created if isinstance(created, dict) else {"gte": created, "lte": created},
            **more,
        )
    )


def slice_of(call: Call, kind: str, found: list[Resource]) -> Listing:
    """The page that the common parameters select of a list that is there in its own order."""
    names = [each.id for each in found]
    first, last = 0, len(found)
    for param in ("starting_after", "ending_before"):
        if param in call.params:
            call.tx.get(kind, call.params[param], param=param, status=400)
    if call.params.get("starting_after") in names:
        first = names.index(call.params["starting_after"]) + 1
    if call.params.get("ending_before") in names:
        last = names.index(call.params["ending_before"])
        first = max(first, last - call.params["limit"])
        return Listing(Page(found[first:last], has_more=first > 0))
    end = first + call.params["limit"]
    return Listing(Page(found[first:end], has_more=last > end))
