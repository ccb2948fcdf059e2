"""What a check found: a sentence about what is wrong, and one about what a person should do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`about` names an order, a product or a setting."""

    about: str
    wrong: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.about}: {self.wrong} {self.remedy}"
