"""Programs see and change orders and stock in JSON, and the history names the key that did it."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import Order, StaffLogEntry
from store.api.guard import FAILURES_PER_MINUTE, REQUESTS_PER_MINUTE
from store.domain.api_keys import Scope
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from store.services.orders import reviews
from tests.support.crash_points import FaultPlan, Process
from tests.support.programs import Program, program
from tests.support.shop import ADDRESS, Shop

KEY = "key Warehouse"


def paid(shop: Shop, quantity: int = 2) -> Order:
    order = shop.order(quantity)
    shop.pay(order)
    shop.deliver()
    return shop.read(order.reference)


def listed(ours: Program, **query: object) -> tuple[list[str], str | None]:
    answer = ours.get("/orders", query).json
    assert answer is not None
    return [order["reference"] for order in answer["orders"]], answer["next"]


def told(answer: TestResponse, *names: str) -> list[Any]:
    assert answer.json is not None
    return [answer.status_code, *(answer.json.get(name) for name in names)]


def log(shop: Shop) -> list[tuple[str, str, str, dict[str, object]]]:
    with shop.services.database.reading() as session:
        entries = session.scalars(select(StaffLogEntry).order_by(StaffLogEntry.id))
        return [(entry.actor, entry.action, entry.subject, entry.data) for entry in entries][1:]


def usd(minor: int) -> dict[str, object]:
    return {"minor": minor, "currency": "usd"}


def iso(order: Order, name: str) -> str:
    return str(getattr(order, name).isoformat()).replace("+00:00", "Z")


def test_orders_are_listed_page_by_page_and_filtered(usual_shop: Shop) -> None:
    ours = program(usual_shop, Scope.ORDERS_READ)
    placed = [usual_shop.order().reference for _ in range(3)]
    shipped = paid(usual_shop)
    usual_shop.fulfil(shipped.reference)
    day = usual_shop.clock().date().isoformat()
    newest_first = [shipped.reference, *reversed(placed)]

    first, cursor = listed(ours, limit=3)
    second, end = listed(ours, limit=3, cursor=cursor)

    assert (first + second, end) == (newest_first, None)
    assert listed(ours, oldest_first="true") == (newest_first[::-1], None)
    assert listed(ours, show="fulfilled") == ([shipped.reference], None)
    assert listed(ours, q="4242") == ([shipped.reference], None)
    assert listed(ours, q=placed[1]) == ([placed[1]], None)
    by_name, cursor = listed(ours, q="ada sho", limit=1)
    assert (by_name, cursor) == ([newest_first[0]], None) or cursor is not None
    assert listed(ours, **{"from": day, "to": day}) == (newest_first, None)
    assert listed(ours, to="2020-01-01") == ([], None)
    assert listed(ours, **{"from": "2090-01-01"}) == ([], None)


def test_a_listed_order_says_who_it_is_for_and_what_was_paid(usual_shop: Shop) -> None:
    ours, order = program(usual_shop, Scope.ORDERS_READ), paid(usual_shop)

    answer = ours.get("/orders").json

    assert answer == {
        "orders": [
            {
                "reference": order.reference,
                "state": "paid",
                "closed_because": None,
                "needs_review": False,
                "disputed": False,
                "total": usd(order.total_minor),
                "placed_at": iso(order, "placed_at"),
                "paid_at": iso(order, "paid_at"),
                "fulfilled_at": None,
                "shipped_at": None,
                "name": "Ada Shopper",
                "email": "ada@example.com",
                "country": "US",
                "pieces": 2,
                "card_last4": "4242",
                "received": usd(order.total_minor),
                "refunded": usd(0),
            }
        ],
        "next": None,
    }


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"limit": "0"}, "?/limit"),
        ({"limit": "201"}, "?/limit"),
        ({"show": "nothing"}, "?/show"),
        ({"from": "yesterday"}, "?/from"),
        ({"q": "a\0b"}, "?/q"),
        ({"q": "x" * 81}, "?/q"),
        ({"cursor": "no cursor"}, "?/cursor"),
        ({"cursor": "eH4="}, "?/cursor"),
        ({"page": "2"}, "?/page"),
    ],
)
def test_a_filter_that_is_not_known_is_refused(usual_shop: Shop, query: Mapping[str, str], pointer: str) -> None:
    answer = program(usual_shop).get("/orders", query)

    assert told(answer, "code") == [400, "request_invalid"]
    assert answer.json
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]


def test_one_order_is_told_whole(usual_shop: Shop) -> None:
    ours, order = program(usual_shop), paid(usual_shop)
    with usual_shop.services.database.transaction() as session:
        locked = session.get_one(Order, order.id)
        reviews.open_review(session, locked, "amount_mismatch", Origin(Source.STORE, usual_shop.clock()), seen=1)
    refunded = ours.post(f"/orders/{order.reference}/refunds", {"amount": 150}).json
    whole = usual_shop.read(order.reference)

    answer = ours.get(f"/orders/{order.reference}").json

    assert answer is not None
    assert refunded is not None
    address = {"full_name": ADDRESS.full_name, "line1": ADDRESS.line1, "line2": "", "city": ADDRESS.city}
    address |= {"region": "IL", "postal_code": "62701", "country": "US", "phone": ""}
    assert (answer["shipping"], answer["billing"], answer["email"]) == (address, address, "ada@example.com")
    assert (answer["state"], answer["needs_review"], answer["refundable"]) == (
        "paid",
        True,
        usd(order.total_minor - 150),
    )
    assert answer["lines"] == [
        {
            "product": "cedar-pencil",
            "name": "Cedar pencil",
            "quantity": 2,
            "unit_price": usd(whole.lines[0].unit_price_minor),
            "total": usd(2 * whole.lines[0].unit_price_minor),
        }
    ]
    assert [(each["kind"], each["amount"]["minor"]) for each in answer["adjustments"]] == [
        (each.kind, each.amount_minor) for each in whole.adjustments
    ]
    assert answer["payments"] == [
        {
            "id": whole.payment.provider_payment_id,
            "kind": "card",
            "state": "paid",
            "live": True,
            "amount": usd(order.total_minor),
            "received": usd(order.total_minor),
            "refunded": usd(150),
            "card_brand": "visa",
            "card_last4": "4242",
        }
    ]
    assert answer["refunds"] == [refunded]
    assert refunded["amount"] == usd(150)
    assert answer["disputes"] == []
    assert [(each["reason"], each["resolved_at"]) for each in answer["reviews"]] == [("amount_mismatch", None)]
    assert [entry["type"] for entry in answer["timeline"]] == [entry.type for entry in whole.history]
    assert [entry["actor"] for entry in answer["timeline"] if entry["type"] == "refund.requested"] == [KEY]


def test_an_order_is_shipped_by_a_program(usual_shop: Shop) -> None:
    ours, order = program(usual_shop), paid(usual_shop)

    answer = ours.post(f"/orders/{order.reference}/ship", {"tracking": " T-1 "})
    again = ours.post(f"/orders/{order.reference}/ship", {"tracking": "T-2"})

    shipped = usual_shop.read(order.reference)
    assert told(answer, "reference", "state") == [200, order.reference, "fulfilled"]
    assert answer.json == again.json
    entry = next(entry for entry in shipped.history if entry.type == "order.fulfilled")
    said = {"shipment": 1, "pieces": "2 × Cedar pencil", "tracking": "T-1"}
    assert (entry.source, entry.actor, entry.data) == ("program", KEY, said)
    assert log(usual_shop) == [(KEY, "order.fulfilled", order.reference, said)]
    shipment = {"number": 1, "carrier": None, "tracking": "T-1", "lines": [{"product": "cedar-pencil", "quantity": 2}]}
    (shown,) = (ours.get(f"/orders/{order.reference}").json or {})["shipments"]
    assert shown == {**shipment, "shipped_at": iso(shipped, "shipped_at")}


def test_an_order_is_sent_in_parts_by_a_program(usual_shop: Shop) -> None:
    ours, order = program(usual_shop), paid(usual_shop, 3)
    path, one = f"/orders/{order.reference}/ship", {"product": "cedar-pencil", "quantity": 1}

    part = ours.post(path, {"lines": [one, one], "shipment": 1, "carrier": "UPS"})
    again = ours.post(path, {"lines": [one, one], "shipment": 1})
    too_many = ours.post(path, {"lines": [one, one], "shipment": 2})
    unknown = ours.post(path, {"lines": [{"product": "brass-pen", "quantity": 1}], "shipment": 2})
    rest = ours.post(path, {"lines": [one], "shipment": 2})

    refused = [409, "order_not_fulfilled", "fewer_left"]
    assert [told(part, "state"), told(again, "state"), told(rest, "state")] == [
        [200, "paid"],
        [200, "paid"],
        [200, "fulfilled"],
    ]
    assert [told(each, "code", "reason") for each in (too_many, unknown)] == [refused] * 2
    sent = ours.get(f"/orders/{order.reference}").json
    assert sent is not None
    assert [(each["number"], each["carrier"], each["lines"]) for each in sent["shipments"]] == [
        (1, "UPS", [{"product": "cedar-pencil", "quantity": 2}]),
        (2, None, [{"product": "cedar-pencil", "quantity": 1}]),
    ]


def test_an_order_is_refunded_in_part_and_then_whole(usual_shop: Shop) -> None:
    ours, order = program(usual_shop), paid(usual_shop)
    path = f"/orders/{order.reference}/refunds"

    part = ours.post(path, {"amount": 150})
    rest = ours.post(path)
    more = ours.post(path, {"amount": 1})

    assert told(part, "state", "amount") == [201, "succeeded", usd(150)]
    assert told(rest, "state", "amount") == [201, "succeeded", usd(order.total_minor - 150)]
    assert told(more, "code", "reason", "amount") == [409, "refund_refused", "too_much", usd(0)]
    after = usual_shop.read(order.reference)
    assert (after.state, after.payment.refunded_minor) == ("refunded", order.total_minor)
    with usual_shop.services.database.reading() as session:
        assert audit.run(session, usual_shop.clock()) == []


def test_a_refund_that_stripe_does_not_answer_is_accepted(usual_shop: Shop) -> None:
    ours, order = program(usual_shop), paid(usual_shop)
    process = Process(usual_shop)
    ours.restart()
    path = f"/orders/{order.reference}/refunds"

    with process.under(FaultPlan(breaks_before=1)):
        accepted = ours.post(path, {"amount": 150}, "one")
    ours.restart()
    second = ours.post(path, {"amount": 10})
    besides = ours.post(path, {"amount": 10, "another": True})
    worker.run(usual_shop.services, usual_shop.clock())

    assert told(accepted, "id", "state") == [202, None, "requested"]
    assert told(second, "code", "reason") == [409, "refund_refused", "earlier_unanswered"]
    assert told(besides, "state") == [201, "succeeded"]
    assert [(refund.amount_minor, refund.state) for refund in usual_shop.refunds(order.reference)] == [
        (150, "succeeded"),
        (10, "succeeded"),
    ]


def test_an_open_order_is_cancelled_and_a_paid_one_is_not(usual_shop: Shop) -> None:
    ours, opened, bought = program(usual_shop), usual_shop.order(), paid(usual_shop)
    usual_shop.open(opened)

    done = ours.post(f"/orders/{opened.reference}/cancel")
    refused = ours.post(f"/orders/{bought.reference}/cancel")

    assert told(done, "state", "closed_because") == [200, "cancelled", "by_shopper"]
    assert told(refused, "code", "reference") == [409, "order_closed", bought.reference]
    assert [entry[:3] for entry in log(usual_shop)] == [
        (KEY, "payment.cancelled", opened.reference),
        (KEY, "order.cancelled", opened.reference),
    ]
    assert usual_shop.product().reserved == 0


def test_what_the_store_refuses_has_its_code(usual_shop: Shop) -> None:
    ours, order = program(usual_shop), usual_shop.order()
    path = f"/orders/{order.reference}"

    assert told(ours.post(f"{path}/ship"), "code", "reason", "status") == [
        *(409, "order_not_fulfilled", "not_paid", 409),
    ]
    assert told(ours.post(f"{path}/refunds"), "code", "reason") == [409, "refund_refused", "too_much"]
    assert told(ours.get("/orders/AAAA"), "code", "subject", "type", "title") == [
        *(404, "not_found", "order", "urn:till:problem:not_found", "Not Found"),
    ]
    assert told(ours.post("/orders/AAAA/cancel"), "code", "subject") == [404, "not_found", "order"]
    assert told(ours.get("/stock/nothing"), "code", "subject") == [404, "not_found", "product"]
    assert told(ours.post("/stock/cedar-pencil/corrections", {"by": -80, "reason": "broken"}), "reason", "count") == [
        *(409, "below_reserved", 1),
    ]


def test_stock_is_told_and_corrected(usual_shop: Shop) -> None:
    ours = program(usual_shop)
    usual_shop.order(3)
    pencil = {"slug": "cedar-pencil", "name": "Cedar pencil", "hidden": False}
    before = usual_shop.product().stock

    one = ours.get("/stock/cedar-pencil").json
    corrected = ours.post("/stock/cedar-pencil/corrections", {"by": -2, "reason": "broken"})
    everything = ours.get("/stock").json

    assert one == {**pencil, "stock": before, "reserved": 3, "available": before - 3}
    assert corrected.json == {**pencil, "stock": before - 2, "reserved": 3, "available": before - 5}
    assert corrected.status_code == 201
    assert everything is not None
    assert corrected.json in everything["products"]
    assert (len(everything["products"]), everything["next"]) == (18, None)
    scarce = ours.get("/stock", {"at_most": before - 5}).json
    assert scarce is not None
    assert all(each["available"] <= before - 5 for each in scarce["products"])
    assert ours.get("/stock", {"q": "cedar"}).json == {"products": [corrected.json], "next": None}
    assert told(ours.get("/stock", {"cursor": "1"}), "code") == [400, "request_invalid"]
    assert ours.get("/stock", {"cursor": "2"}).json == {"products": [], "next": None}
    assert log(usual_shop) == [
        (KEY, "stock.corrected", "cedar-pencil", {"by": "-2", "stock": before - 2, "reason": "broken"})
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/orders/A/refunds", {"amount": "150"}),
        ("/orders/A/refunds", {"amount": 0}),
        ("/orders/A/refunds", {"amount": 1.5}),
        ("/orders/A/refunds", {"amount": True}),
        ("/orders/A/refunds", {"sum": 1}),
        ("/orders/A/ship", {"tracking": "x" * 121}),
        ("/orders/A/ship", {"tracking": "a\nb"}),
        ("/orders/A/ship", {"disputed": "yes"}),
        ("/orders/A/ship", {"lines": [{"product": "cedar-pencil", "quantity": 1}]}),
        ("/orders/A/cancel", {"why": "so"}),
        ("/orders/A/cancel", []),
        ("/stock/cedar-pencil/corrections", {"by": 1}),
        ("/stock/cedar-pencil/corrections", {"by": 1, "reason": ""}),
        ("/stock/cedar-pencil/corrections", {"by": 1_000_001, "reason": "delivery"}),
    ],
)
def test_a_body_that_is_not_as_described_is_refused(usual_shop: Shop, path: str, body: Any) -> None:
    ours = program(usual_shop)

    answer = ours.ask("POST", path, {"Idempotency-Key": "one"}, json=body)

    assert told(answer, "code") == [400, "request_invalid"]
    assert answer.json
    assert answer.json["errors"]


def test_a_program_is_never_answered_with_a_page_or_a_cookie(usual_shop: Shop) -> None:
    ours = program(usual_shop)
    once = {"Idempotency-Key": "one"}
    ours.shop.app.test_client().set_cookie("till", "anything")

    answers = {
        404: [ours.get("/nothing"), ours.get("/orders/a-b"), usual_shop.app.test_client().get("/api/v2/orders")],
        405: [ours.ask("DELETE", "/orders"), ours.ask("PUT", "/stock/cedar-pencil")],
        413: [ours.ask("POST", "/orders/A/ship", once, data=b"{" + b" " * 70_000, content_type="application/json")],
        415: [ours.ask("POST", "/orders/A/ship", once, data={"tracking": "1"})],
        400: [ours.ask("POST", "/orders/A/ship", once, data=b"{", content_type="application/json")],
        401: [usual_shop.app.test_client().get("/api/v1/orders/")],
    }

    for status, of_status in answers.items():
        for answer in of_status:
            assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
            assert answer.json
            assert answer.json["request_id"] == answer.headers["X-Request-Id"]
            assert "Set-Cookie" not in answer.headers
            assert answer.headers["Cache-Control"] == "no-store"
    assert answers[405][0].headers["Allow"]


def test_a_key_and_an_address_without_one_ask_only_so_often(usual_shop: Shop) -> None:
    ours, theirs = program(usual_shop), program(usual_shop, name="Books")
    stranger = usual_shop.app.test_client()

    first = ours.get("/stock/nothing")
    strange = [stranger.get("/api/v1/stock").status_code for _ in range(FAILURES_PER_MINUTE + 1)]

    assert first.headers["X-RateLimit-Remaining"] == str(REQUESTS_PER_MINUTE - 1)
    assert strange == [401] * FAILURES_PER_MINUTE + [429]
    assert theirs.get("/stock/nothing").headers["X-RateLimit-Remaining"] == str(REQUESTS_PER_MINUTE - 1)


def test_the_shop_makes_nothing_of_the_api_for_its_own_pages(shop_with: Any) -> None:
    shop = shop_with()

    shop.app.test_client().get("/")

    assert shop.app.extensions["api"].made is None
