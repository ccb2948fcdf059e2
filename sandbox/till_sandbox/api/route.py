"""One operation of the API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from till_sandbox.api.call import Call


@dataclass(frozen=True, eq=False)  # each is itself alone, and can be looked up by
class Route:
    """A method and path, what answers them, and their parameters: a class of the library's, or given as they are.

    `publishable`: browsers may ask for it with a publishable key. `undocumented`: parameters Stripe takes all the same,
    of whatever type.
    """

    method: str
    path: str
    operation: Callable[[Call], Any]
    params: str | dict[str, Any]
    publishable: bool = False
    undocumented: tuple[str, ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether it takes the parameters of a list."""
        return self.method == "GET" and (
            isinstance(self.params, str) and ("List" in self.params or "Search" in self.params)
        )
