"""Files for a cardholder's bank: told by their content, and so large together at most."""

import pytest

from store.domain.errors import EvidenceFileRefusal, EvidenceFileRefused
from store.domain.evidence import LARGEST_TOGETHER, check

PDF, PNG, JPEG = b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1"


def refused(content: bytes, others: int = 0) -> tuple[EvidenceFileRefusal, int]:
    with pytest.raises(EvidenceFileRefused) as refusal:
        check(content, others)
    return refusal.value.reason, refusal.value.left


def test_a_file_is_told_by_what_it_begins_with() -> None:
    assert [check(content, 0) for content in (PDF, JPEG, PNG)] == ["pdf", "jpg", "png"]
    assert refused(b"GIF89a") == (EvidenceFileRefusal.OTHER_TYPE, 0)
    assert refused(b" %PDF-1.7") == (EvidenceFileRefusal.OTHER_TYPE, 0)
    assert refused(b"") == (EvidenceFileRefusal.EMPTY, 0)


def test_all_files_of_a_dispute_come_to_so_much_at_most() -> None:
    assert check(PDF, LARGEST_TOGETHER - len(PDF)) == "pdf"
    assert refused(PDF, LARGEST_TOGETHER - len(PDF) + 1) == (EvidenceFileRefusal.TOO_LARGE, len(PDF) - 1)
    assert check(PDF + bytes(LARGEST_TOGETHER - len(PDF)), 0) == "pdf"
    assert refused(PDF + bytes(LARGEST_TOGETHER)) == (EvidenceFileRefusal.TOO_LARGE, LARGEST_TOGETHER)
