"""What is asked about taxes, and what a price is with the answer."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from store.domain.addresses import NOWHERE
from store.domain.money import Money
from store.domain.pricing import Adjustment, AdjustmentKind, Basket, Quote, QuoteLine, TaxClass
from store.domain.tariffs import NO_TARIFFS
from store.domain.tax_questions import TaxAnswer, TaxesWanted, TaxQuestion, asked_rule, not_asked, question_of

NOW = datetime(2026, 11, 28, tzinfo=UTC)
SEATTLE = replace(NOWHERE, full_name="Ada", city="Seattle", postal_code="98101", country="US", phone="+12065550100")
BERLIN = replace(NOWHERE, country="DE")


def usd(minor: int) -> Money:
    return Money(minor, "usd")


def price(*adjustments: Adjustment) -> Quote:
    """A cup for $10 and a book for $5."""
    lines = (QuoteLine(1, usd(1000), 1), QuoteLine(2, usd(250), 2, tax_class=TaxClass.REDUCED, shippable=False))
    return Quote("usd", lines, adjustments)


def asked(quote: Quote) -> TaxQuestion:
    question = question_of(quote, SEATTLE, None)
    assert question is not None
    return question


def test_what_the_discount_leaves_is_asked_about() -> None:
    discount = Adjustment(AdjustmentKind.DISCOUNT, "A third off", usd(-500))
    shipping = Adjustment(AdjustmentKind.SHIPPING, "Post", usd(600))

    question = asked(price(shipping, discount))

    assert [line.amount.minor for line in question.lines] == [667, 333]
    assert [(line.tax_class, line.quantity, line.shippable) for line in question.lines] == [
        (TaxClass.STANDARD, 1, True),
        (TaxClass.REDUCED, 2, False),
    ]
    assert (question.shipping, question.total) == (usd(600), usd(1600))


def test_a_quote_with_its_taxes_asks_the_same() -> None:
    tax = Adjustment(AdjustmentKind.TAX, "Sales tax 6.5%", usd(98))

    assert asked(price()) == asked(price(tax))


def test_nobody_is_named_in_a_question() -> None:
    address = asked(price()).address

    assert (address.full_name, address.phone, address.city) == ("", "", "Seattle")


@pytest.mark.parametrize(
    "address", [None, NOWHERE, replace(SEATTLE, postal_code=""), replace(NOWHERE, country="CA")], ids=str
)
def test_an_address_that_says_too_little_asks_nothing(address: None) -> None:
    assert question_of(price(), address, None) is None


def test_what_costs_nothing_asks_nothing() -> None:
    assert question_of(price(Adjustment(AdjustmentKind.DISCOUNT, "All", usd(-1500))), SEATTLE, None) is None


def test_prices_have_the_tax_in_them_but_in_north_america() -> None:
    in_berlin = question_of(price(), BERLIN, "DE136695976")

    assert in_berlin is not None
    assert (in_berlin.includes_taxes, asked(price()).includes_taxes) == (True, False)


def test_a_price_is_made_again_with_the_answer() -> None:
    answers: dict[TaxQuestion, TaxAnswer] = {}
    tax = Adjustment(AdjustmentKind.TAX, "Sales tax 6.5%", usd(98))

    def taxes(question: TaxQuestion) -> TaxAnswer:
        if question not in answers:
            raise TaxesWanted(question)
        return answers[question]

    tariffs = NO_TARIFFS.asking(taxes)
    with pytest.raises(TaxesWanted) as wanted:
        tariffs.quote(price().lines, SEATTLE, None, (), NOW, currency="usd")
    answers[wanted.value.question] = TaxAnswer((tax,), "taxcalc_1")

    found = tariffs.quote(price().lines, SEATTLE, None, (), NOW, currency="usd")

    assert found.total == usd(1598)
    assert tariffs.tax_calculation(found, SEATTLE, None) == "taxcalc_1"


def test_a_price_without_a_place_has_no_taxes() -> None:
    basket = Basket(price(), BERLIN, None, (), NOW)

    assert list(asked_rule(not_asked)(basket)) == []
    assert NO_TARIFFS.tax_calculation(price(), BERLIN, None) is None
