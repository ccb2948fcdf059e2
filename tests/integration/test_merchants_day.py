"""A merchant's day, from the first order to the audit: all of it is done at /admin."""

import pytest

from store.domain.staff import Role
from store.domain.states import OrderState
from store.services.operations import audit, worker
from tests.integration.test_admin_products import form_of
from tests.support.shop import Browser, Shop
from tests.support.staff import staff

DISPUTED, FRAUD_WARNING, REFUND_FAILS = "4000000000000259", "4000000000005423", "4000000000005126"


def paid(shop: Shop, card: str = "4242424242424242", quantity: int = 2) -> str:
    order = shop.order(quantity)
    shop.pay(order, card)
    shop.deliver()
    return order.reference


@pytest.mark.on_sqlite  # each step of it is tried on both
def test_everything_of_a_day_is_finished_and_the_books_agree(shop: Shop) -> None:
    owner, service, packer = staff(shop), staff(shop, Role.SERVICE), staff(shop, Role.PACKING)
    shop.set_stock("cedar-pencil", 40)
    ordinary = [paid(shop) for _ in range(4)]
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
    send(service, not_refunded, "refund", amount="")
    shop.clock.forward(minutes=1)
    shop.deliver()
    send(service, not_refunded, "resolve", note="Sent by bank transfer.")
    send(service, warned, "resolve", note="The customer called: it is theirs.")
    (dispute,) = shop.stripe("GET", "/v1/disputes")["data"]
    won = {"evidence[uncategorized_text]": "winning_evidence", "submit": "true"}
    shop.stripe("POST", f"/v1/disputes/{dispute['id']}", won)
    shop.clock.forward(minutes=1)
    shop.deliver()
    shipped = (*ordinary[1:], disputed, warned, at_the_old_price.reference)
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
    assert shop.read(late.reference).payment.refunded_minor == late.total_minor
    assert shop.read(at_the_old_price.reference).total_minor == 800
    page = owner.get("/admin").text
    left = [title for title in ("To look into", "Disputes to answer", "Money to return", "Mails that") if title in page]
    assert left == []
    with shop.services.database.reading() as session:
        assert [finding.code for finding in audit.run(session, shop.clock())] == []
