"""Documents as they are kept: whole contents, found by their own order, and what the audit says of wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement, insert, select, text, true, update
from sqlalchemy.orm import InstrumentedAttribute, Session
from structlog.testing import capture_logs

from models import Document, DocumentMark, DocumentSeries, HistoryEntry, Order, OrderAdjustment, Payment, Refund
from store.domain.documents import DocumentKind
from store.domain.errors import NotFound, Subject
from store.domain.money import Money
from store.domain.states import RefundState
from store.services import documents, tariffs
from store.services.database import Database
from store.services.documents import auditing, due
from store.services.findings import Finding
from store.services.history import Origin, Source
from store.services.orders import STAFF
from store.services.payments import refunds
from store.services.payments.refunds.lines import Choice, ChosenPieces
from tests.support.shop import ADDRESS, CUSTOMER, Shop

INVOICE, NOTE = DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE
SEATTLE = replace(ADDRESS, city="Seattle", region="", postal_code="98101", full_name="Bob Receiver")
SENT_ELSEWHERE = replace(CUSTOMER, shipping=SEATTLE, method="express")


def paid(shop: Shop, quantity: int = 2, **placed: Any) -> Order:
    order = shop.order(quantity, **placed)
    shop.pay(order)
    shop.deliver()
    return shop.read(order.reference)


def refund(shop: Shop, order: Order, what: Money | Choice) -> None:
    origin = Origin(Source.STAFF, shop.clock())
    key = refunds.request(shop.services, order.reference, what, origin)
    refunds.submit(shop.services, order.reference, None if isinstance(what, Choice) else what, key, origin)
    shop.deliver()


def issued(shop: Shop) -> list[Document]:
    with shop.services.database.reading() as session:
        return list(session.scalars(select(Document).order_by(Document.id)))


def names(shop: Shop) -> list[tuple[str, int, int]]:
    return [(each.name, each.order_id, each.total_minor) for each in issued(shop)]


def write(shop: Shop, *statements: Any) -> None:
    with shop.services.database.transaction() as session:
        for statement in statements:
            session.execute(statement)


def damage(shop: Shop, document: str, **values: object) -> None:
    """Change a document as nobody can who does not switch off what keeps them."""
    with shop.services.database.transaction() as session:
        triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'documents'"
        kept = session.execute(text(triggers)).all()
        for row in kept:
            session.execute(text(f"DROP TRIGGER {row.name}"))
        found = next(each for each in session.scalars(select(Document)) if each.name == document)
        table = Document.__table__
        changed: Any = table.update() if values else table.delete()  # type: ignore[attr-defined]  # a Table
        session.execute((changed.values(values) if values else changed).where(Document.id == found.id))
        for row in kept:
            session.execute(text(row.sql))


def every(_order_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    return true()


def found(shop: Shop, rule: Callable[..., Iterator[Finding]], later: timedelta = timedelta()) -> list[tuple[str, str]]:
    """What a rule finds among all orders, some time from now."""
    among = () if rule is auditing.last_number_missing else (every,)
    with shop.services.database.reading() as session:
        return [(each.subject, each.code) for each in rule(session, shop.clock() + later, *among)]


def test_a_credit_note_of_pieces_has_copies_of_all_that_it_says(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        tariffs.seed(session, "usd")
    shop.services.tariffs.forget()
    order = paid(shop, 3, slug="stoneware-mug", customer=replace(SENT_ELSEWHERE, tax_id="none"))
    (line,) = order.lines
    write(shop, update(Order).where(Order.id == order.id).values(tax_id="DE136695976"))
    refund(shop, order, Choice([ChosenPieces(line.product_id, 2)], True))
    documents.issue(shop.services, order.reference, shop.clock())

    invoice, note = issued(shop)
    (made,), settings = shop.refunds(order.reference), shop.services.settings
    parties = {
        "seller": {"name": settings.seller, "lines": settings.seller_lines, "vat_number": ""},
        "buyer": {"address": asdict(ADDRESS), "email": CUSTOMER.email, "vat_number": "DE136695976"},
        "ship_to": asdict(SEATTLE),
        "order": order.reference,
        "ordered_at": order.placed_at.isoformat(),
        "paid_at": order.paid_at and order.paid_at.isoformat(),
    }  # fmt: skip
    assert note.content == {
        **parties,
        "invoice": "INV-000001",
        "invoice_issued_at": invoice.issued_at.isoformat(),
        "refund": made.provider_refund_id,
        "lines": [
            {"name": "Stoneware mug", "quantity": 2, "unit_minor": 2982, "total_minor": 5964},
            {"name": "Shipping", "quantity": 1, "unit_minor": 1278, "total_minor": 1278},
        ],
        "taxes": [{"label": "Sales tax 6.5%", "base_minor": 6800, "tax_minor": 442}],
    }
    assert {name: invoice.content[name] for name in parties} == parties
    assert (note.total_minor, note.refund_id, note.currency, note.cancels_id) == (7242, made.id, "usd", None)
    assert (note.issued_at - invoice.issued_at, note.order_id) == (timedelta(), order.id)


def test_what_is_sent_to_the_buyer_or_to_nobody_names_no_other_address(shop: Shop) -> None:
    home = paid(shop)
    emailed = paid(shop, customer=replace(CUSTOMER, shipping=SEATTLE))
    write(shop, text("UPDATE orders SET shipping_country = '' WHERE id = :id").bindparams(id=emailed.id))
    for order in (home, emailed):
        documents.issue(shop.services, order.reference, shop.clock())

    assert [each.content["ship_to"] for each in issued(shop)] == [None, None]


def test_a_document_is_found_by_its_number_within_its_order(shop: Shop) -> None:
    first, second = paid(shop), paid(shop)
    for order in (first, second):
        refund(shop, order, Money(300, "usd"))
        documents.issue(shop.services, order.reference, shop.clock())

    with shop.services.database.reading() as session:
        note = documents.find(session, second.reference, 2, STAFF)
        listed = [each.name for each in documents.of_order(session, second.id)]
        for reference, number in ((first.reference, 2), (second.reference, 1), (second.reference, 3)):
            with pytest.raises(NotFound) as missing:
                documents.find(session, reference, number, STAFF)
            assert missing.value.subject is Subject.DOCUMENT
    invoices = [
        documents.invoice_of(shop.services, each.reference, STAFF, shop.clock()).name for each in (first, second)
    ]

    assert (note.name, note.order_id, listed) == ("CN-000002", second.id, ["INV-000002", "CN-000002"])
    assert invoices == ["INV-000001", "INV-000002"]
    with pytest.raises(NotFound) as unpaid:
        documents.invoice_of(shop.services, shop.order().reference, STAFF, shop.clock())
    assert unpaid.value.subject is Subject.DOCUMENT


def test_an_invoice_that_is_asked_for_is_issued_at_that_time(shop: Shop) -> None:
    order, later = paid(shop), shop.clock() + timedelta(hours=1)

    invoice = documents.invoice_of(shop.services, order.reference, STAFF, later)
    again = documents.invoice_of(shop.services, order.reference, STAFF, later + timedelta(hours=1))

    assert (invoice.name, invoice.issued_at, again.id, again.issued_at) == ("INV-000001", later, invoice.id, later)


def history_of(shop: Shop) -> list[int]:
    with shop.services.database.reading() as session:
        return list(session.scalars(select(HistoryEntry.id).where(HistoryEntry.type.in_(due.EVENTS))))


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_orders_are_looked_through_some_entries_at_a_time(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(due, "BATCH", batch)
    orders = [paid(shop) for _ in range(2)]
    unpaid = shop.order()

    assert len(history_of(shop)) == 2
    assert documents.issue_due(shop.services, shop.clock()) == 2
    assert documents.issue_due(shop.services, shop.clock()) == 0
    assert names(shop) == [("INV-000001", orders[0].id, 800), ("INV-000002", orders[1].id, 800)]
    assert unpaid.id not in {each.order_id for each in issued(shop)}


def test_invoices_are_numbered_in_the_order_in_which_orders_were_paid(shop: Shop) -> None:
    late, early = paid(shop), paid(shop)
    with shop.services.database.transaction() as session:
        values = {"paid_at": shop.clock() - timedelta(days=1)}
        session.execute(update(Order).where(Order.id == early.id).values(values))

    documents.issue_due(shop.services, shop.clock())

    assert names(shop) == [("INV-000001", early.id, 800), ("INV-000002", late.id, 800)]


def test_what_lies_before_the_mark_is_looked_at_no_more(shop: Shop) -> None:
    paid(shop)
    second = paid(shop)
    before = history_of(shop)[0]
    write(
        shop,
        insert(DocumentMark).values(id=1, since=due.ALWAYS, read_id=before, noted_id=before, noted_in=0),
    )

    assert documents.issue_due(shop.services, shop.clock()) == 1
    assert names(shop) == [("INV-000001", second.id, 800)]


class MovingDatabase(Database):
    """A database in which another process moves the mark before the transaction that would."""

    def __init__(self, same: Database, read_id: int) -> None:
        self.__dict__.update(same.__dict__)
        self._read_id = read_id

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with super().transaction() as session:
            session.execute(update(DocumentMark).where(DocumentMark.read_id == 1).values(read_id=self._read_id))
        with super().transaction() as session:
            yield session


def test_a_mark_that_another_process_has_moved_stays_where_it_is(shop: Shop) -> None:
    paid(shop)
    newest = max(history_of(shop))
    write(shop, insert(DocumentMark).values(id=1, since=due.ALWAYS, read_id=1, noted_id=2, noted_in=0))
    moving = replace(shop.services, database=MovingDatabase(shop.services.database, newest))

    documents.issue_due(moving, shop.clock())

    with shop.services.database.reading() as session:
        mark = session.scalars(select(DocumentMark)).one()
        assert (mark.read_id, mark.noted_id) == (newest, 2)


def test_an_order_whose_invoice_fails_is_named_in_the_log(shop: Shop) -> None:
    order = paid(shop)
    write(shop, text("UPDATE orders SET currency = 'x'"))  # no currency

    with capture_logs() as log:
        assert documents.issue_due(shop.services, shop.clock()) == 0

    assert [{**line, "exc_info": None} for line in log] == [
        {"event": "worker failed", "log_level": "error", "order": order.reference, "work": "documents",
         "exc_info": None},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        lambda session, order: session.execute(
            update(Payment).where(Payment.order_id == order.id).values(received_minor=799)
        ),
        lambda session, order: session.execute(update(Order).where(Order.id == order.id).values(currency="eur")),
        lambda session, order: session.execute(update(Order).where(Order.id == order.id).values(paid_at=None)),
    ],
    ids=["of another amount", "in another currency", "of no paid order"],
)
def test_a_wrong_invoice_is_found(shop: Shop, wrong: Callable[[Session, Order], Any]) -> None:
    right, order = paid(shop), paid(shop)
    refund(shop, right, Money(300, "usd"))
    for each in (right, order):
        documents.issue(shop.services, each.reference, shop.clock())
    before = found(shop, auditing.wrong_invoice)
    with shop.services.database.transaction() as session:
        wrong(session, order)

    assert before == []
    assert found(shop, auditing.wrong_invoice) == [(f"order {order.reference}", "invoice_differs")]


def test_an_order_without_an_invoice_is_found_after_a_quarter_of_an_hour(shop: Shop) -> None:
    shop.clock.stop()
    first, second = paid(shop), paid(shop)
    never = found(shop, auditing.no_invoice, timedelta(hours=1))  # nothing was issued yet
    write(shop, insert(DocumentMark).values(id=1, since=second.paid_at, read_id=0, noted_id=0, noted_in=0))
    write(shop, update(Order).where(Order.id == first.id).values(paid_at=shop.clock() - timedelta(seconds=1)))
    third = paid(shop)
    documents.issue(shop.services, third.reference, shop.clock())
    refund(shop, third, Money(300, "usd"))

    late = timedelta(minutes=15)
    assert never == []
    assert found(shop, auditing.no_invoice, late) == []
    assert found(shop, auditing.no_invoice, late + timedelta(seconds=1)) == [
        (f"order {second.reference}", "invoice_missing")
    ]


def test_credit_notes_that_differ_from_what_was_returned_are_found(shop: Shop) -> None:
    shop.clock.stop()
    right, order, without_invoice = paid(shop), paid(shop), paid(shop)
    refund(shop, without_invoice, Money(100, "usd"))
    for each in (right, order):
        refund(shop, each, Money(100, "usd"))
        refund(shop, each, Money(50, "usd"))
        documents.issue(shop.services, each.reference, shop.clock())
    write(shop, update(Refund).where(Refund.id == shop.refunds(order.reference)[1].id).values(amount_minor=51))

    late, differs = timedelta(minutes=15), (f"order {order.reference}", "credit_differs")
    assert found(shop, auditing.wrong_credit, late) == []
    assert found(shop, auditing.wrong_credit, late + timedelta(seconds=1)) == [differs]
    write(shop, update(Refund).where(Refund.amount_minor == 51).values(state=RefundState.FAILED))
    assert found(shop, auditing.wrong_credit, timedelta(hours=1)) == [differs]


def test_numbers_that_are_missing_are_found_in_each_series(shop: Shop) -> None:
    for _ in range(3):
        order = paid(shop)
        refund(shop, order, Money(100, "usd"))
        documents.issue(shop.services, order.reference, shop.clock())
    before = found(shop, auditing.number_before_missing), found(shop, auditing.last_number_missing)
    for gone in ("CN-000002", "INV-000001", "CN-000003"):
        damage(shop, gone)

    assert before == ([], [])
    missing = "number_before_missing"
    assert found(shop, auditing.number_before_missing) == [("document INV-000002", missing)]
    assert found(shop, auditing.last_number_missing) == [("document CN-000003", "last_number_missing")]
    damage(shop, "CN-000001", number=2)
    damage(shop, "INV-000003", number=4)
    assert found(shop, auditing.number_before_missing) == [
        ("document CN-000002", missing), ("document INV-000002", missing), ("document INV-000004", missing),
    ]  # fmt: skip
    assert found(shop, auditing.last_number_missing) == [
        ("document CN-000003", "last_number_missing"), ("document INV-000003", "last_number_missing"),
    ]  # fmt: skip


def test_a_series_that_has_begun_with_nothing_lacks_nothing(shop: Shop) -> None:
    write(shop, insert(DocumentSeries).values(kind=INVOICE, last_number=0))

    assert found(shop, auditing.last_number_missing) == []


def test_a_tax_without_a_base_is_kept_without_one(shop: Shop) -> None:
    order = paid(shop)
    row = {"order_id": order.id, "position": 1, "kind": "tax", "label": "Old tax", "amount_minor": 0,
           "currency": "usd", "contained_minor": 40}  # fmt: skip
    write(shop, insert(OrderAdjustment).values(row))
    refund(shop, order, Money(400, "usd"))
    documents.issue(shop.services, order.reference, shop.clock())

    invoice, note = issued(shop)
    assert invoice.content["taxes"] == [{"label": "Old tax", "base_minor": None, "tax_minor": 40}]
    assert note.content["taxes"] == [{"label": "Old tax", "base_minor": None, "tax_minor": 20}]
