"""Invoices and credit notes: their names, and the taxes that are in them."""

from hypothesis import given
from hypothesis import strategies as st

from store.domain.documents import DocumentKind, TaxRow, credited, document_name, tax_rows
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

    assert credited(rows, usd(1190), usd(0), usd(595)) == (
        TaxRow("VAT 19%", usd(500), usd(95)),
        TaxRow("Old tax", None, usd(4)),
    )
    assert credited(rows, usd(1190), usd(595), usd(595)) == (
        TaxRow("VAT 19%", usd(500), usd(95)),
        TaxRow("Old tax", None, usd(3)),
    )


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=8), st.integers(0, 5_000), st.integers(0, 5_000))
def test_parts_that_make_the_whole_have_all_of_the_taxes(parts: list[int], base: int, tax: int) -> None:
    rows, total = (TaxRow("VAT", usd(base), usd(tax)),), usd(sum(parts))
    found: list[TaxRow] = []
    before = 0
    for part in parts:
        found += credited(rows, total, usd(before), usd(part))
        before += part

    assert Money.sum((row.tax for row in found), "usd") == usd(tax)
    assert Money.sum((row.base for row in found if row.base), "usd") == usd(base)
    assert all(row.tax.minor >= 0 for row in found)
