"""Errors: each has a code of its own, a status, and words that a shopper can act on."""

import pytest

from store.domain import errors
from store.domain.money import Money
from store.web.errors import STATUS, status_of
from store.web.presentation.errors import BY_CODE, error_message


def below(kind: type[errors.StoreError]) -> list[type[errors.StoreError]]:
    return [kind, *(deeper for each in kind.__subclasses__() for deeper in below(each))]


EVERY = below(errors.StoreError)


def test_every_error_has_a_code_of_its_own_with_words_and_a_status() -> None:
    codes = [error.code for error in EVERY]

    assert sorted(codes) == sorted(set(codes))
    assert set(codes) == set(BY_CODE)
    assert set(EVERY) == set(STATUS)
    assert all(400 <= status_of(error) < 600 for error in EVERY)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.OutOfStock("Brass pen", 3), "Only 3 of “Brass pen” left. Change the quantity in your cart."),
        (errors.OutOfStock("Brass pen", 0), "“Brass pen” is sold out. Remove it from your cart to go on."),
        (errors.QuantityInvalid(99), "A cart holds 1 to 99 of one product."),
        (
            errors.AmountOutOfRange(Money(29, "gbp"), Money(30, "gbp"), Money(99_999_999, "gbp")),
            "A card payment must be at least £0.30. Add something to your cart.",
        ),
        (
            errors.AmountOutOfRange(Money(100_000_000, "usd"), Money(50, "usd"), Money(99_999_999, "usd")),
            "A card payment can be $999,999.99 at the most. Take something out of your cart.",
        ),
    ],
)
def test_an_error_is_worded_with_its_own_data(error: errors.StoreError, words: str) -> None:
    assert error_message(error).message == words


def test_an_error_as_text_is_its_code_and_its_data() -> None:
    assert str(errors.OutOfStock("Brass pen", 3)) == "out_of_stock product_name=Brass pen available=3"
    assert str(errors.CartEmpty()) == "cart_empty"
