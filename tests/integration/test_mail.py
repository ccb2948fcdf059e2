"""An email is queued in the transaction of its event, sent once, and never dropped."""

from collections.abc import Callable

import pytest

from models import Mail
from store.domain.errors import MailUnavailable
from store.gateway.port import Email
from store.services import mail
from store.services.history import Origin, Source
from store.services.operations import worker
from store.services.payments import refunds
from tests.support.concurrency import at_once
from tests.support.shop import Shop


class SmtpSink:
    """Records emails; the first `full` ones are refused."""

    def __init__(self) -> None:
        self.emails: list[Email] = []
        self.full = 0

    def check(self) -> None:
        """It is always reachable."""

    def send(self, email: Email) -> None:
        if self.full:
            self.full -= 1
            raise MailUnavailable
        self.emails.append(email)


@pytest.fixture
def smtp_sink() -> SmtpSink:
    return SmtpSink()


@pytest.fixture
def shop(shop_with: Callable[..., Shop], smtp_sink: SmtpSink) -> Shop:
    return shop_with(mailer=smtp_sink)


def paid(shop: Shop) -> str:
    order = shop.order()
    shop.pay(order)
    shop.deliver()
    return order.reference


@pytest.mark.on_both_databases
def test_a_paid_order_is_confirmed_by_one_email(shop: Shop, smtp_sink: SmtpSink) -> None:
    reference = paid(shop)

    at_once(4, lambda _: mail.send_due(shop.services, shop.clock()))
    mail.send_due(shop.services, shop.clock())

    assert [(email.kind, email.to) for email in smtp_sink.emails] == [("order_paid", "ada@example.com")]
    assert reference in str(smtp_sink.emails[0].facts["link"])


def test_a_refused_email_is_retried_with_the_same_message_id(shop: Shop, smtp_sink: SmtpSink) -> None:
    paid(shop)
    smtp_sink.full = 2

    mail.send_due(shop.services, shop.clock())
    for _ in range(3):
        shop.clock.forward(hours=2)
        mail.send_due(shop.services, shop.clock())

    with shop.services.database.reading() as session:
        email = session.query(Mail).one()
    assert [sent.message_id for sent in smtp_sink.emails] == [email.message_id]
    assert email.attempts == 3


def test_each_event_has_its_email(shop: Shop, smtp_sink: SmtpSink) -> None:
    shop.pay(shop.order(), "4000000000000002")
    shop.deliver()
    shop.clock.forward(hours=1)
    worker.run(shop.services, shop.clock())
    reference = paid(shop)
    worker.run(shop.services, shop.clock())
    refunds.submit(shop.services, reference, None, "all", Origin(Source.STAFF, shop.clock()))
    shop.deliver()

    worker.run(shop.services, shop.clock())

    assert sorted(email.kind for email in smtp_sink.emails) == ["order_expired", "order_paid", "refunded"]


def test_a_refunded_late_payment_has_its_email(shop: Shop, smtp_sink: SmtpSink) -> None:
    shop.set_stock("brass-pen", 1)
    order = shop.order(1, "brass-pen")
    page = shop.open(order)
    shop.close_by_hand(order.reference)
    shop.order(1, "brass-pen")
    shop.confirm(page)

    for _ in range(3):
        shop.deliver()
        worker.run(shop.services, shop.clock())
        shop.clock.forward(minutes=2)

    assert [(email.kind, email.to) for email in smtp_sink.emails if "late" in email.kind] == [
        ("late_payment_returned", order.email)
    ]


def test_a_dispute_is_emailed_to_the_merchant_and_not_the_shopper(
    shop_with: Callable[..., Shop], smtp_sink: SmtpSink
) -> None:
    shop = shop_with(mailer=smtp_sink, merchant_email="owner@till.test")
    shop.pay(shop.order(), "4000000000000259")
    shop.deliver()
    shop.clock.forward(seconds=5)
    shop.deliver()

    worker.run(shop.services, shop.clock())

    recipients = {email.kind: email.to for email in smtp_sink.emails}
    assert recipients == {"order_paid": "ada@example.com", "dispute_opened": "owner@till.test"}


def test_without_a_mail_server_emails_are_files(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with()
    reference = paid(shop)

    mail.send_due(shop.services, shop.clock())

    files = list(shop.mail_folder.iterdir())
    text = files[0].read_text("utf-8")
    assert len(files) == 1
    assert f"Subject: Your order {reference} is paid" in text
    assert "1 x Cedar pencil" in text
    assert "To: ada@example.com" in text
