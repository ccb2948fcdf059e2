"""Invoices as PDF: whose names our font can write, and that the file is the same each time."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from store.web.presentation.document_pdf import GlyphsMissing, render
from store.web.presentation.documents import Sheet, SheetLine, SheetTax

ISSUED = datetime(2026, 11, 28, 12, tzinfo=UTC)
SHEET = Sheet(
    title="Invoice",
    name="INV-000001",
    facts=[("Date", "November 28, 2026")],
    seller=["Till", "1 Test Street"],
    buyer=["Ada Shopper"],
    ship_to=[],
    lines=[SheetLine("Cedar pencil", "2", "$4.00", "$8.00")],
    sums=[("Total, paid", "$8.00")],
    taxes=[SheetTax("VAT 19%", "$6.72", "$1.28", "$8.00")],
    notes=["Reverse charge."],
)
ALPHABETS = ["Łukasz Żółć", "Ηλίας Παπαδόπουλος", "Юрий Щербаков", "Nguyễn Thị Minh", "Ðorđe Æther", "Գևորգ", "გიორგი"]
FROM_THE_RIGHT = ["محمد الأحمد", "שרה כהן"]


def test_names_of_many_alphabets_are_in_the_file_with_their_font() -> None:
    file = render(replace(SHEET, buyer=[*ALPHABETS, *FROM_THE_RIGHT]), ISSUED)

    assert file.startswith(b"%PDF-")
    assert file.count(b"/FontFile2") == 2


@pytest.mark.parametrize("name", ["山田太郎", "अर्जुन", "Ada 🎉"])
def test_a_name_without_glyphs_is_refused_rather_than_left_blank(name: str) -> None:
    with pytest.raises(GlyphsMissing):
        render(replace(SHEET, buyer=[name]), ISSUED)


def test_the_same_invoice_is_the_same_file_each_time() -> None:
    many = replace(SHEET, lines=[*SHEET.lines] * 40)

    assert render(many, ISSUED) == render(many, ISSUED)
    assert render(many, ISSUED).count(b"/Type /Page\n") == 2
