"""The merchant's orders: found, listed page by page, taken along as CSV, and finished."""

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from config import ROOT
from models import Mail, OrderKeyMark, StaffLogEntry
from store.admin.presentation.orders import REVIEWS
from store.admin.presentation.timeline import WORDS
from store.domain.staff import Role
from store.domain.states import OrderState
from store.services.operations import worker
from store.services.orders import Customer, listing, search, whole
from store.web.presentation.timeline import SENTENCES, WITHOUT_SENTENCE
from tests.support.shop import ADDRESS, CUSTOMER, NoAnswer, Shop
from tests.support.staff import staff

DISPUTED, FRAUD_WARNING, REFUND_FAILS = "4000000000000259", "4000000000005423", "4000000000005126"


def customer(name: str, email: str = "somebody@example.com") -> Customer:
    address = replace(ADDRESS, full_name=name)
    return replace(CUSTOMER, shipping=address, billing=address, email=email)


def paid(shop: Shop, card: str = "4242424242424242", who: Customer = CUSTOMER) -> str:
    order = shop.order(2, customer=who)
    shop.pay(order, card)
    shop.deliver()
    if card in (DISPUTED, FRAUD_WARNING):  # which follows in a moment
        shop.clock.forward(minutes=1)
        shop.deliver()
    return order.reference


def references(page: str) -> list[str]:
    return re.findall(r'class="reference" href="/admin/orders/([A-Z0-9-]+)"', page)


def found(shop: Shop, text: str, most: int = 50) -> list[str]:
    wanted = listing.OrderFilter(search=search.parse(text))
    with shop.services.database.reading() as session:
        return [order.addressee for order in listing.find(session, wanted, most=most).orders]


@pytest.mark.on_both_databases
@pytest.mark.parametrize("written", [False, True], ids=["of the last minute", "of earlier"])
def test_an_order_is_found_by_what_a_person_knows_of_it(shop: Shop, written: bool) -> None:
    shop.clock.stop()
    for name in ("Ada Lovelace", "Zoë Müller", "O’Brien, Pat", "张伟"):
        shop.order(customer=customer(name, f"{name[:2].encode().hex()}@Example.com"))
    reference = shop.order(customer=customer("Grace Hopper", "grace.hopper@navy.example")).reference
    shop.clock.forward(minutes=2)
    while written and search.write_keys(shop.services, shop.clock()):
        pass

    expected = {
        "ada lov": "Ada Lovelace", "LOVELACE": "Ada Lovelace", "zoe": "Zoë Müller", "mueller": "Zoë Müller",
        "o'brien": "O’Brien, Pat", "张": "张伟", "grace.hopper@NAVY.example": "Grace Hopper", "@grace": "Grace Hopper",
        reference: "Grace Hopper", reference.lower().replace("-", ""): "Grace Hopper",
        f" {reference[:9]} ": "Grace Hopper",
    }  # fmt: skip
    assert {text: found(shop, text) for text in expected} == {text: [name] for text, name in expected.items()}
    assert [found(shop, text) for text in ("nobody", "%", "pi_none", "9999", "e@x")] == [[]] * 5


@pytest.mark.on_both_databases
def test_an_order_is_found_by_its_card_and_by_stripes_ids(shop: Shop) -> None:
    first, second = paid(shop, who=customer("Ada")), paid(shop, DISPUTED, customer("Bob"))
    browser = staff(shop)
    browser.post(f"/admin/orders/{first}/refund", {"amount": "1"}, page=f"/admin/orders/{first}")
    payment = shop.read(first).payment.provider_payment_id or ""
    page = browser.get(f"/admin/orders/{second}").text
    dispute, refund = re.findall(r">(d[up]_\w+)<", page)[0], shop.refunds(first)[0].provider_refund_id or ""

    assert [found(shop, text) for text in ("4242", "0259", payment, refund, dispute)] == [
        ["Ada"], ["Bob"], ["Ada"], ["Ada"], ["Bob"]
    ]  # fmt: skip


@pytest.mark.on_both_databases
@pytest.mark.parametrize("text", ["", "ada", "0@example.com"])
def test_every_order_is_on_one_page_of_the_list(shop: Shop, text: str) -> None:
    shop.clock.stop()
    people = [customer(f"Ada {number % 3}", f"{number % 2}@example.com") for number in range(7)]
    placed = [shop.order(customer=who).reference for who in people]
    shop.clock.forward(minutes=2)
    search.write_keys(shop.services, shop.clock())

    for oldest_first in (False, True):
        wanted = listing.OrderFilter(search=search.parse(text), oldest_first=oldest_first)
        seen, after = list[str](), None
        with shop.services.database.reading() as session:
            while True:
                part = listing.find(session, wanted, after, most=2)
                seen += [order.reference for order in part.orders]
                if (after := part.after) is None:
                    break
        expected = placed[::2] if "@" in text else placed
        assert sorted(seen) == sorted(expected)
        if not text:
            assert seen == (placed if oldest_first else placed[::-1])


def test_the_next_page_of_the_list_follows_the_first(shop: Shop) -> None:
    placed = [shop.order().reference for _ in range(listing.PAGE + 2)]
    browser = staff(shop)

    first = browser.get("/admin/orders?show=awaiting_payment").text
    following = re.findall(r'rel="next" href="([^"]+)"', first)[0].replace("&amp;", "&")

    assert references(first) == placed[:1:-1]
    assert references(browser.get(following).text) == placed[1::-1]


@pytest.mark.on_both_databases
def test_the_list_shows_what_waits_for_something(shop: Shop) -> None:
    ready, disputed, reviewed = paid(shop), paid(shop, DISPUTED), paid(shop, FRAUD_WARNING)
    waiting = shop.order().reference
    browser = staff(shop, Role.PACKING)

    shown = {str(show): references(browser.get(f"/admin/orders?show={show}").text) for show in listing.Show}

    assert shown["to_ship"] == [ready]
    assert (shown["review"], shown["disputed"], shown["awaiting_payment"]) == ([reviewed], [disputed], [waiting])
    assert shown["paid"] == [reviewed, disputed, ready]
    assert references(browser.get("/admin/orders?show=nonsense&after=x&from=31.12.&to=").text) == [
        waiting, reviewed, disputed, ready
    ]  # fmt: skip


@pytest.mark.on_both_databases
def test_orders_of_some_days_are_listed(shop: Shop) -> None:
    shop.clock.stopped_at = datetime(2026, 11, 26, 23, 58, tzinfo=UTC)
    placed = []
    for minutes in (4, 23 * 60 + 57, 4):  # before midnight, after it, a minute before the next, after that
        placed.append(shop.order().reference)
        shop.clock.forward(minutes=minutes)
    placed.append(shop.order().reference)
    browser = staff(shop)

    assert references(browser.get("/admin/orders?from=2026-11-27&to=2026-11-27").text) == [placed[2], placed[1]]
    assert references(browser.get("/admin/orders?to=2026-11-26").text) == [placed[0]]
    assert references(browser.get("/admin/orders?from=2026-11-28").text) == [placed[3]]


@pytest.mark.on_both_databases
def test_the_csv_has_every_order_and_no_formula(shop: Shop) -> None:
    paid(shop, who=customer("=1+1, “Ada”", "ada@example.com"))
    for number in range(4):
        shop.order(customer=customer(f"Shopper {number}"))
    browser = staff(shop, Role.SERVICE)

    answer = browser.get("/admin/orders/export.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    awaiting = list(csv.DictReader(io.StringIO(browser.get("/admin/orders/export.csv?show=paid").text)))

    assert (answer.mimetype, "Content-Length" in answer.headers) == ("text/csv", False)
    assert (len(rows), len(awaiting)) == (5, 1)
    assert rows[-1] | {"reference": "", "placed_at": "", "paid_at": "", "payment": ""} == {
        "reference": "", "placed_at": "", "state": "paid", "closed_because": "", "in_review": "False",
        "disputed": "False", "paid_at": "", "fulfilled_at": "", "tracking": "", "name": "'=1+1, “Ada”",
        "email": "ada@example.com", "country": "US", "pieces": "2", "shipped": "0", "currency": "usd", "total": "8.00",
        "received": "8.00", "refunded": "0.00", "card_brand": "visa", "card_last4": "4242", "payment": "",
    }  # fmt: skip


def test_an_order_is_shipped_and_its_history_names_who_did_it(shop: Shop) -> None:
    reference = paid(shop)
    browser, path = staff(shop, Role.PACKING), f"/admin/orders/{reference}"

    done = browser.post(f"{path}/ship", {"tracking": "1Z 999"}, page=path)
    again = browser.post(f"{path}/ship", {"tracking": "other"}, page="/admin/account")

    order = shop.read(reference)
    assert (done.location, order.state) == (path, OrderState.FULFILLED)
    assert shop.shipments(reference) == [("2 cedar-pencil", "1Z 999")]
    assert again.status_code == 303
    assert [entry.actor for entry in order.history if entry.type == "order.fulfilled"] == ["packing@shop.example"]
    assert "Shipped: 2 × Cedar pencil. Tracking 1Z 999." in browser.get(path).text
    assert logged(shop) == [("packing@shop.example", "order.fulfilled", reference)]


def logged(shop: Shop) -> list[tuple[str, str, str]]:
    """What the staff's log says, without signing in."""
    with shop.services.database.reading() as session:
        entries = session.query(StaffLogEntry).order_by(StaffLogEntry.id)
        return [(each.actor, each.action, each.subject) for each in entries if not each.action.startswith("staff.")]


def test_a_disputed_order_is_shipped_only_where_somebody_says_so(shop: Shop) -> None:
    reference = paid(shop, DISPUTED)
    browser, path = staff(shop, Role.PACKING), f"/admin/orders/{reference}"

    browser.post(f"{path}/ship", {}, page=path)
    assert "The payment of this order is disputed." in browser.get(path).text
    browser.post(f"{path}/ship", {"disputed": "y"}, page=path)

    assert shop.read(reference).state is OrderState.FULFILLED


@pytest.mark.parametrize(
    ("amount", "returned", "says"),
    [
        ("", 800, ""),
        ("2.5", 250, ""),
        ("2,50", 250, ""),
        ("8.01", 0, "Up to $8.00"),
        ("two", 0, "such as 12.30"),
        ("0", 0, "Up to"),
    ],
)
def test_an_order_is_refunded_whole_or_in_part(shop: Shop, amount: str, returned: int, says: str) -> None:
    reference = paid(shop)
    browser, path = staff(shop, Role.SERVICE), f"/admin/orders/{reference}"

    browser.post(f"{path}/refund", {"amount": amount}, page=path)
    page = browser.get(path).text

    assert shop.read(reference).payment.refunded_minor == returned
    assert says in page


def test_a_refund_that_stripe_does_not_answer_is_made_by_the_worker(shop: Shop) -> None:
    reference = paid(shop)
    browser, path = staff(shop, Role.SERVICE), f"/admin/orders/{reference}"

    def away(_method: str, called: str) -> None:
        if called == "/v1/refunds":
            raise NoAnswer

    shop.transport.before = away
    browser.post(f"{path}/refund", {"amount": "1"}, page=path)
    shop.transport.before = lambda _method, _path: None
    page = browser.get(path).text
    browser.post(f"{path}/refund", {"amount": "2"}, page=path)
    refused = browser.get(path).text
    worker.run(shop.services, shop.clock())

    assert "the worker goes on until it is made" in page
    assert "is not answered yet" in refused
    assert shop.read(reference).payment.refunded_minor == 100


def test_an_unpaid_order_is_cancelled_and_a_paid_one_is_not(shop: Shop) -> None:
    order = shop.order()
    shop.open(order)
    browser, path = staff(shop, Role.SERVICE), f"/admin/orders/{order.reference}"

    browser.post(f"{path}/cancel", {}, page=path)
    late = paid(shop)
    browser.post(f"/admin/orders/{late}/cancel", {}, page="/admin/account")

    cancelled = shop.read(order.reference)
    assert (cancelled.state, shop.read(late).state) == (OrderState.CANCELLED, OrderState.PAID)
    assert "It is too late for that" in browser.get(f"/admin/orders/{late}").text
    assert [each.actor for each in cancelled.history if each.type == "order.cancelled"] == ["service@shop.example"]
    assert shop.product().reserved == 0


def test_a_review_is_resolved_with_a_note_of_whoever_did_it(shop: Shop) -> None:
    reference = paid(shop, FRAUD_WARNING)
    browser, path = staff(shop, Role.SERVICE), f"/admin/orders/{reference}"

    waiting = browser.get(path).text
    browser.post(f"{path}/ship", {}, page=path)
    assert "resolve its review first" in browser.get(path).text
    browser.post(f"{path}/resolve", {"note": "The customer called: it is theirs."}, page=path)

    with shop.services.database.reading() as session:
        (review,) = whole.read(session, reference).order.reviews
    assert "A card network takes the payment for fraud." in waiting
    assert (review.resolved_by, review.note) == ("service@shop.example", "The customer called: it is theirs.")


@pytest.mark.on_both_databases
def test_a_mail_is_read_and_sent_again(shop: Shop) -> None:
    reference = paid(shop)
    browser, path = staff(shop, Role.SERVICE), f"/admin/orders/{reference}"
    worker.run(shop.services, shop.clock())
    with shop.services.database.reading() as session:
        first = session.query(Mail).one()

    text = browser.get(f"{path}/mails/{first.id}").text
    browser.post(f"{path}/mails/{first.id}/again", {}, page=path)
    worker.run(shop.services, shop.clock())

    assert f"Your order {reference} is paid" in text
    assert len(list(shop.mail_folder.iterdir())) == 2
    assert browser.get(f"/admin/orders/{shop.order().reference}/mails/{first.id}").status_code == 404
    assert logged(shop) == [("service@shop.example", "mail.sent_again", reference)]


def test_a_packing_slip_has_pieces_and_address_and_no_prices(shop: Shop) -> None:
    reference = paid(shop)

    slip = staff(shop, Role.PACKING).get(f"/admin/orders/{reference}/packing-slip").text

    assert all(each in slip for each in ("12 Market Street", "Cedar pencil", reference))
    assert "$" not in slip


def test_everything_that_happens_to_an_order_has_words_for_the_staff() -> None:
    mail = (ROOT / "templates" / "mail" / "review_opened.txt").read_text("utf-8")
    reasons = set(re.findall(r'^  "(\w+)":', mail, re.MULTILINE))

    assert {*SENTENCES, *WITHOUT_SENTENCE} <= set(WORDS)
    assert reasons <= set(REVIEWS)


@pytest.mark.on_both_databases
def test_keys_that_are_there_already_hold_up_nothing(shop: Shop) -> None:
    shop.order(customer=customer("Ada Lovelace"))
    shop.clock.forward(minutes=2)
    search.write_keys(shop.services, shop.clock())
    with shop.services.database.transaction() as session:
        session.execute(update(OrderKeyMark).values(order_id=0))  # as after the tables were put back from copies

    search.write_keys(shop.services, shop.clock())

    assert found(shop, "lovelace") == ["Ada Lovelace"]
