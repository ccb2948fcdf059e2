"""The outbox: which letter goes to whom with what in it, and how long one waits that nobody takes."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Dispute, Mail, Order
from store.domain.errors import MailUnavailable
from store.domain.money import Money
from store.gateway.port import Letter
from store.services import links, mail, refunds
from store.services.ledger import Teller, Told
from tests.support.shop import Shop


class Letterbox:
    """Keeps what it is given; takes nothing while it is `shut`, and never what is for the `refused`."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.shut = False
        self.refused = ""

    def send(self, letter: Letter) -> None:
        if self.shut or letter.to == self.refused:
            raise MailUnavailable
        self.letters.append(letter)


@pytest.fixture
def letterbox() -> Letterbox:
    return Letterbox()


@pytest.fixture
def shop(shop_with: Callable[..., Shop], letterbox: Letterbox) -> Shop:
    return shop_with(postman=letterbox, merchant_email="owner@till.test", store_name="The Corner Shop")


def paid(shop: Shop, number: str = "4242424242424242") -> str:
    order = shop.order(2)
    shop.pay(order, number)
    shop.deliver()
    return order.reference


def refund(shop: Shop, reference: str, amount: int, key: str) -> None:
    refunds.ask(shop.till, reference, Money(amount, "usd"), key, Told(Teller.MERCHANT, shop.clock()))


def send(shop: Shop) -> int:
    return mail.send_due(shop.till, shop.clock())


def outbox(shop: Shop) -> list[Mail]:
    with shop.till.database.reading() as session:
        return list(session.scalars(select(Mail).order_by(Mail.id)))


def test_a_letter_names_the_store_the_order_and_the_way_back_to_it(shop: Shop, letterbox: Letterbox) -> None:
    reference = paid(shop)

    assert send(shop) == 1

    (letter,) = letterbox.letters
    order = letter.facts["order"]
    assert isinstance(order, Order)
    assert order.reference == reference
    assert [line.quantity for line in order.lines] == [2]
    assert order.payment.card_last4 == "4242"
    assert letter.facts["store"] == "The Corner Shop"
    assert letter.facts["link"] == links.order_link(shop.till, reference)
    assert letter.facts["amount"] is None
    assert re.fullmatch(r"<[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}@till>", letter.message_id)


def test_each_refund_has_a_letter_with_its_own_amount(shop: Shop, letterbox: Letterbox) -> None:
    reference = paid(shop)
    refund(shop, reference, 100, "first")
    refund(shop, reference, 250, "second")
    shop.deliver()

    send(shop)

    told = [(letter.kind, letter.to, letter.facts["amount"]) for letter in letterbox.letters]
    assert sorted(told[1:]) == [("refunded", "ada@example.com", "$1.00"), ("refunded", "ada@example.com", "$2.50")]
    assert len({letter.message_id for letter in letterbox.letters}) == 3


def test_the_wait_of_a_letter_that_nobody_takes_doubles_up_to_an_hour(shop: Shop, letterbox: Letterbox) -> None:
    paid(shop)
    letterbox.shut = True
    waits: list[int] = []

    for _ in range(9):
        now = shop.clock()
        assert mail.send_due(shop.till, now) == 0
        (letter,) = outbox(shop)
        waits.append(round((letter.due_at - now) / timedelta(minutes=1)))
        assert letter.attempts == len(waits)
        assert mail.send_due(shop.till, now) == 0  # nothing is due before the wait is over
        shop.clock.offset += letter.due_at - now + timedelta(seconds=1)
    letterbox.shut = False

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert send(shop) == 1
    assert outbox(shop)[0].sent_at is not None
    assert send(shop) == 0


def test_a_letter_is_due_when_its_wait_is_over_and_marked_when_it_was_taken(shop: Shop) -> None:
    paid(shop)
    (letter,) = outbox(shop)

    before = mail.send_due(shop.till, letter.due_at - timedelta(seconds=1))
    started = shop.clock()
    taken = mail.send_due(shop.till, letter.due_at)

    assert (before, taken) == (0, 1)
    (after,) = outbox(shop)
    assert letter.due_at == letter.written_at
    assert after.sent_at is not None
    assert started <= after.sent_at <= shop.clock()


def test_a_letter_that_nobody_takes_keeps_no_other(shop: Shop, letterbox: Letterbox) -> None:
    paid(shop, "4000000000000259")
    shop.clock.forward(seconds=5)
    shop.deliver()
    letterbox.refused = "ada@example.com"

    assert send(shop) == 1

    (letter,) = letterbox.letters
    assert (letter.kind, letter.to) == ("dispute_opened", "owner@till.test")
    assert {row.kind: row.sent_at is None for row in outbox(shop)} == {"order_paid": True, "dispute_opened": False}


def test_what_is_told_twice_has_one_letter(shop: Shop, letterbox: Letterbox) -> None:
    order, now = shop.order(), shop.clock()

    with shop.till.database.transaction() as session:
        for once in ("refund:1", "refund:2", "refund:1", None, None):
            mail.write(session, order.id, mail.Kind.REFUNDED, now, once=once, amount=1)

    assert send(shop) == 3
    assert len(letterbox.letters) == 3


def test_fifty_letters_are_sent_at_a_time_the_oldest_first(shop: Shop, letterbox: Letterbox) -> None:
    order, now = shop.order(), shop.clock()
    with shop.till.database.transaction() as session:
        mail.write(session, order.id, mail.Kind.REFUNDED, now, once="the last", amount=1)
        for number in range(50):
            mail.write(session, order.id, mail.Kind.REFUNDED, now - timedelta(minutes=1), once=f"{number}", amount=2)

    rounds = [mail.send_due(shop.till, now) for _ in range(3)]

    assert rounds == [50, 1, 0]
    assert [letter.facts["amount"] for letter in letterbox.letters] == ["$0.02"] * 50 + ["$0.01"]


def test_a_dispute_is_kept_with_its_amount_and_its_day(shop: Shop) -> None:
    reference, now = paid(shop, "4000000000000259"), shop.clock()
    shop.clock.forward(seconds=5)
    shop.deliver()

    with shop.till.database.reading() as session:
        dispute = session.scalars(select(Dispute)).one()
    assert dispute.order_id == shop.read(reference).id
    assert dispute.amount_minor == 800
    assert timedelta() <= dispute.opened_at - now < timedelta(minutes=1)
