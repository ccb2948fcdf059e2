"""Today: what the store has set aside is on the work list, is finished from there, and then it is gone."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import update

from models import Mail, Payment, Product
from store.domain.errors import MailRefused, MailUnavailable
from store.domain.staff import Role
from store.domain.states import OrderState
from store.gateway.port import Email, MailServerProblem
from store.services import reconciliation
from store.services.operations import figures, work_list, worker
from store.webhooks import inbox
from tests.support.shop import NoAnswer, Shop
from tests.support.staff import staff

DISPUTED, FRAUD_WARNING, REFUND_FAILS, DECLINED = (
    "4000000000000259", "4000000000005423", "4000000000005126", "4000000000000002",
)  # fmt: skip


def paid(shop: Shop, card: str = "4242424242424242") -> str:
    order = shop.order(2)
    shop.pay(order, card)
    shop.deliver()
    shop.clock.forward(minutes=1)
    shop.deliver()
    return order.reference


def section(page: str, title: str) -> str:
    """What the work list has under a heading; empty where it has nothing."""
    found = re.search(rf"<h2[^>]*>{title}</h2>(.*?)</section>", page, re.DOTALL)
    return found[1] if found else ""


def never_scarce(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        session.execute(update(Product).values(stock=100))


def test_a_day_without_anything_to_do_says_so(shop: Shop) -> None:
    never_scarce(shop)

    page = staff(shop, Role.PACKING).get("/admin").text

    assert "Nothing waits" in page
    assert "never seen" in page


def test_orders_are_shipped_from_the_list_the_oldest_first(shop: Shop) -> None:
    first, second = paid(shop), paid(shop)
    browser = staff(shop, Role.PACKING)

    before = section(browser.get("/admin").text, "To ship")
    done = browser.post(f"/admin/orders/{first}/ship", {"tracking": "1Z", "back": "today"}, page="/admin")
    after = section(browser.get("/admin").text, "To ship")

    assert before.index(first) < before.index(second)
    assert (done.location, first in after, second in after) == ("/admin", False, True)
    assert shop.shipments(first) == [("2 cedar-pencil", "1Z")]


def test_a_review_is_resolved_from_the_list_by_whoever_may(shop: Shop) -> None:
    reference = paid(shop, FRAUD_WARNING)
    packer, service = staff(shop, Role.PACKING), staff(shop, Role.SERVICE)

    seen = section(packer.get("/admin").text, "To look into")
    refused = service.post(f"/admin/orders/{reference}/resolve", {"note": " ", "back": "today"}, page="/admin")
    words = service.get("/admin").text
    service.post(f"/admin/orders/{reference}/resolve", {"note": "It is theirs.", "back": "today"}, page="/admin")

    assert "A card network takes the payment for fraud." in seen
    assert "Resolve" not in seen
    assert (refused.location, "Say in one line" in words) == ("/admin", True)
    assert section(service.get("/admin").text, "To look into") == ""
    assert reference in section(packer.get("/admin").text, "To ship")


def test_a_dispute_is_on_the_list_until_the_bank_has_an_answer(shop: Shop) -> None:
    reference = paid(shop, DISPUTED)
    browser = staff(shop, Role.SERVICE)
    listed = section(browser.get("/admin").text, "Disputes to answer")
    (dispute,) = shop.stripe("GET", "/v1/disputes")["data"]

    with shop.services.database.reading() as session:
        ((_order, kept),) = work_list.read(session, shop.clock()).disputes
    evidence = {"evidence[uncategorized_text]": "winning_evidence", "submit": "true"}
    shop.stripe("POST", f"/v1/disputes/{dispute['id']}", evidence)
    shop.deliver()

    assert reference in listed
    assert kept.due_by is not None
    assert kept.due_by.timestamp() == dispute["evidence_details"]["due_by"]
    assert section(browser.get("/admin").text, "Disputes to answer") == ""


def test_a_refund_that_failed_is_finished_with_a_note(shop: Shop) -> None:
    reference = paid(shop, REFUND_FAILS)
    browser, path = staff(shop, Role.SERVICE), f"/admin/orders/{reference}"
    browser.post(f"{path}/refund", {"amount": ""}, page=path)
    shop.clock.forward(minutes=1)
    shop.deliver()

    listed = section(browser.get("/admin").text, "To look into")
    browser.post(f"{path}/resolve", {"note": "Sent by bank transfer.", "back": "today"}, page="/admin")

    assert "The bank did not take a refund" in listed
    assert section(browser.get("/admin").text, "To look into") == ""


def test_money_that_came_too_late_is_returned_from_the_list(shop: Shop) -> None:
    order = shop.order(shop.product().available)
    page = shop.open(order)
    shop.close_by_hand(order.reference)
    shop.order(shop.product().available)
    shop.confirm(page)
    shop.deliver()
    browser = staff(shop, Role.SERVICE)

    listed = section(browser.get("/admin").text, "Money to return")
    browser.post(f"/admin/orders/{order.reference}/refund-now", {"back": "today"}, page="/admin")

    assert "Return it now" in listed
    assert section(browser.get("/admin").text, "Money to return") == ""
    assert shop.read(order.reference).payment.refunded_minor == order.total_minor


def test_a_refund_without_an_answer_is_asked_for_again(shop: Shop) -> None:
    reference = paid(shop)
    browser, path = staff(shop, Role.SERVICE), f"/admin/orders/{reference}"

    def away(_method: str, called: str) -> None:
        if called == "/v1/refunds":
            raise NoAnswer

    shop.transport.before = away
    browser.post(f"{path}/refund", {"amount": ""}, page=path)
    shop.clock.forward(minutes=11)
    listed = section(browser.get("/admin").text, "Money to return")
    browser.post(f"{path}/refund-now", {"back": "today"}, page="/admin")
    still = browser.get("/admin").text
    shop.transport.before = lambda _method, _path: None
    browser.post(f"{path}/refund-now", {"back": "today"}, page="/admin")

    assert "Ask again now" in listed
    assert "Stripe does not answer right now." in still
    assert section(browser.get("/admin").text, "Money to return") == ""
    assert shop.read(reference).state is OrderState.REFUNDED


class MailServerThatSays:
    """A mail server that answers every mail so."""

    def __init__(self, answer: type[MailUnavailable]) -> None:
        self.answer = answer

    def send(self, _email: Email) -> None:
        raise self.answer

    def check(self) -> MailServerProblem | None:
        return None


@pytest.mark.parametrize(
    ("answer", "press", "again"),
    [(MailRefused, "again", "Send again"), (MailUnavailable, "now", "Try now")],
    ids=["refused", "not taken"],
)
def test_a_mail_that_did_not_arrive_is_sent_again_or_told_otherwise(
    shop_with: Callable[..., Shop], answer: type[MailUnavailable], press: str, again: str
) -> None:
    shop = shop_with(mailer=MailServerThatSays(answer))
    references = paid(shop), paid(shop)
    for _ in range(work_list.FEW_TRIES):
        worker.run(shop.services, shop.clock())
        shop.clock.forward(hours=1)
    browser = staff(shop, Role.SERVICE)
    listed = section(browser.get("/admin").text, "Mails that did not arrive")
    mails = {mail.order_id: mail for mail in all_mails(shop)}
    ids = [mails[shop.read(reference).id].id for reference in references]

    browser.post(f"/admin/orders/{references[0]}/mails/{ids[0]}/{press}", {"back": "today"}, page="/admin")
    browser.post(f"/admin/orders/{references[1]}/mails/{ids[1]}/give-up", {"back": "today"}, page="/admin")

    assert listed.count(again) == 2
    first, second = (mail for mail in all_mails(shop) if mail.id in ids)
    assert (first.failed_at, first.due_at <= shop.clock(), first.sent_at) == (None, True, None)
    assert (second.dropped_because, second.failed_at) == ("told_otherwise", None)
    assert references[1] not in section(browser.get("/admin").text, "Mails that did not arrive")


def all_mails(shop: Shop) -> list[Mail]:
    with shop.services.database.reading() as session:
        return list(session.query(Mail).order_by(Mail.id))


def test_the_figures_of_the_day_count_what_happened_in_it(shop: Shop) -> None:
    shop.clock.stop()
    paid(shop)
    shop.clock.forward(days=1, hours=1)
    reference = paid(shop)
    shop.pay(shop.order(), DECLINED)
    shop.deliver()
    browser, path = staff(shop, Role.SERVICE), f"/admin/orders/{reference}"
    browser.post(f"{path}/refund", {"amount": "3"}, page=path)

    with shop.services.database.reading() as session:
        day = figures.of_day(session, shop.clock(), "usd")

    assert (day.placed, day.paid, day.paid_percent) == (2, 1, 50)
    assert (day.received.minor, day.refunded.minor, day.declined) == (800, 300, [("generic_decline", 1)])
    assert [amount.minor for amount in day.paid_by_hour] == [0] * 23 + [800]


def test_the_list_says_when_the_worker_is_missing(shop: Shop) -> None:
    shop.clock.stop()
    browser = staff(shop)

    worker.run(shop.services, shop.clock())
    with shop.services.database.reading() as session:
        running = work_list.read(session, shop.clock()).health
    shop.clock.forward(minutes=11)
    with shop.services.database.reading() as session:
        missing = work_list.read(session, shop.clock()).health

    assert (running.worker_missing, missing.worker_missing) == (False, True)
    assert "Worker" in section(browser.get("/admin").text, "Is everything running\\?")


@pytest.mark.on_both_databases
def test_what_reconciliation_left_is_on_the_list_until_it_is_right(shop: Shop) -> None:
    never_scarce(shop)
    reference = paid(shop)
    with shop.services.database.transaction() as session:
        session.execute(update(Payment).values(received_minor=700))
    browser = staff(shop, Role.PACKING)

    reconciliation.run_since_last(shop.services, inbox.catch_up, shop.clock())
    listed = section(browser.get("/admin").text, "Left by reconciliation")
    with shop.services.database.transaction() as session:
        session.execute(update(Payment).values(received_minor=800))
    shop.clock.forward(minutes=15)
    reconciliation.run_since_last(shop.services, inbox.catch_up, shop.clock())

    assert f"/admin/orders/{reference}" in listed
    assert "with another amount than its total" in listed
    assert section(browser.get("/admin").text, "Left by reconciliation") == ""
