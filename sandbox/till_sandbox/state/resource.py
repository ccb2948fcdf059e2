"""One object of an account."""

from typing import Any

from till_sandbox.json_text import compact, parse


class Resource(dict[str, Any]):
    """An object as Stripe shows it (the dict), and beside it, in `private`, what only the sandbox knows about it.

    `text` is its JSON, where that must stay as it was when somebody needed it.
    """

    __slots__ = ("private", "text")

    def __init__(self, body: dict[str, Any], private: dict[str, Any] | None = None) -> None:
        super().__init__(body)
        self.private: dict[str, Any] = private or {}
        self.text: str | None = None

    @property
    def id(self) -> str:
        """The name it is stored by: its id, unless accounts choose the ids of its kind (`state.names`)."""
        return str(self.private.get("stored_as") or self["id"])

    @property
    def kind(self) -> str:
        return str(self["object"])

    def snapshot(self) -> dict[str, Any]:
        """A copy of the visible part that later changes don't reach."""
        copy: dict[str, Any] = parse(compact(self))
        return copy
