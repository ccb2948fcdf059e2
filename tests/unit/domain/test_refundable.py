"""What lines and shipping are worth when they are refunded: in whichever steps, all of it is the order's total."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from store.domain.money import Money, smallest_step
from store.domain.pricing import Adjustment, AdjustmentKind, Quote, QuoteLine
from store.domain.refundable import Worth, of_pieces, worths

SHIPPING, DISCOUNT, TAX = AdjustmentKind.SHIPPING, AdjustmentKind.DISCOUNT, AdjustmentKind.TAX


def usd(minor: int) -> Money:
    return Money(minor, "usd")


def quote(lines: Sequence[tuple[int, int]], *adjustments: Adjustment) -> Quote:
    return Quote("usd", tuple(QuoteLine(0, usd(price), quantity) for price, quantity in lines), adjustments)


def worth(amount: int, tax: int = 0, contained: int = 0) -> Worth:
    return Worth(usd(amount), usd(tax), usd(contained))


def test_a_line_is_worth_its_price_less_its_share_of_the_discount() -> None:
    found = worths(
        quote([(400, 2), (700, 1)], Adjustment(DISCOUNT, "TEN", usd(-150)), Adjustment(SHIPPING, "", usd(500)))
    )

    assert found == [worth(720), worth(630), worth(500)]


def test_a_tax_falls_on_the_lines_that_it_was_computed_for() -> None:
    tax = Adjustment(TAX, "Sales tax 10%", usd(90), shares=(usd(0), usd(40)))

    found = worths(quote([(1000, 1), (400, 1)], Adjustment(SHIPPING, "", usd(500)), tax))

    assert found == [worth(1000), worth(440, tax=40), worth(550, tax=50)]


def test_a_tax_without_shares_is_divided_by_what_things_cost() -> None:
    found = worths(quote([(1000, 1), (400, 1)], Adjustment(SHIPPING, "", usd(600)), Adjustment(TAX, "", usd(201))))

    taken_out = worths(quote([(600, 1), (400, 1)], Adjustment(TAX, "VAT not charged", usd(-160))))

    assert found == [worth(1100, tax=100), worth(440, tax=40), worth(661, tax=61)]
    assert taken_out == [worth(504, tax=-96), worth(336, tax=-64), worth(0)]


def test_a_tax_in_the_prices_adds_nothing_and_is_told() -> None:
    within = Adjustment(TAX, "VAT, included", usd(0), usd(160), shares=(usd(96), usd(64)))
    taken_out = Adjustment(TAX, "VAT not charged", usd(-160), shares=(usd(-96), usd(-64)))

    assert worths(quote([(600, 1), (400, 1)], within))[:2] == [worth(600, contained=96), worth(400, contained=64)]
    assert worths(quote([(600, 1), (400, 1)], taken_out))[:2] == [worth(504, tax=-96), worth(336, tax=-64)]


def test_a_discount_on_the_shipping_beyond_it_is_taken_from_the_lines() -> None:
    found = worths(quote([(600, 1), (300, 1)], Adjustment(SHIPPING, "Free", usd(-90))))

    assert [each.amount.minor for each in found] == [540, 270, 0]


def test_pieces_are_rounded_so_that_the_last_one_takes_what_is_left() -> None:
    line, refunded, steps = worth(1000, tax=100, contained=10), worth(0), []

    for before in range(3):
        steps.append(of_pieces(line, 3, before, 1, refunded))
        refunded += steps[-1]

    assert steps == [worth(333, 33, 3), worth(333, 33, 3), worth(334, 34, 4)]


def test_a_piece_whose_refund_came_to_nothing_is_worth_what_is_left() -> None:
    """Two of three were refunded one by one, and the first of these refunds was not accepted."""
    line = worth(1000)
    first = of_pieces(line, 3, 0, 1, worth(0))
    second = of_pieces(line, 3, 1, 1, first)

    again = of_pieces(line, 3, 1, 2, second)

    assert (first, second, again) == (worth(333), worth(333), worth(667))


currencies = st.sampled_from(["usd", "jpy", "kwd", "isk"])
quantities = st.integers(1, 12)


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    """Any lines with any discounts, shipping and taxes, known line by line or not, whose total is not negative."""
    currency = draw(currencies)
    step = smallest_step(currency)

    def money(least: int, most: int) -> Money:
        return Money(draw(st.integers(least, most)) * step, currency)

    lines = tuple(QuoteLine(0, money(1, 3000), draw(quantities)) for _ in range(draw(st.integers(1, 4))))
    subtotal = sum(line.total.minor for line in lines) // step
    adjustments = []
    if draw(st.booleans()):
        adjustments.append(Adjustment(SHIPPING, "", money(0, 2000)))
    if draw(st.booleans()):
        adjustments.append(Adjustment(DISCOUNT, "", money(-subtotal, 0)))
    if draw(st.booleans()):
        adjustments.append(Adjustment(TAX, "", money(0, subtotal)))
    if draw(st.booleans()):
        adjustments.append(Adjustment(TAX, "", Money(0, currency), money(0, subtotal)))
    if draw(st.booleans()):
        shares = tuple(money(0, line.total.minor // step) for line in lines)
        total = Money(sum(share.minor for share in shares), currency)
        adjustments.append(Adjustment(TAX, "", total, shares=shares))
    return Quote(currency, lines, tuple(adjustments))


@settings(max_examples=250)
@given(quotes(), st.data())
def test_all_that_is_refunded_in_any_steps_is_exactly_the_total(quote: Quote, data: st.DataObject) -> None:
    *lines, shipping = worths(quote)
    nothing, step = Worth.nothing(quote.currency), smallest_step(quote.currency)
    before, refunded = [0] * len(lines), [nothing] * len(lines)
    steps = [of_pieces(shipping, 1, 0, 1, nothing)]

    while open_lines := [i for i, line in enumerate(quote.lines) if before[i] < line.quantity]:
        chosen = data.draw(st.sampled_from(open_lines))
        line = quote.lines[chosen]
        pieces = data.draw(st.integers(1, line.quantity - before[chosen]))
        steps.append(of_pieces(lines[chosen], line.quantity, before[chosen], pieces, refunded[chosen]))
        before[chosen] += pieces
        refunded[chosen] += steps[-1]

    whole = sum(steps, nothing)
    taxes = [each for each in quote.adjustments if each.kind is TAX]
    assert whole.amount == quote.total
    assert whole.tax.minor == sum(each.amount.minor for each in taxes)
    assert whole.contained.minor == sum(each.contained.minor for each in taxes if each.contained)
    assert all(each.amount.minor >= 0 and each.amount.minor % step == 0 for each in steps)
