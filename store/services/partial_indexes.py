"""States in the words of a partial index: SQLite uses one only where a statement writes its condition out."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import BindParameter, bindparam


def written_out(states: Sequence[StrEnum]) -> BindParameter[Sequence[StrEnum]]:
    """What `in_` and `not_in` take to have the states in the statement itself, and not as parameters. They have to be
    in the order in which the index names them.
    """
    return bindparam(None, states, expanding=True, literal_execute=True)


def one_written_out(state: StrEnum) -> BindParameter[StrEnum]:
    """The same for an index of one state, which says `=` and not `IN`."""
    return bindparam(None, state, literal_execute=True)
