"""A merchant's day, from the first order to the audit: all of it is done at /admin. And what chaos leaves behind."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import update

from models import InboxEvent, Product
from store.domain.errors import MailRefused, MailUnavailable
from store.domain.staff import Role
from store.domain.states import OrderState
from store.gateway.port import Email, MailServerProblem
from store.services import reconciliation
from store.services.operations import audit, work_list, worker
from store.webhooks import inbox
from tests.integration.test_admin_products import form_of
from tests.support.shop import Browser, NoAnswer, Shop
from tests.support.staff import staff

DISPUTED, FRAUD_WARNING, REFUND_FAILS = "4000000000000259", "4000000000005423", "4000000000005126"
PARTS = (
    *("To look into", "Disputes to answer", "To ship", "Money to return", "Mails that did not arrive"),
    *("Webhooks that failed", "Left by reconciliation", "Stock that runs out"),
)


def paid(shop: Shop, card: str = "4242424242424242", quantity: int = 2) -> str:
    order = shop.order(quantity)
    shop.pay(order, card)
    shop.deliver()
    return order.reference


def plenty(shop: Shop) -> None:
    """Nothing runs out by itself."""
    with shop.services.database.transaction() as session:
        session.execute(update(Product).values(stock=100))


def left(browser: Browser) -> list[str]:
    """What the work list has something of."""
    return [title for title in re.findall(r"<h2[^>]*>([^<]+)</h2>", browser.get("/admin").text) if title in PARTS]


def audited(shop: Shop) -> list[str]:
    with shop.services.database.reading() as session:
        return [finding.code for finding in audit.run(session, shop.clock())]


@pytest.mark.on_both_databases
def test_everything_of_a_day_is_finished_and_the_books_agree(shop: Shop) -> None:
    owner, service, packer = staff(shop), staff(shop, Role.SERVICE), staff(shop, Role.PACKING)
    plenty(shop)
    shop.set_stock("cedar-pencil", 40)
    pencil = shop.product().id
    ordinary = [paid(shop, quantity=3) for _ in range(4)]
    disputed, warned, not_refunded = paid(shop, DISPUTED), paid(shop, FRAUD_WARNING), paid(shop, REFUND_FAILS)
    unpaid, at_the_old_price = shop.order(2), shop.order(2)
    late = shop.order(shop.product().available)
    late_page = shop.open(late)
    shop.clock.forward(minutes=1)
    shop.deliver()

    # A price is changed while an order waits for its payment.
    path = "/admin/products/cedar-pencil"
    owner.post(path, form_of(owner, shop, price="9.00"), page=path)
    shop.pay(at_the_old_price)
    # Money comes for an order whose things were sold meanwhile.
    shop.close_by_hand(late.reference)
    shop.order(shop.product().available)
    shop.confirm(late_page)
    shop.deliver()

    def send(browser: Browser, reference: str, what: str, **form: str) -> None:
        browser.post(f"/admin/orders/{reference}/{what}", {**form, "back": "today"}, page="/admin/account")

    send(service, unpaid.reference, "cancel")
    send(service, late.reference, "refund-now")
    send(service, ordinary[0], "refund", amount="")
    send(service, ordinary[1], "refund", amount="2.50")
    # One is sent in part, one piece of it comes back, and one that is not sent yet is refunded; the rest follows.
    send(packer, ordinary[2], "ship", number="1", tracking="1Z 1", **{f"pieces-{pencil}": "1"})
    send(service, ordinary[2], "refund-lines", **{f"sent-{pencil}": "1", f"restock-sent-{pencil}": "y"})
    send(service, ordinary[2], "refund-lines", **{f"unsent-{pencil}": "1", f"restock-unsent-{pencil}": "y"})
    # Of another one all is refunded, which the bank sends back.
    send(service, not_refunded, "refund", amount="")
    shop.clock.forward(minutes=1)
    shop.deliver()
    send(service, not_refunded, "resolve", note="They keep it after all.")
    send(service, warned, "resolve", note="The customer called: it is theirs.")
    (dispute,) = shop.stripe("GET", "/v1/disputes")["data"]
    evidence = f"/admin/orders/{disputed}/disputes/{dispute['id']}"
    service.post(evidence, {"explanation": "winning_evidence", "read": "y"}, page=evidence)
    shop.clock.forward(minutes=1)
    shop.deliver()
    shipped = (*ordinary[1:], disputed, warned, at_the_old_price.reference, not_refunded)
    for reference in shipped:
        send(packer, reference, "ship", tracking="1Z 999")
    owner.post(f"{path}/stock", {"by": "20", "reason": "delivery", "back": "today"}, page="/admin/account")
    worker.run(shop.services, shop.clock())

    states = {reference: shop.read(reference).state for reference in (*shipped, ordinary[0], unpaid.reference)}
    assert states == {
        **dict.fromkeys(shipped, OrderState.FULFILLED),
        ordinary[0]: OrderState.REFUNDED,
        unpaid.reference: OrderState.CANCELLED,
    }
    assert shop.shipments(ordinary[2]) == [("1 cedar-pencil", "1Z 1"), ("1 cedar-pencil", "1Z 999")]
    (line,) = shop.read(ordinary[2]).lines
    assert (line.shipped, line.refunded_sent, line.refunded_unsent, line.restocked) == (2, 1, 1, 2)
    assert [refund.amount_minor for refund in shop.refunds(ordinary[2])] == [400, 400]
    assert shop.read(late.reference).payment.refunded_minor == late.total_minor
    assert shop.read(at_the_old_price.reference).total_minor == 800
    assert service.get(evidence).text.count("won") >= 1
    assert left(owner) == []
    assert audited(shop) == []


class MailServerThatRefuses:
    """A mail server that refuses every mail for good, as long as it is told to."""

    answer: type[MailUnavailable] | None = MailRefused

    def send(self, _email: Email) -> None:
        if self.answer is not None:
            raise self.answer

    def check(self) -> MailServerProblem | None:
        return None


def test_what_chaos_leaves_behind_is_on_the_list_and_finished_there(shop_with: Callable[..., Shop]) -> None:
    mailer = MailServerThatRefuses()
    shop = shop_with(mailer=mailer)
    owner = staff(shop)
    plenty(shop)
    paid(shop, FRAUD_WARNING)
    paid(shop, DISPUTED)
    unanswered, unhandled = paid(shop), paid(shop)
    shop.clock.forward(minutes=1)
    shop.deliver()
    worker.run(shop.services, shop.clock())
    # Money came for an order that was closed, and whose things are gone.
    late = shop.order(2, "brass-pen")
    page = shop.open(late)
    shop.close_by_hand(late.reference)
    shop.set_stock("brass-pen", 1)
    shop.confirm(page)
    shop.deliver()
    # Stripe has not answered a refund, the store could not handle a webhook, and somebody paid what nobody ordered.
    with no_answer_to_refunds(shop):
        owner.post(f"/admin/orders/{unanswered}/refund", {"amount": "1"}, page="/admin/account")
        strange = {"amount": "500", "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true"}
        strange |= {"metadata[order_reference]": "AAAA-BBBB-CCCC-DDDD", "return_url": "http://store.test/"}
        intent = shop.stripe("POST", "/v1/payment_intents", strange)["id"]
        reconciliation.run_since_last(shop.services, inbox.catch_up, shop.clock())
    with shop.services.database.transaction() as session:
        failed = update(InboxEvent).where(InboxEvent.id == paid_event_of(shop, unhandled))
        session.execute(failed.values(handled_at=None, outcome=None, last_error="OperationalError"))
    shop.clock.forward(minutes=11)
    listed = left(owner)

    mailer.answer = None
    with shop.services.database.reading() as session:
        work = work_list.read(session, shop.clock())
    reviewed, mailed = [each.reference for each in work.reviews], [(o.reference, mail.id) for o, mail in work.mails]
    owed = [order.reference for order, _ in (*work.returning, *work.unanswered)]
    presses = [(f"orders/{reference}/resolve", {"note": "It is theirs."}) for reference in reviewed]
    presses += [
        (f"orders/{order.reference}/disputes/{each.provider_dispute_id}/accept", {}) for order, each in work.disputes
    ]
    presses += [(f"orders/{reference}/refund-now", {}) for reference in owed]
    presses += [(f"orders/{reference}/mails/{mail_id}/again", {}) for reference, mail_id in mailed]
    presses += [("webhooks/replay", {})]
    presses += [(f"orders/{order.reference}/ship", {}) for order in work.to_ship.orders]
    presses += [(f"orders/{reference}/ship", {}) for reference in reviewed]
    presses += [(f"products/{each.slug}/stock", {"by": "20", "reason": "delivery"}) for each in work.scarce]
    for address, form in presses:
        owner.post(f"/admin/{address}", {**form, "back": "today"}, page="/admin/account")
    shop.stripe("POST", "/v1/refunds", {"payment_intent": intent})  # in its dashboard, as the list says
    shop.deliver()
    for _ in range(2):  # until nothing that happened today is compared any more
        shop.clock.forward(hours=3)
        reconciliation.run_since_last(shop.services, inbox.catch_up, shop.clock())
    worker.run(shop.services, shop.clock())

    assert listed == list(PARTS)
    assert left(owner) == []
    assert audited(shop) == []


@contextmanager
def no_answer_to_refunds(shop: Shop) -> Iterator[None]:
    def away(method: str, called: str) -> None:
        if (method, called) == ("POST", "/v1/refunds"):
            raise NoAnswer

    shop.transport.before = away
    yield
    shop.transport.before = lambda _method, _path: None


def paid_event_of(shop: Shop, reference: str) -> str:
    """The event that reported the order's payment."""
    intent = shop.read(reference).payment.provider_payment_id
    events = shop.stripe("GET", "/v1/events", {"type": "payment_intent.succeeded", "limit": "100"})["data"]
    return next(str(event["id"]) for event in events if event["data"]["object"]["id"] == intent)
