"""What a check found: a sentence subject what is wrong, and one subject what a person should do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` names an order, a product or a setting."""

    subject: str
    wrong: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.wrong} {self.remedy}"
