"""Who left after a declined card is told once that the order is kept, with a link to pay it."""

from collections.abc import Callable

from sqlalchemy import insert

from models import Mail, Order, Payment
from store.domain.states import OrderState, PaymentState
from store.services.operations import worker
from store.services.orders import links
from store.services.payments import reminders as reminders_of
from tests.support.shop import Shop

DECLINED = "4000000000000002"


def declined(shop: Shop) -> Order:
    order = shop.order()
    shop.pay(order, DECLINED)
    shop.deliver()
    return order


def work(shop: Shop, minutes: float) -> None:
    shop.clock.forward(minutes=minutes)
    worker.run(shop.services, shop.clock())


def reminders(shop: Shop) -> list[bool]:
    """The payment-failed mails, and whether each was sent."""
    with shop.services.database.reading() as session:
        mails = session.query(Mail).filter_by(kind="payment_failed").order_by(Mail.id)
        return [mail.sent_at is not None for mail in mails]


def test_a_shopper_who_left_after_a_decline_gets_one_link_to_pay(shop: Shop) -> None:
    order = declined(shop)

    work(shop, 9)
    before = reminders(shop)
    for _ in range(3):
        work(shop, 2)

    (file,) = shop.mail_folder.iterdir()
    text = file.read_text("utf-8")
    assert (before, reminders(shop)) == ([], [True])
    assert links.order_link(shop.services, order.reference) in text
    assert f"until\n{shop.read(order.reference).expires_at:%H:%M} UTC" in text


def test_the_link_of_the_reminder_leads_to_the_payment_page(shop: Shop) -> None:
    order = declined(shop)
    work(shop, 11)
    link = links.order_link(shop.services, order.reference).removeprefix(shop.services.settings.store_url)

    answer = shop.browser().get(link)

    assert answer.location.partition("?")[0] == f"/orders/{order.reference}/pay"


def test_a_shopper_who_is_still_trying_gets_no_reminder(shop: Shop) -> None:
    order = declined(shop)
    shop.clock.forward(minutes=8)
    shop.pay(order, DECLINED)
    shop.deliver()

    work(shop, 5)

    assert reminders(shop) == []


def test_an_order_with_little_time_left_gets_no_reminder(shop: Shop) -> None:
    order = declined(shop)

    work(shop, 26)

    assert shop.read(order.reference).state is OrderState.AWAITING_PAYMENT
    assert reminders(shop) == []


def test_who_paid_gets_no_reminder_though_the_webhook_was_lost(shop: Shop) -> None:
    order = declined(shop)
    shop.pay(order)
    shop.lose()

    work(shop, 11)

    assert shop.read(order.reference).state is OrderState.PAID
    assert reminders(shop) == []


def test_a_reminder_that_waits_is_dropped_once_the_order_is_paid(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(mail_server="127.0.0.1", mail_port=1)
    order = declined(shop)
    work(shop, 11)
    shop.pay(order)
    shop.deliver()

    work(shop, 2)

    assert reminders(shop) == [False]
    assert [entry.data for entry in shop.read(order.reference).history if entry.type == "mail.dropped"] == [
        {"kind": "payment_failed", "because": "not_waiting_for_a_card"}
    ]


def test_a_reminder_is_about_the_payment_that_the_order_counts_on(shop: Shop) -> None:
    order, other = declined(shop), declined(shop)
    with shop.services.database.transaction() as session:
        replaced = {"provider_payment_id": "pi_gone", "live": False, "state": PaymentState.CANCELLED}
        session.execute(insert(Payment).values(order_id=order.id, amount_minor=400, **replaced))
    shop.clock.forward(minutes=11)

    reminders_of.remind(shop.services, order.reference, shop.clock())

    with shop.services.database.reading() as session:
        rows = [(each.order_id, each.dedupe_key) for each in session.query(Mail).filter_by(kind="payment_failed")]
    assert rows == [(order.id, "payment_failed")]
    assert other.id not in dict(rows)
