"""The outbox: which email goes to whom with what in it, and when a refused one is retried."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from models import Dispute, Mail, Order
from store.domain.errors import MailUnavailable
from store.domain.money import Money
from store.gateway.port import Email
from store.services import mail
from store.services.history import Origin, Source
from store.services.orders import links
from store.services.payments import refunds
from tests.support.shop import Shop


class SmtpSink:
    """Records emails; refuses all while it is `shut`, and always those to `refused`."""

    def __init__(self) -> None:
        self.emails: list[Email] = []
        self.shut = False
        self.refused = ""

    def check(self) -> None:
        """It is always reachable."""

    def send(self, email: Email) -> None:
        if self.shut or email.to == self.refused:
            raise MailUnavailable
        self.emails.append(email)


@pytest.fixture
def smtp_sink() -> SmtpSink:
    return SmtpSink()


@pytest.fixture
def shop(shop_with: Callable[..., Shop], smtp_sink: SmtpSink) -> Shop:
    return shop_with(mailer=smtp_sink, merchant_email="owner@till.test", store_name="The Corner Shop")


def paid(shop: Shop, number: str = "4242424242424242") -> str:
    order = shop.order(2)
    shop.pay(order, number)
    shop.deliver()
    return order.reference


def refund(shop: Shop, reference: str, amount: int, key: str) -> None:
    refunds.submit(shop.services, reference, Money(amount, "usd"), key, Origin(Source.STAFF, shop.clock()))


def send(shop: Shop) -> int:
    return mail.send_due(shop.services, shop.clock())


def outbox(shop: Shop) -> list[Mail]:
    with shop.services.database.reading() as session:
        return list(session.scalars(select(Mail).order_by(Mail.id)))


def test_an_email_names_the_store_and_links_to_the_order(shop: Shop, smtp_sink: SmtpSink) -> None:
    reference = paid(shop)

    assert send(shop) == 1

    (email,) = smtp_sink.emails
    order = email.facts["order"]
    assert isinstance(order, Order)
    assert order.reference == reference
    assert [line.quantity for line in order.lines] == [2]
    assert order.payment.card_last4 == "4242"
    assert email.facts["store"] == "The Corner Shop"
    assert email.facts["link"] == links.order_link(shop.services, reference)
    assert email.facts["amount"] is None
    assert re.fullmatch(r"<[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}@till>", email.message_id)


def test_each_refund_has_an_email_with_its_own_amount(shop: Shop, smtp_sink: SmtpSink) -> None:
    reference = paid(shop)
    refund(shop, reference, 100, "first")
    refund(shop, reference, 250, "second")
    shop.deliver()

    send(shop)

    emails = [(email.kind, email.to, email.facts["amount"]) for email in smtp_sink.emails]
    assert sorted(emails[1:]) == [("refunded", "ada@example.com", "$1.00"), ("refunded", "ada@example.com", "$2.50")]
    assert len({email.message_id for email in smtp_sink.emails}) == 3


def test_the_retry_interval_of_an_email_doubles_up_to_an_hour(shop: Shop, smtp_sink: SmtpSink) -> None:
    paid(shop)
    smtp_sink.shut = True
    waits: list[int] = []

    for _ in range(9):
        now = shop.clock()
        assert mail.send_due(shop.services, now) == 0
        (email,) = outbox(shop)
        waits.append(round((email.due_at - now) / timedelta(minutes=1)))
        assert email.attempts == len(waits)
        assert mail.send_due(shop.services, now) == 0  # nothing is due before the wait is over
        shop.clock.offset += email.due_at - now + timedelta(seconds=1)
    smtp_sink.shut = False

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert send(shop) == 1
    assert outbox(shop)[0].sent_at is not None
    assert send(shop) == 0


def test_an_email_is_sent_when_it_is_due_and_then_marked(shop: Shop) -> None:
    paid(shop)
    (email,) = outbox(shop)

    before = mail.send_due(shop.services, email.due_at - timedelta(seconds=1))
    started = shop.clock()
    taken = mail.send_due(shop.services, email.due_at)

    assert (before, taken) == (0, 1)
    (after,) = outbox(shop)
    assert email.due_at == email.written_at
    assert after.sent_at is not None
    assert started <= after.sent_at <= shop.clock()


def test_a_refused_email_delays_no_other(shop: Shop, smtp_sink: SmtpSink) -> None:
    paid(shop, "4000000000000259")
    shop.clock.forward(seconds=5)
    shop.deliver()
    smtp_sink.refused = "ada@example.com"

    assert send(shop) == 1

    (email,) = smtp_sink.emails
    assert (email.kind, email.to) == ("dispute_opened", "owner@till.test")
    assert {row.kind: row.sent_at is None for row in outbox(shop)} == {"order_paid": True, "dispute_opened": False}


def test_a_duplicate_key_queues_one_email(shop: Shop, smtp_sink: SmtpSink) -> None:
    order, now = shop.order(), shop.clock()

    with shop.services.database.transaction() as session:
        for dedupe_key in ("refund:1", "refund:2", "refund:1", None, None):
            mail.write(session, order, mail.Kind.REFUNDED, now, dedupe_key=dedupe_key, amount=1)

    assert send(shop) == 3
    assert len(smtp_sink.emails) == 3


def test_fifty_emails_are_sent_at_a_time_the_oldest_first(shop: Shop, smtp_sink: SmtpSink) -> None:
    order, now = shop.order(), shop.clock()
    with shop.services.database.transaction() as session:
        mail.write(session, order, mail.Kind.REFUNDED, now, dedupe_key="the last", amount=1)
        for number in range(50):
            mail.write(session, order, mail.Kind.REFUNDED, now - timedelta(minutes=1), dedupe_key=f"{number}", amount=2)

    rounds = [mail.send_due(shop.services, now) for _ in range(3)]

    assert rounds == [50, 1, 0]
    assert [email.facts["amount"] for email in smtp_sink.emails] == ["$0.02"] * 50 + ["$0.01"]


def test_a_dispute_is_recorded_with_its_amount_and_time(shop: Shop) -> None:
    began = shop.clock().replace(microsecond=0)  # Stripe's times are whole seconds
    reference = paid(shop, "4000000000000259")
    shop.clock.forward(seconds=5)
    shop.deliver()

    with shop.services.database.reading() as session:
        dispute = session.scalars(select(Dispute)).one()
    assert dispute.payment_id == shop.read(reference).payment.id
    assert dispute.amount_minor == 800
    assert began <= dispute.opened_at <= shop.clock()
