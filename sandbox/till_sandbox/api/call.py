"""A request as a resource module sees it."""

from dataclasses import dataclass
from typing import Any

from till_sandbox.state import Page, Transaction


@dataclass(frozen=True)
class Principal:
    """The caller: an account, with its secret key or with the publishable key that every browser sees."""

    account: str
    publishable: bool


@dataclass(frozen=True)
class Call:
    """One request, checked and typed: `params` has only what the operation knows, `ids` are the path's."""

    tx: Transaction
    params: dict[str, Any]
    ids: dict[str, str]
    principal: Principal


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
