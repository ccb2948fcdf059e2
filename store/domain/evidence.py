"""Files that a merchant hands to a cardholder's bank with the answer to a dispute."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from store.domain.errors import EvidenceFileRefusal, EvidenceFileRefused

# What the files of a dispute come to at most, in bytes. A network's limit, so no single one may be larger either; the
# payment service says 4.5 MB and leaves open of which kind.
LARGEST_TOGETHER: Final = 4_500_000


class EvidenceKind(StrEnum):
    """What a file shows. A dispute has one of each at most."""

    RECEIPT = "receipt"
    COMMUNICATION = "communication"
    SHIPPING = "shipping"
    SERVICE = "service"
    OTHER = "other"


# What a file of each type begins with, whatever its name says.
_BEGINNINGS: Final = {"pdf": b"%PDF-", "jpg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n"}


def check(content: bytes, others: int) -> str:
    """The type of a file: `pdf`, `jpg` or `png`. `others` is what the dispute's other files come to, in bytes. Raises
    EvidenceFileRefused.
    """
    if not content:
        raise EvidenceFileRefused(EvidenceFileRefusal.EMPTY)
    left = LARGEST_TOGETHER - others
    if len(content) > left:
        raise EvidenceFileRefused(EvidenceFileRefusal.TOO_LARGE, left)
    for kind, beginning in _BEGINNINGS.items():
        if content.startswith(beginning):
            return kind
    raise EvidenceFileRefused(EvidenceFileRefusal.OTHER_TYPE)
