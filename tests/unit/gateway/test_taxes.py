"""Calculations of Stripe Tax, read into the lines of a receipt."""

from typing import Any

from store.gateway.stripe.taxes import answer_of


def part(amount: int, percent: str, tax_type: str | None, reason: str = "standard_rated", **more: Any) -> Any:
    details = {"percentage_decimal": percent, "tax_type": tax_type, "country": "CA", "state": None}
    fixed = {"inclusive": False, "taxability_reason": reason, "tax_rate_details": details, "taxable_amount": 1000}
    return {"amount": amount, **fixed, **more}


def read(*parts: Any) -> list[tuple[str, int, int | None]]:
    answer = answer_of({"id": "taxcalc_1", "currency": "cad", "tax_breakdown": list(parts)})
    assert answer.calculation == "taxcalc_1"
    assert all(each.amount.currency == "cad" for each in answer.adjustments)
    contained = [each.contained.minor if each.contained else None for each in answer.adjustments]
    return [(each.label, each.amount.minor, within) for each, within in zip(answer.adjustments, contained, strict=True)]


def bases(*parts: Any) -> list[tuple[str, int | None]]:
    answer = answer_of({"id": "taxcalc_1", "currency": "cad", "tax_breakdown": list(parts)})
    return [(each.label, each.base.minor if each.base else None) for each in answer.adjustments]


def test_what_a_tax_is_computed_on_is_kept_for_each_rate() -> None:
    assert bases(
        part(10, "1.0", "sales_tax", taxable_amount=1001),
        part(20, "1.0", "sales_tax", taxable_amount=2002),
        part(0, "0.0", None, "not_collecting", taxable_amount=400),
        part(0, "0.0", "vat", "reverse_charge", inclusive=True, taxable_amount=500),
        part(19, "19.0", "vat", inclusive=True, taxable_amount=100),
    ) == [("Sales tax 1%", 3003), ("VAT not charged: reverse charge", 500), ("VAT 19%, included", 100)]


def test_each_rate_is_a_line() -> None:
    found = read(part(500, "5.0", "gst"), part(998, "9.975", "qst"), part(65, "6.5", "sales_tax"))

    assert found == [("GST 5%", 500, None), ("QST 9.975%", 998, None), ("Sales tax 6.5%", 65, None)]


def test_a_tax_in_the_price_adds_nothing() -> None:
    assert read(part(190, "19.0", "vat", inclusive=True)) == [("VAT 19%, included", 0, 190)]


def test_rates_of_one_name_are_one_line() -> None:
    assert read(part(10, "1.0", "sales_tax"), part(20, "1.0", "sales_tax")) == [("Sales tax 1%", 30, None)]


def test_what_is_not_charged_has_no_line_but_a_reverse_charge() -> None:
    found = read(
        part(0, "0.0", None, "not_collecting"),
        part(0, "0.0", "vat", "zero_rated", inclusive=True),
        part(0, "0.0", "vat", "reverse_charge", inclusive=True),
    )

    assert found == [("VAT not charged: reverse charge", 0, None)]
