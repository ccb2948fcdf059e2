"""A letter is decided where its reason is, sent once, and never dropped."""

from collections.abc import Callable

import pytest

from models import Mail
from store.domain.errors import MailUnavailable
from store.domain.states import OrderEvent
from store.gateway.port import Letter
from store.services import ledger, mail, refunds, stock, upkeep
from store.services.ledger import Teller, Told
from tests.support.at_once import at_once
from tests.support.shop import Shop


class Letterbox:
    """Keeps what it is given; `full` times it takes nothing."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.full = 0

    def send(self, letter: Letter) -> None:
        if self.full:
            self.full -= 1
            raise MailUnavailable
        self.letters.append(letter)


@pytest.fixture
def letterbox() -> Letterbox:
    return Letterbox()


@pytest.fixture
def shop(shop_with: Callable[..., Shop], letterbox: Letterbox) -> Shop:
    return shop_with(postman=letterbox)


def paid(shop: Shop) -> str:
    order = shop.order()
    shop.pay(order)
    shop.deliver()
    return order.reference


def test_a_paid_order_is_confirmed_by_one_letter(shop: Shop, letterbox: Letterbox) -> None:
    reference = paid(shop)

    at_once(4, lambda _: mail.send_due(shop.till, shop.clock()))
    mail.send_due(shop.till, shop.clock())

    assert [(letter.kind, letter.to) for letter in letterbox.letters] == [("order_paid", "ada@example.com")]
    assert reference in str(letterbox.letters[0].facts["link"])


def test_a_letter_that_was_not_taken_is_sent_later_with_the_same_message_id(shop: Shop, letterbox: Letterbox) -> None:
    paid(shop)
    letterbox.full = 2

    mail.send_due(shop.till, shop.clock())
    for _ in range(3):
        shop.clock.forward(hours=2)
        mail.send_due(shop.till, shop.clock())

    with shop.till.database.reading() as session:
        letter = session.query(Mail).one()
    assert [sent.message_id for sent in letterbox.letters] == [letter.message_id]
    assert letter.attempts == 3


def test_each_thing_that_happens_has_its_letter(shop: Shop, letterbox: Letterbox) -> None:
    shop.order()
    shop.clock.forward(hours=1)
    upkeep.run(shop.till, shop.clock())
    reference = paid(shop)
    refunds.ask(shop.till, reference, None, "all", Told(Teller.MERCHANT, shop.clock()))
    shop.deliver()

    upkeep.run(shop.till, shop.clock())

    assert sorted(letter.kind for letter in letterbox.letters) == ["order_expired", "order_paid", "refunded"]


def test_late_money_that_went_back_has_its_letter(shop: Shop, letterbox: Letterbox) -> None:
    shop.set_stock("brass-pen", 1)
    order = shop.order(1, "brass-pen")
    page = shop.open(order)
    with shop.till.database.transaction() as session:
        given_up = ledger.lock_by_reference(session, order.reference)
        ledger.move_order(session, given_up, OrderEvent.EXPIRED, Told(Teller.MERCHANT, shop.clock()))
        stock.free(session, given_up)
    shop.order(1, "brass-pen")
    shop.confirm(page)

    for _ in range(3):
        shop.deliver()
        upkeep.run(shop.till, shop.clock())
        shop.clock.forward(minutes=2)

    (letter,) = letterbox.letters
    assert (letter.kind, letter.to) == ("late_payment_returned", order.email)


def test_the_merchant_is_told_of_a_dispute_and_the_shopper_is_not(
    shop_with: Callable[..., Shop], letterbox: Letterbox
) -> None:
    shop = shop_with(postman=letterbox, merchant_email="owner@till.test")
    shop.pay(shop.order(), "4000000000000259")
    shop.deliver()
    shop.clock.forward(seconds=5)
    shop.deliver()

    upkeep.run(shop.till, shop.clock())

    told = {letter.kind: letter.to for letter in letterbox.letters}
    assert told == {"order_paid": "ada@example.com", "dispute_opened": "owner@till.test"}


def test_without_a_mail_server_the_letters_are_files_a_developer_can_read(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with()
    reference = paid(shop)

    mail.send_due(shop.till, shop.clock())

    files = list(shop.mail_folder.iterdir())
    text = files[0].read_text("utf-8")
    assert len(files) == 1
    assert f"Subject: Your order {reference} is paid" in text
    assert "1 x Cedar pencil" in text
    assert "To: ada@example.com" in text
