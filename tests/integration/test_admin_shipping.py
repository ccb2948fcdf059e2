"""The merchant's pages for shipping in parts and refunding by line, and the commands that do the same."""

import csv
import io
import re
from collections.abc import Callable

import pytest

from models import Order
from store.domain.errors import RefundRefusal, RefundRefused
from store.domain.money import Money
from store.domain.staff import Role
from store.domain.states import OrderState
from store.services import orders
from store.services.history import Origin, Source
from store.services.operations import audit
from store.services.payments import refunds
from store.services.payments.refunds import Choice, ChosenPieces
from tests.integration.test_shipments import paid
from tests.support.shop import Shop
from tests.support.staff import staff


def lines(shop: Shop, order: Order) -> list[tuple[int, int, int, int, int]]:
    """Of each line: shipped, refunded unsent, refunded sent, restocked, to ship."""
    return [
        (line.shipped, line.refunded_unsent, line.refunded_sent, line.restocked, line.to_ship)
        for line in shop.read(order.reference).lines
    ]


def test_a_part_is_shipped_from_the_page_and_the_rest_from_the_list(shop: Shop) -> None:
    order = paid(shop)
    browser, path, pencils = staff(shop, Role.PACKING), f"/admin/orders/{order.reference}", shop.product().id

    form = {"carrier": "Post", "tracking": "1Z 1", "number": "1", f"pieces-{pencils}": "2"}
    browser.post(f"{path}/ship", form, page=path)
    browser.post(f"{path}/ship", form, page="/admin/account")  # from another browser, which showed the same
    page, today = browser.get(path).text, browser.get("/admin").text
    slips = [browser.get(f"{path}/packing-slip{query}") for query in ("?number=1", "", "?number=2")]
    exported = staff(shop, Role.SERVICE).get("/admin/orders/export.csv").text
    browser.post(f"{path}/ship", {"tracking": "1Z 2", "number": "2", "back": "today"}, page="/admin")

    assert "Shipped in part" in page
    assert "Ship the rest" in page
    assert "2 × Cedar pencil. Tracking Post 1Z 1." in page
    assert "The rest: 1&nbsp;× Brass pen, 1&nbsp;× Cedar pencil" in today
    assert [re.findall(r'<th scope="row">([^<]+)</th><td class="number">(\d+)', slip.text) for slip in slips[:2]] == [
        [("Cedar pencil", "2"), ("Together", "2")],
        [("Brass pen", "1"), ("Cedar pencil", "1"), ("Together", "2")],
    ]
    assert slips[2].status_code == 404
    (row,) = csv.DictReader(io.StringIO(exported))
    assert (row["pieces"], row["shipped"], row["tracking"], row["fulfilled_at"]) == ("4", "2", "Post 1Z 1", "")
    assert shop.shipments(order.reference) == [("2 cedar-pencil", "Post 1Z 1"), ("1 brass-pen, 1 cedar-pencil", "1Z 2")]
    assert shop.read(order.reference).state is OrderState.FULFILLED


@pytest.mark.parametrize(
    ("typed", "sentence"), [("two", "Type how many pieces"), ("4", "not left any more"), ("0", "Say how many")]
)
def test_a_parcel_that_makes_no_sense_is_not_shipped(shop: Shop, typed: str, sentence: str) -> None:
    order = paid(shop)
    browser, path = staff(shop, Role.PACKING), f"/admin/orders/{order.reference}"

    browser.post(f"{path}/ship", {f"pieces-{shop.product().id}": typed}, page=path)

    assert sentence in browser.get(path).text
    assert shop.shipments(order.reference) == []


def test_lines_are_refunded_from_the_page_with_and_without_restock(shop: Shop) -> None:
    order = paid(shop)
    pencils, pens = shop.product(), shop.product("brass-pen")
    browser, path = staff(shop, Role.SERVICE), f"/admin/orders/{order.reference}"
    browser.post(f"{path}/ship", {f"pieces-{pencils.id}": "1", f"pieces-{pens.id}": "1"}, page=path)

    chosen = {f"unsent-{pencils.id}": "1", f"restock-unsent-{pencils.id}": "y", f"sent-{pens.id}": "1"}
    browser.post(f"{path}/refund-lines", chosen, page=path)
    page = browser.get(path).text

    amount = Money(pencils.price_minor + pens.price_minor, "usd").text()
    assert f"The refund of {amount} is sent to the card." in page
    assert "1 × Brass pen, 1 × Cedar pencil" in page
    assert "1 shipped, 1 not sent, refunded, 1 back in stock" in page
    assert lines(shop, order) == [(1, 0, 1, 0, 0), (1, 1, 0, 1, 1)]
    assert (shop.product().stock, shop.product("brass-pen").stock) == (pencils.stock + 1, pens.stock)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("x", "Type how many pieces"), ("", "Say how many"), ("0", "Say how many"), ("9", "is not left")],
)
def test_a_refund_by_line_that_makes_no_sense_changes_nothing(shop: Shop, typed: str, sentence: str) -> None:
    order = paid(shop)
    browser, path = staff(shop, Role.SERVICE), f"/admin/orders/{order.reference}"

    browser.post(f"{path}/refund-lines", {f"unsent-{shop.product().id}": typed}, page=path)

    assert sentence in browser.get(path).text
    assert shop.refunds(order.reference) == []


def test_the_shopper_sees_what_was_sent_and_what_follows(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()
    shop.pay(shop.read(reference))
    shop.deliver()
    shop.fulfil(paid(shop).reference)
    order = paid(shop)
    shop.fulfil(order.reference, {shop.product().id: 1})

    with browser.session() as cookie:
        cookie["orders"] = [order.reference]
    plain = browser.get(f"/orders/{reference}").text
    with shop.services.database.transaction() as session:
        session.get_one(Order, order.id).browser_id = shop.read(reference).browser_id
    page = browser.get(f"/orders/{order.reference}").text

    assert "Shipment" not in plain
    assert "A part of your order is on its way" in page
    assert "1&nbsp;× Brass pen, 2&nbsp;× Cedar pencil" in page
    assert "A part left our shop: 1 × Cedar pencil." in page


def test_the_commands_ship_and_refund_by_line(shop: Shop) -> None:
    run, order = shop.app.test_cli_runner().invoke, paid(shop)

    answers = [
        run(args=[*words.split()]).output.strip()
        for words in (
            f"fulfil {order.reference} --line cedar-pencil=2 --carrier Post --tracking 1Z",
            f"fulfil {order.reference} --line cedar-pencil=2",
            f"refund {order.reference} --line cedar-pencil",
            f"refund {order.reference} --line cedar-pencil=1 --sent --no-restock",
            f"fulfil {order.reference}",
            f"refund {order.reference} --amount 1 --shipping",
        )
    ]
    wrong = [run(args=["fulfil", order.reference, "--line", line]) for line in ("tea", "cedar-pencil=x")]

    assert answers[0] == "A part was sent, and its customer gets an e-mail."
    assert "So many pieces are not left" in answers[1]
    assert answers[2:5] == [
        "The refund of $4.00 is succeeded.",
        "The refund of $4.00 is succeeded.",
        "The order is fulfilled, and its customer gets an e-mail.",
    ]
    assert "Give an amount, or lines and shipping." in answers[5]
    assert [answer.exit_code for answer in wrong] == [2, 2]
    assert lines(shop, order) == [(1, 0, 0, 0, 0), (2, 1, 1, 1, 0)]
    shown = run(args=["order", order.reference]).output
    assert "2 shipped, 2 refunded, 1 restocked" in shown
    assert re.search(r"shipment 1  .* UTC  2 × cedar-pencil, Post 1Z\n", shown)


def test_pieces_that_were_not_charged_are_withdrawn_without_a_refund(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(capture="on_shipping")
    stock = shop.product().stock
    order = shop.order(3)
    shop.pay(order)
    shop.deliver()
    origin, pencils = Origin(Source.STAFF, shop.clock()), shop.product().id
    orders.fulfil(shop.services, order.reference, None, origin, pieces={pencils: 1}, capture=Money(800, "usd"))

    def withdraw(pieces: int) -> bool:
        return refunds.withdraw(shop.services, order.reference, Choice([ChosenPieces(pencils, pieces)]), origin)

    answers = [withdraw(2), withdraw(1), withdraw(1)]

    after = shop.read(order.reference)
    assert answers == [False, True, False]
    assert (after.state, after.payment.refunded_minor) == (OrderState.PAID, 0)
    assert (lines(shop, order), shop.product().stock) == ([(1, 1, 0, 1, 1)], stock - 2)
    assert [(entry.type, entry.data) for entry in after.history[-2:]] == [
        ("order.withdrawn", {"pieces": "1 × Cedar pencil"}),
        ("order.restocked", {"pieces": "1 × Cedar pencil"}),
    ]
    with pytest.raises(RefundRefused) as refused:
        withdraw(3)
    assert refused.value.reason is RefundRefusal.FEWER_LEFT
    with shop.services.database.reading() as session:
        assert audit.run(session, shop.clock()) == []


def test_pieces_that_cost_nothing_are_withdrawn_from_the_page(shop: Shop) -> None:
    order = paid(shop, pens=0)
    pencils = shop.product().id
    browser, path = staff(shop, Role.SERVICE), f"/admin/orders/{order.reference}"
    with shop.services.database.transaction() as session:
        session.get_one(Order, order.id).total_minor += 400  # as though one of them had not been charged

    browser.post(f"{path}/refund-lines", {f"unsent-{pencils}": "1"}, page=path)

    assert "Nothing was charged for it, so nothing is returned." in browser.get(path).text
    assert (lines(shop, order), shop.refunds(order.reference)) == ([(0, 1, 0, 0, 2)], [])


def test_what_was_returned_another_way_is_off_the_list_of_orders_to_ship(shop: Shop) -> None:
    order, stock = shop.order(3), shop.product().stock
    shop.pay(order, "4000000000005126")  # whose refunds fail
    shop.deliver()
    browser, path, pencils = staff(shop, Role.SERVICE), f"/admin/orders/{order.reference}", shop.product().id
    browser.post(f"{path}/refund", {"amount": "8"}, page=path)
    shop.clock.forward(minutes=5)
    shop.deliver()
    browser.post(f"{path}/resolve", {"note": "Sent by bank transfer."}, page=path)

    chosen = {f"restock-unsent-{pencils}": "y", "elsewhere": "y"}
    browser.post(f"{path}/refund-lines", {**chosen, f"unsent-{pencils}": "3"}, page=path)
    too_much = browser.get(path).text
    browser.post(f"{path}/refund-lines", {**chosen, f"unsent-{pencils}": "2"}, page=path)
    page = browser.get(path).text
    shop.fulfil(order.reference)

    after = shop.read(order.reference)
    assert "Up to $8.00 of this order can be refunded." in too_much
    assert "Not sent, and returned another way: 2 × Cedar pencil." in page
    assert (lines(shop, order), shop.product().stock) == ([(1, 2, 0, 2, 0)], stock - 1)
    assert (after.state, [refund.state for refund in shop.refunds(order.reference)]) == (
        OrderState.FULFILLED,
        ["failed"],
    )
    with shop.services.database.reading() as session:
        assert audit.run(session, shop.clock()) == []


def test_an_order_shows_the_webhooks_about_it_and_no_others(shop: Shop) -> None:
    order, other = paid(shop), paid(shop)
    browser = staff(shop, Role.SERVICE)
    browser.post(f"/admin/orders/{order.reference}/refund", {"amount": "1"}, page="/admin/account")
    shop.deliver()

    pages = [browser.get(f"/admin/orders/{each.reference}").text for each in (order, other)]

    listed = [re.findall(r'href="/admin/webhooks/evt_\w+">([a-z_.]+)<', page) for page in pages]
    about_all = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    assert [sorted(set(types)) for types in listed] == [sorted({*about_all, *refunded(listed[0])}), sorted(about_all)]
    assert refunded(listed[0])


def refunded(types: list[str]) -> list[str]:
    return [each for each in types if each.startswith("refund.")]
