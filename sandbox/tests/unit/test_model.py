"""Small rules of Stripe's that need no sandbox around them."""

import pytest

from till_sandbox import ids
from till_sandbox.errors import ApiError
from till_sandbox.model import money
from till_sandbox.model.events import difference
from till_sandbox.model.metadata import merged
from till_sandbox.model.methods import card_table as cards
from till_sandbox.webhooks.signing import signature_header


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(2500, "usd", "$25.00"), (500, "jpy", "¥500"), (1500, "kwd", "1.500"), (123456, "eur", "€1,234.56")],
)
def test_amounts_read_as_stripe_writes_them(amount: int, currency: str, text: str) -> None:
    assert money.text(amount, currency) == text


@pytest.mark.parametrize(
    ("amount", "currency"), [(50, "usd"), (30, "gbp"), (50, "jpy"), (99_999_999, "usd"), (1000, "kwd")]
)
def test_amounts_at_the_limits_are_fine(amount: int, currency: str) -> None:
    assert money.check_amount(amount, currency) == amount


@pytest.mark.parametrize(
    ("amount", "currency"), [(49, "usd"), (100_000_000, "usd"), (1001, "kwd"), (550, "isk"), (-1, "usd")]
)
def test_amounts_beyond_them_are_not(amount: int, currency: str) -> None:
    with pytest.raises(ApiError):
        money.check_amount(amount, currency)


@pytest.mark.parametrize(
    ("number", "valid"), [("4242424242424242", True), ("4242424242424241", False), ("378282246310005", True)]
)
def test_luhn(number: str, valid: bool) -> None:
    assert cards.passes_luhn(number) is valid


def test_a_card_is_found_by_number_and_by_every_name_it_has() -> None:
    card = cards.by_number("4242424242424242")

    assert card is not None
    assert card == cards.by_alias("pm_card_visa") == cards.by_alias("tok_visa") == cards.by_alias("pm_card_us")
    assert cards.by_alias("visa") is None
    assert cards.by_number("4111111111111111") is None


def test_metadata_merges() -> None:
    assert merged({"a": "1", "b": "2"}, {"b": "", "c": "3"}) == {"a": "1", "c": "3"}
    assert merged({"a": "1"}, None) == {}


def test_a_difference_is_as_deep_as_the_change() -> None:
    before = {"same": 1, "changed": 1, "deep": {"same": 1, "changed": None}, "gone": 1}
    after = {"same": 1, "changed": 2, "deep": {"same": 1, "changed": "x"}}

    assert difference(before, after) == {"changed": 1, "deep": {"changed": None}, "gone": 1}


def test_a_signature_covers_time_and_payload() -> None:
    header = signature_header(b"{}", ["a", "b"], 5)

    assert header.startswith("t=5,v1=")
    assert header.count("v1=") == 2
    assert header.rpartition(",")[2].startswith("v0=")
    assert len({header, signature_header(b"{}", ["a", "b"], 6), signature_header(b"{ }", ["a", "b"], 5)}) == 3


def test_ids_of_one_payment_share_their_stem() -> None:
    payment = ids.new_payment()

    assert len(payment) == len("pi_") + 24
    assert ids.related("ch", payment)[3:20] == payment[3:20]
    assert ids.derived("acct_1", "x", 15) == ids.derived("acct_1", "x", 15) != ids.derived("acct_1", "y", 15)
