"""An invoice or a credit note as PDF, with fpdf2, which is loaded when the first one is asked for.

The font is in the file: DejaVu Sans, which has the letters of Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and
Arabic names. It has none of Chinese, Japanese and Korean, nor of the scripts of India.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import bidirectional, combining

from store.web.presentation.documents import Sheet

if TYPE_CHECKING:
    from fpdf import FPDF
    from fpdf.fonts import TTFFont

FONTS = Path(__file__).parent / "fonts"
FAMILY = "dejavu"
REGULAR, BOLD = FONTS / "DejaVuSans.ttf", FONTS / "DejaVuSans-Bold.ttf"
MARGIN, LINE = 20, 5  # millimetres
INK = (31, 42, 36)


class GlyphsMissing(Exception):
    """The font has no picture of some letters: a browser has to print the page."""


def render(sheet: Sheet, issued_at: datetime) -> bytes:
    """The PDF; the same bytes each time. Raises GlyphsMissing."""
    with _blank() as pdf:
        if not _can_write(pdf, sheet.text):
            raise GlyphsMissing
        if _needs_shaping(sheet.text):
            pdf.set_text_shaping(use_shaping_engine=True)
        _write(pdf, sheet, issued_at)
        return bytes(pdf.output())


def _write(pdf: FPDF, sheet: Sheet, issued_at: datetime) -> None:
    pdf.set_creation_date(issued_at)
    pdf.set_title(f"{sheet.title} {sheet.name}")
    pdf.set_author(sheet.seller[0])
    pdf.set_lang("en")
    pdf.add_page()
    pdf.set_text_color(*INK)
    pdf.set_font(FAMILY, "B", 18)
    _paragraph(pdf, 9, sheet.title)
    pdf.set_font(FAMILY, "", 12)
    _paragraph(pdf, 7, sheet.name)
    pdf.ln(LINE)
    _columns(pdf, [("From", sheet.seller), ("To", sheet.buyer)])
    _columns(pdf, [("", [f"{label}: {said}" for label, said in sheet.facts]), ("Ships to", sheet.ship_to)])
    _table(
        pdf,
        ("Item", "Quantity", "Each", "Amount"),
        [(line.name, line.quantity, line.each, line.amount) for line in sheet.lines],
        (86, 24, 30, 30),
    )
    _sums(pdf, sheet.sums)
    if sheet.taxes:
        rows = [(tax.label, tax.net, tax.tax, tax.gross) for tax in sheet.taxes]
        _table(pdf, ("Tax", "Net", "Tax", "Gross"), rows, (74, 32, 32, 32))
    for note in sheet.notes:
        _paragraph(pdf, LINE, note)


@contextmanager
def _blank() -> Iterator[FPDF]:
    """A file without pages, with both faces of the font, which are closed at the end."""
    from fpdf import FPDF  # 0.2 seconds that no other page is to wait for

    pdf = FPDF(format="A4")
    pdf.add_font(FAMILY, "", REGULAR)
    pdf.add_font(FAMILY, "B", BOLD)
    pdf.set_margins(MARGIN, MARGIN, MARGIN)
    pdf.set_auto_page_break(auto=True, margin=MARGIN)
    try:
        yield pdf
    finally:
        for face in _faces(pdf):
            face.ttfont.close()


def _faces(pdf: FPDF) -> list[TTFFont]:
    from fpdf.fonts import TTFFont

    return [face for face in pdf.fonts.values() if isinstance(face, TTFFont)]


def _can_write(pdf: FPDF, text: str) -> bool:
    """Whether both faces have a picture of each letter."""
    faces = [face.cmap for face in _faces(pdf)]
    return all(letter.isspace() or all(ord(letter) in face for face in faces) for letter in text)


def _needs_shaping(text: str) -> bool:
    """Whether letters join or stand on each other. It takes twice as long, so others are written without."""
    return any(bidirectional(letter) in ("R", "AL") or combining(letter) for letter in text)


def _paragraph(pdf: FPDF, height: int, text: str) -> None:
    pdf.multi_cell(0, height, text, align="L", new_x="LMARGIN", new_y="NEXT")


def _columns(pdf: FPDF, columns: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Short texts side by side, each under its heading."""
    width, top = pdf.epw / len(columns), pdf.get_y()
    lowest = top
    for number, (heading, lines) in enumerate(columns):
        if not lines:
            continue
        pdf.set_xy(pdf.l_margin + number * width, top)
        pdf.set_font(FAMILY, "B", 9)
        if heading:
            pdf.cell(width, LINE, heading)
            pdf.ln(LINE)
        pdf.set_font(FAMILY, "", 9)
        for line in lines:
            pdf.set_x(pdf.l_margin + number * width)
            pdf.multi_cell(width - 4, LINE, line, align="L", new_y="NEXT")
        lowest = max(lowest, pdf.get_y())
    pdf.set_xy(pdf.l_margin, lowest + LINE)


def _table(pdf: FPDF, headings: Sequence[str], rows: Sequence[Sequence[str]], widths: tuple[int, ...]) -> None:
    """Rows with thin lines between them; the headings come again on each page."""
    from fpdf.fonts import FontFace

    pdf.set_font(FAMILY, "", 9)
    pdf.set_draw_color(200, 200, 200)
    with pdf.table(
        borders_layout="HORIZONTAL_LINES",
        col_widths=widths,
        text_align=("LEFT", *["RIGHT"] * (len(widths) - 1)),
        headings_style=FontFace(emphasis="BOLD", color=INK),
        line_height=LINE,
        padding=(1.2, 0),
    ) as table:
        for cells in (headings, *rows):
            row = table.row()
            for cell in cells:
                row.cell(cell)
    pdf.ln(LINE)


def _sums(pdf: FPDF, sums: Sequence[tuple[str, str]]) -> None:
    """What comes after the lines, at the right; the last one is the total."""
    half = pdf.epw / 2
    for number, (label, amount) in enumerate(sums, 1):
        last = number == len(sums)
        pdf.set_font(FAMILY, "B" if last else "", 11 if last else 9)
        pdf.set_x(pdf.l_margin + half)
        top = pdf.get_y()
        pdf.multi_cell(half - 34, LINE + 1, label, align="L", new_y="NEXT")
        bottom = pdf.get_y()
        pdf.set_xy(pdf.l_margin + pdf.epw - 34, top)
        pdf.cell(34, LINE + 1, amount, align="R")
        pdf.set_xy(pdf.l_margin, max(bottom, top + LINE + 1))
    pdf.ln(LINE)
