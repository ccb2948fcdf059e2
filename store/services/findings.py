"""What a check found: a code and data. What an operator reads of it is in `store/cli/findings.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` names what it is about, such as `order ABCD-…`. `code` says what is wrong, and `data` has the details
    that its words need. `unrepaired`: reconciliation has tried, and a person has to.
    """

    subject: str
    code: str
    data: Mapping[str, object] = field(default_factory=dict)
    unrepaired: bool = False
