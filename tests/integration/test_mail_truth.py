"""A mail is checked against what is known at the moment it is sent. What is not true any more is dropped, with why."""

from collections.abc import Callable

import pytest

from models import Mail, Order
from store.cli.findings import problem_of
from store.domain.errors import MailRefused
from store.gateway.port import Email
from store.services import mail
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from store.services.orders import reviews
from store.services.payments import refunds
from tests.support.shop import Shop

REFUND_FAILS = "4000000000005126"


class SmtpSink:
    """Keeps what it is given, and refuses for good what is for `unknown`."""

    def __init__(self) -> None:
        self.emails: list[Email] = []
        self.tries = 0
        self.unknown = ""

    def check(self) -> None:
        """It is always there."""

    def send(self, email: Email) -> None:
        self.tries += 1
        if email.to == self.unknown:
            raise MailRefused
        self.emails.append(email)

    @property
    def kinds(self) -> list[str]:
        return sorted(email.kind for email in self.emails)


@pytest.fixture
def smtp_sink() -> SmtpSink:
    return SmtpSink()


@pytest.fixture
def shop(shop_with: Callable[..., Shop], smtp_sink: SmtpSink) -> Shop:
    return shop_with(mailer=smtp_sink, merchant_email="owner@till.test")


def paid(shop: Shop, number: str = "4242424242424242") -> Order:
    order = shop.order()
    shop.pay(order, number)
    shop.deliver()
    return order


def refund(shop: Shop, order: Order) -> None:
    refunds.submit(shop.services, order.reference, None, "all", Origin(Source.STAFF, shop.clock()))
    shop.deliver()


def work(shop: Shop) -> None:
    worker.run(shop.services, shop.clock())


def dropped(shop: Shop, order: Order) -> list[tuple[str, str]]:
    history = shop.read(order.reference).history
    return [(entry.data["kind"], entry.data["because"]) for entry in history if entry.type == "mail.dropped"]


def findings(shop: Shop) -> list[str]:
    with shop.services.database.reading() as session:
        return [str(problem_of(finding)) for finding in audit.run(session, shop.clock())]


def test_money_that_did_not_go_back_is_not_said_to_be_sent(shop: Shop, smtp_sink: SmtpSink) -> None:
    order = paid(shop, REFUND_FAILS)
    refund(shop, order)
    shop.clock.forward(minutes=5)
    shop.deliver()

    work(shop)
    work(shop)

    assert smtp_sink.kinds == ["order_paid", "refund_failed", "review_opened"]
    assert dropped(shop, order) == [("refunded", "refund_failed")]


def test_a_failed_refund_is_told_to_shopper_and_merchant(shop: Shop, smtp_sink: SmtpSink) -> None:
    order = paid(shop, REFUND_FAILS)
    refund(shop, order)
    work(shop)
    shop.clock.forward(minutes=5)
    shop.deliver()
    smtp_sink.emails.clear()

    work(shop)

    told = {email.kind: (email.to, email.facts["amount"]) for email in smtp_sink.emails}
    assert told == {"refund_failed": ("ada@example.com", "$4.00"), "review_opened": ("owner@till.test", None)}


def test_an_order_that_was_refunded_is_not_said_to_be_packed(shop: Shop, smtp_sink: SmtpSink) -> None:
    order = paid(shop)
    refund(shop, order)

    work(shop)

    assert smtp_sink.kinds == ["refunded"]
    assert dropped(shop, order) == [("order_paid", "order_not_paid")]


def test_an_order_that_was_paid_late_is_not_said_to_be_closed(shop: Shop, smtp_sink: SmtpSink) -> None:
    order = shop.order()
    page = shop.open(order)
    shop.confirm(page, "4000000000000002")
    shop.deliver()
    shop.close_by_hand(order.reference)
    shop.confirm(page)
    shop.deliver()

    work(shop)

    assert smtp_sink.kinds == ["order_paid"]
    assert dropped(shop, order) == [("order_expired", "order_not_expired")]


def test_a_review_that_a_person_has_ended_is_not_asked_for(shop: Shop, smtp_sink: SmtpSink) -> None:
    order, origin = paid(shop), Origin(Source.STAFF, shop.clock())
    with shop.services.database.transaction() as session:
        reviews.open_review(session, order, "wrong_amount", origin)
    reviews.resolve(shop.services, order.reference, "seen", origin)

    work(shop)

    assert smtp_sink.kinds == ["order_paid"]
    assert dropped(shop, order) == [("review_opened", "review_resolved")]


def test_no_mail_goes_to_who_tried_no_card(shop: Shop, smtp_sink: SmtpSink) -> None:
    order = shop.order()
    shop.open(order)
    shop.deliver()
    shop.clock.forward(hours=1)

    work(shop)

    assert "order.expired" in shop.history(order.reference)
    assert smtp_sink.emails == []


def test_a_mail_that_is_refused_for_good_is_given_up_and_reported(shop: Shop, smtp_sink: SmtpSink) -> None:
    order = paid(shop)
    smtp_sink.unknown = "ada@example.com"

    for _ in range(3):
        work(shop)
        shop.clock.forward(hours=2)

    with shop.services.database.reading() as session:
        email = session.query(Mail).one()
    assert (smtp_sink.tries, email.sent_at, email.failed_at is not None) == (1, None, True)
    assert "mail.refused" in shop.history(order.reference)
    assert [finding for finding in findings(shop) if "refused for good" in finding] == [
        f"order {order.reference}: its e-mail “order_paid” was refused for good by the mail server. "
        "It is not sent again: tell the customer another way."
    ]
    shop.clock.forward(days=15)
    assert findings(shop) == []


def test_a_mail_about_an_unpaid_order_has_no_words_of_a_stranger(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with()
    order = shop.order()
    shop.pay(order, "4000000000000002")
    shop.deliver()
    shop.clock.forward(minutes=11)
    work(shop)
    shop.clock.forward(minutes=30)

    work(shop)
    mail.send_due(shop.services, shop.clock())

    texts = [file.read_text("utf-8") for file in shop.mail_folder.iterdir()]
    assert sorted(text.partition("Subject: ")[2].partition("\n")[0] for text in texts) == [
        f"Your order {order.reference} is not paid yet",
        f"Your order {order.reference} was closed; nothing was charged",
    ]
    for text in texts:
        assert "Hello,\n" in text
        assert order.shipping.full_name not in text
        assert order.shipping.line1 not in text
