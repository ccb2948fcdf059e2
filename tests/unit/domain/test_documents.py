"""Invoices and credit notes: their names, and the taxes that are in them."""

from hypothesis import given
from hypothesis import strategies as st

from store.domain.documents import DocumentKind, TaxRow, credited, document_name, left, tax_rows
from store.domain.money import Money
from store.domain.pricing import Adjustment, AdjustmentKind


def usd(minor: int) -> Money:
    return Money(minor, "usd")


def test_each_kind_is_named_by_its_series() -> None:
    assert document_name(DocumentKind.INVOICE, 1) == "INV-000001"
    assert document_name(DocumentKind.CREDIT_NOTE, 1234567) == "CN-1234567"


def test_each_rate_says_what_it_was_computed_on_and_what_is_due() -> None:
    shipping = Adjustment(AdjustmentKind.SHIPPING, "Standard", usd(500))
    rows = tax_rows(
        [
            shipping,
            Adjustment(AdjustmentKind.TAX, "VAT 19%, included", usd(0), contained=usd(190), base=usd(1000)),
            Adjustment(AdjustmentKind.TAX, "Sales tax 5%", usd(50), base=usd(1000)),
            Adjustment(AdjustmentKind.TAX, "VAT 7% not charged: reverse charge", usd(-70), base=usd(1000)),
            Adjustment(AdjustmentKind.TAX, "Old tax", usd(7)),
        ]
    )

    assert rows == (
        TaxRow("VAT 19%, included", usd(1000), usd(190)),
        TaxRow("Sales tax 5%", usd(1000), usd(50)),
        TaxRow("VAT 7% not charged: reverse charge", usd(1000), usd(0)),
        TaxRow("Old tax", None, usd(7)),
    )
    assert [row.gross for row in rows] == [usd(1190), usd(1050), usd(1000), None]


def test_a_part_of_an_order_has_its_part_of_the_taxes() -> None:
    rows = (TaxRow("VAT 19%", usd(1000), usd(190)), TaxRow("Old tax", None, usd(7)))

    half = credited(rows, usd(1197), usd(599))

    assert half == (TaxRow("VAT 19%", usd(500), usd(95)), TaxRow("Old tax", None, usd(4)))
    assert left(rows, [half]) == (TaxRow("VAT 19%", usd(500), usd(95)), TaxRow("Old tax", None, usd(3)))
    assert credited(left(rows, [half]), usd(598), usd(598)) == left(rows, [half])
    back = tuple(TaxRow(row.label, row.base and usd(-row.base.minor), usd(-row.tax.minor)) for row in half)
    assert left(rows, [half, back]) == rows


def test_a_part_whose_taxes_are_known_has_these() -> None:
    rows = (TaxRow("VAT 19%", usd(1000), usd(190)), TaxRow("VAT 7%", usd(1000), usd(70)))

    assert credited(rows, usd(2260), usd(1000), usd(26)) == (
        TaxRow("VAT 19%", usd(100), usd(19)),
        TaxRow("VAT 7%", usd(100), usd(7)),
    )
    assert credited(rows, usd(2260), usd(1000), usd(261)) == rows  # not more than there is
    assert credited(rows, usd(0), usd(1), usd(5)) == rows  # whatever went back that had not come in


def test_of_a_tax_that_is_not_charged_the_amount_decides() -> None:
    rows = (TaxRow("VAT 19% not charged: reverse charge", usd(1000), usd(0)),)

    assert credited(rows, usd(1000), usd(300)) == (TaxRow(rows[0].label, usd(300), usd(0)),)


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=8), st.integers(1, 5_000), st.integers(1, 5_000))
def test_parts_that_make_the_whole_have_all_of_the_taxes(parts: list[int], base: int, tax: int) -> None:
    rows, whole = (TaxRow("VAT", usd(base), usd(tax)), TaxRow("Other", usd(base), usd(tax // 3))), sum(parts)
    notes: list[tuple[TaxRow, ...]] = []
    for part in parts:
        notes.append(credited(left(rows, notes), usd(whole), usd(part)))
        whole -= part

    assert left(rows, notes) == (TaxRow("VAT", usd(0), usd(0)), TaxRow("Other", usd(0), usd(0)))
    assert all(row.tax.minor >= 0 and (row.base or usd(0)).minor >= 0 for note in notes for row in note)
