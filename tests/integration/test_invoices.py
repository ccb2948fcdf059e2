"""Invoices and credit notes: issued for what was paid and returned, numbered without gaps, never changed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from config import Settings
from models import Document, DocumentMark, DocumentSeries, HistoryEntry, Order
from store.cli.findings import problem_of
from store.domain.documents import DocumentKind
from store.domain.errors import StoreBusy
from store.domain.money import Money
from store.domain.staff import Role
from store.domain.states import OrderState
from store.services import documents, history, history_marks, orders, tariffs, transitions
from store.services.database import Database
from store.services.documents import due
from store.services.history import Origin, Source
from store.services.operations import audit, worker
from store.services.payments import refunds
from store.services.payments.refunds.lines import Choice, ChosenPieces
from store.web.presentation.documents import sheet
from tests.support.concurrency import in_processes, slow_transaction
from tests.support.failing_database import FailingDatabase
from tests.support.shop import ADDRESS, CUSTOMER, FORM, Browser, Shop, customer_in
from tests.support.staff import staff

WASHINGTON = FORM | {"city": "Seattle", "region": "", "postal_code": "98101", "shipping_method": "express"}
INVOICE, NOTE = DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE
BERLIN = FORM | {"country": "DE", "city": "Berlin", "region": "", "postal_code": "10115"}


def paid(shop: Shop, quantity: int = 2, number: str = "4242424242424242") -> Order:
    order = shop.order(quantity)
    shop.pay(order, number)
    shop.deliver()
    return shop.read(order.reference)


def paid_in_browser(shop: Shop, form: dict[str, str] = FORM) -> tuple[Browser, Order]:
    browser = shop.browser()
    browser.post("/cart/lines", {"slug": "stoneware-mug", "quantity": "2"}, page="/products/stoneware-mug")
    placed = browser.post("/checkout", form, page="/checkout")
    order = shop.read(placed.location.split("/")[2])
    shop.pay(order)
    shop.deliver()
    return browser, shop.read(order.reference)


def refund(shop: Shop, order: Order, minor: int | None) -> None:
    amount, origin = (None if minor is None else Money(minor, "usd")), Origin(Source.STAFF, shop.clock())
    key = refunds.request(shop.services, order.reference, amount, origin)
    refunds.submit(shop.services, order.reference, amount, key, origin)
    shop.deliver()


def work(shop: Shop) -> None:
    worker.run(shop.services, shop.clock())


def issued(shop: Shop) -> list[Document]:
    with shop.services.database.reading() as session:
        return list(session.scalars(select(Document).order_by(Document.id)))


def said(shop: Shop) -> list[tuple[DocumentKind, int, int, int]]:
    """Kind, number, order and total of each document."""
    return [(each.kind, each.number, each.order_id, each.total_minor) for each in issued(shop)]


def audited(shop: Shop) -> list[str]:
    with shop.services.database.reading() as session:
        return [str(problem_of(finding)) for finding in audit.run(session, shop.clock())]


def damage(shop: Shop, statement: str, order: Order) -> None:
    """Change documents as nobody can who does not switch off what keeps them."""
    with shop.services.database.transaction() as session:
        triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'documents'"
        kept = session.execute(text(triggers)).all()
        for row in kept:
            session.execute(text(f"DROP TRIGGER {row.name}"))
        session.execute(text(statement), {"id": order.id})
        for row in kept:
            session.execute(text(row.sql))


def test_an_invoice_has_copies_of_all_that_it_says(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        tariffs.seed(session, "usd")
    _browser, order = paid_in_browser(shop, BERLIN)
    changed = shop.services.settings.model_copy(
        update={"seller_name": "Till GmbH", "seller_address": "1 Street; Town", "seller_vat_number": "DE1"}
    )
    shop.services = replace(shop.services, settings=changed)

    work(shop)

    (invoice,) = issued(shop)
    berlin = replace(ADDRESS, city="Berlin", region="", postal_code="10115", country="DE")
    shipping, tax = order.adjustments
    assert (invoice.kind, invoice.number, invoice.name) == (INVOICE, 1, "INV-000001")
    assert (invoice.order_id, invoice.total, invoice.refund_id, invoice.cancels_id) == (
        order.id,
        order.total,
        None,
        None,
    )
    assert invoice.content == {
        "seller": {"name": "Till GmbH", "lines": ["1 Street", "Town"], "vat_number": "DE1"},
        "buyer": {"address": asdict(berlin), "email": CUSTOMER.email, "vat_number": None},
        "ship_to": None,
        "order": order.reference,
        "ordered_at": order.placed_at.isoformat(),
        "paid_at": order.paid_at.isoformat() if order.paid_at else "",
        "lines": [{"name": "Stoneware mug", "quantity": 2, "unit_minor": 2800, "total_minor": 5600}],
        "adjustments": [
            {
                "kind": "shipping",
                "label": shipping.label,
                "amount_minor": shipping.amount_minor,
                "contained_minor": None,
            },
            {"kind": "tax", "label": "VAT 19%, included", "amount_minor": 0, "contained_minor": tax.contained_minor},
        ],
        "not_charged_minor": 0,
        "taxes": [
            {
                "label": "VAT 19%, included",
                "base_minor": order.total_minor - (tax.contained_minor or 0),
                "tax_minor": tax.contained_minor,
            }
        ],
    }
    assert audited(shop) == []


def test_each_refund_that_succeeds_has_a_credit_note(shop: Shop) -> None:
    first, second = paid(shop), paid(shop)  # $8.00 each
    refund(shop, first, 300)
    refund(shop, first, 200)
    work(shop)
    refund(shop, second, None)
    work(shop)
    work(shop)

    assert said(shop) == [
        (INVOICE, 1, first.id, 800),
        (NOTE, 1, first.id, 300),
        (NOTE, 2, first.id, 200),
        (INVOICE, 2, second.id, 800),
        (NOTE, 3, second.id, 800),
    ]
    made = shop.refunds(first.reference)
    notes = [each for each in issued(shop) if each.order_id == first.id and each.kind is NOTE]
    assert [each.refund_id for each in notes] == [row.id for row in made]
    assert {name: notes[0].content[name] for name in ("invoice", "refund", "lines", "taxes")} == {
        "invoice": "INV-000001",
        "refund": made[0].provider_refund_id,
        "lines": [],
        "taxes": [],
    }
    shop.clock.forward(minutes=20)
    assert audited(shop) == []


def test_a_refund_by_line_is_credited_by_line_with_its_taxes(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        tariffs.seed(session, "usd")
    _browser, order = paid_in_browser(shop, WASHINGTON)
    (line,) = order.lines
    origin = Origin(Source.STAFF, shop.clock())
    for choice in (Choice([ChosenPieces(line.product_id, 1)]), Choice([ChosenPieces(line.product_id, 1)], True)):
        key = refunds.request(shop.services, order.reference, choice, origin)
        refunds.submit(shop.services, order.reference, None, key, origin)
        shop.deliver()
    work(shop)

    invoice, one, other = issued(shop)
    shipping, tax = order.adjustments
    assert one.content["lines"] == [
        {"name": "Stoneware mug", "quantity": 1, "unit_minor": one.total_minor, "total_minor": one.total_minor}
    ]
    assert [(each["name"], each["quantity"]) for each in other.content["lines"]] == [
        ("Stoneware mug", 1),
        ("Shipping", 1),
    ]
    assert sum(each["total_minor"] for each in other.content["lines"]) == other.total_minor
    assert one.content["taxes"] == [
        {"label": tax.label, "base_minor": 2800, "tax_minor": one.total_minor - 2800},
    ]
    assert one.total_minor + other.total_minor == invoice.total_minor == order.total_minor
    assert one.content["taxes"][0]["tax_minor"] + other.content["taxes"][0]["tax_minor"] == tax.amount_minor
    assert sheet(invoice).sums == [
        (shipping.label, shipping.amount.text()),
        ("Without taxes", Money(order.total_minor - tax.amount_minor, "usd").text()),
        (tax.label, tax.amount.text()),
        ("Total, paid", order.total.text()),
    ]
    assert sheet(one).sums == [("Without taxes", "$28.00"), ("Returned", one.total.text())]


def test_the_taxes_of_credit_notes_add_up_to_the_invoice(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        tariffs.seed(session, "usd")
    _browser, order = paid_in_browser(shop, BERLIN)
    for minor in (1, 1234, None):
        refund(shop, order, minor)
    work(shop)

    invoice, *notes = issued(shop)
    (due_tax,) = invoice.content["taxes"]
    for part in ("base_minor", "tax_minor"):
        parts = [row[part] for note in notes for row in note.content["taxes"]]
        assert (len(parts), sum(parts)) == (3, due_tax[part])
    assert sum(note.total_minor for note in notes) == invoice.total_minor


def test_an_invoice_is_of_the_part_that_was_captured(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        tariffs.seed(session, "usd")
    settings = shop.services.settings.model_copy(update={"capture": "on_shipping"})
    shop.services = shop.app.extensions["services"] = replace(shop.services, settings=settings)
    browser, order = paid_in_browser(shop, BERLIN)
    work(shop)
    before = said(shop)
    part = Money(order.total_minor // 2, "usd")
    orders.fulfil(shop.services, order.reference, None, Origin(Source.STAFF, shop.clock()), capture=part)
    work(shop)

    (invoice,) = issued(shop)
    taxes = order.adjustments[1].contained_minor or 0
    assert before == []
    assert (invoice.total, invoice.content["not_charged_minor"]) == (part, order.total_minor - part.minor)
    assert invoice.content["taxes"] == [
        {
            "label": "VAT 19%, included",
            "base_minor": (order.total_minor - taxes + 1) // 2,
            "tax_minor": (taxes + 1) // 2,
        }
    ]
    page = browser.get(f"/orders/{order.reference}/invoice").text
    assert "Not charged" in page
    assert audited(shop) == []


def test_a_refund_that_fails_after_all_takes_its_credit_note_back(shop: Shop) -> None:
    order = paid(shop, number="4000000000005126")
    amount, origin = Money(300, "usd"), Origin(Source.STAFF, shop.clock())
    key = refunds.request(shop.services, order.reference, amount, origin)
    refunds.submit(shop.services, order.reference, amount, key, origin)
    shop.deliver()
    work(shop)
    before = said(shop)
    shop.clock.forward(hours=1)
    shop.deliver()
    work(shop)
    work(shop)

    invoice, note, cancellation = issued(shop)
    assert before == [(INVOICE, 1, order.id, 800), (NOTE, 1, order.id, 300)]
    assert said(shop) == [*before, (NOTE, 2, order.id, -300)]
    assert (cancellation.cancels_id, cancellation.refund_id) == (note.id, note.refund_id)
    assert cancellation.content == {**note.content, "cancels": "CN-000001"}
    assert invoice.cancels_id is None
    with shop.services.database.reading() as session:
        assert [finding.code for finding in audit.run(session, shop.clock() + timedelta(hours=1))] == ["in_review"]


def test_a_payment_that_was_never_invoiced_is_not_credited(shop: Shop) -> None:
    late = shop.order()
    payment = shop.open(late)
    shop.close_by_hand(late.reference)
    shop.set_stock("cedar-pencil", 0)
    shop.confirm(payment)
    shop.deliver()
    work(shop)
    shop.deliver()
    work(shop)

    assert [row.state for row in shop.refunds(late.reference)] == ["succeeded"]
    assert said(shop) == []


@pytest.mark.on_both_databases
def test_what_was_issued_is_changed_by_nobody(shop: Shop) -> None:
    order = paid(shop)
    work(shop)

    with pytest.raises(AttributeError, match="INV-000001"), shop.services.database.transaction() as session:
        session.scalars(select(Document)).one().total_minor = 1
    with pytest.raises(AttributeError, match="INV-000001"), shop.services.database.transaction() as session:
        session.delete(session.scalars(select(Document)).one())
    for statement in ("UPDATE documents SET total_minor = 1", "DELETE FROM documents"):
        refused = pytest.raises(DBAPIError, match="what was issued is not changed")
        with refused, shop.services.database.transaction() as session:
            session.execute(text(statement))
    assert said(shop) == [(INVOICE, 1, order.id, 800)]


class KillingDatabase(Database):
    """A database whose process is killed just before the end of a transaction."""

    def __init__(self, same: Database) -> None:
        self.__dict__.update(same.__dict__)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with super().transaction() as session:
            yield session
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.on_postgresql  # where transactions run side by side
def test_twenty_processes_of_which_five_are_killed_leave_no_gap(shop: Shop) -> None:
    orders = [paid(shop, 1) for _ in range(20)]
    killed = replace(shop.services, database=KillingDatabase(shop.services.database))

    def issue(number: int) -> None:
        shop.services.database.engine.dispose(close=False)  # the connections of the process that this is a copy of
        services = killed if number % 4 == 0 else shop.services
        documents.issue(services, orders[number].reference, shop.clock())

    ended = in_processes(20, issue)
    numbers = sorted(each.number for each in issued(shop))
    work(shop)

    assert sorted(ended) == [-signal.SIGKILL] * 5 + [0] * 15
    assert numbers == list(range(1, 16))
    assert sorted(each.number for each in issued(shop)) == list(range(1, 21))
    assert {each.order_id for each in issued(shop)} == {order.id for order in orders}
    assert audited(shop) == []


@pytest.mark.on_both_databases
def test_an_order_whose_entry_appears_late_has_its_invoice_too(shop: Shop) -> None:
    """A transaction that began before others may end after them."""
    slow, event = paid(shop), "order.payment_received"
    with shop.services.database.transaction() as session:
        session.execute(delete(HistoryEntry).where(HistoryEntry.order_id == slow.id, HistoryEntry.type == event))

    def pay_slowly(session: Session) -> None:
        order = transitions.lock_by_reference(session, slow.reference)
        history.add(session, order, event, Origin(Source.WEBHOOK, shop.clock()), None, OrderState.PAID)

    with slow_transaction(shop.services.database, pay_slowly):
        quick = paid(shop)
        work(shop)
    work(shop)

    assert sorted(order_id for _kind, _number, order_id, _total in said(shop)) == [slow.id, quick.id]


def test_each_entry_of_the_history_is_looked_at_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(due, "BATCH", 2)
    orders = [paid(shop, 1) for _ in range(3)]
    newest = max(entry.id for order in orders for entry in shop.read(order.reference).history)

    done = [due.issue_due(shop.services, shop.clock()) for _ in range(2)]
    late = paid(shop, 1)
    done.append(due.issue_due(shop.services, shop.clock()))

    assert done == [3, 0, 1]
    with shop.services.database.reading() as session:
        mark = session.get_one(DocumentMark, 1)
        assert (mark.since, mark.read_id) == (due.ALWAYS, mark.noted_id)
        assert mark.read_id > newest
    assert said(shop) == [(INVOICE, number, order.id, 400) for number, order in enumerate([*orders, late], 1)]


def test_an_order_that_always_fails_keeps_no_later_one_from_its_invoice(shop: Shop) -> None:
    broken = paid(shop, 1)
    with shop.services.database.transaction() as session:
        session.execute(update(Order).where(Order.id == broken.id).values(currency="x"))  # no currency

    done, later = [due.issue_due(shop.services, shop.clock())], []
    for _ in range(2):
        later.append(paid(shop, 1).id)
        done.append(due.issue_due(shop.services, shop.clock()))

    assert done == [0, 1, 1]
    assert [order_id for _kind, _number, order_id, _total in said(shop)] == later


def test_an_order_that_fails_keeps_no_other_from_its_invoice(shop: Shop) -> None:
    orders = [paid(shop, 1) for _ in range(3)]
    due.issue_due(replace(shop.services, settings=nowhere(shop)), shop.clock())  # nothing is known yet
    with shop.services.database.transaction() as session:
        mark = history_marks.lock(session, DocumentMark, since=due.ALWAYS)
        history_marks.note_newest(session, mark)
    failing = replace(
        shop.services, database=FailingDatabase(shop.services.database, StoreBusy(), LookupError("something else"))
    )

    done = due.issue_due(failing, shop.clock())
    first = said(shop)
    with shop.services.database.reading() as session:
        kept = session.get_one(DocumentMark, 1).read_id
    rest = due.issue_due(shop.services, shop.clock())

    assert (done, first) == (1, [(INVOICE, 1, orders[2].id, 400)])
    assert kept == 0  # it is looked at again
    assert rest == 2
    assert {order_id for _kind, _number, order_id, _total in said(shop)} == {order.id for order in orders}
    assert sorted(number for _kind, number, _order, _total in said(shop)) == [1, 2, 3]


def nowhere(shop: Shop) -> Settings:
    """The settings of a shop that has not said who sells."""
    return shop.services.settings.model_copy(update={"seller_address": ""})


def test_a_live_shop_issues_them_once_it_says_who_sells(shop: Shop) -> None:
    known = shop.services
    shop.services = replace(known, settings=nowhere(shop))
    order = paid(shop)
    work(shop)
    documents.issue(shop.services, order.reference, shop.clock())
    before = said(shop)
    shop.services = known
    work(shop)

    assert before == []
    assert said(shop) == [(INVOICE, 1, order.id, 800)]


def test_an_order_that_is_not_paid_has_no_invoice(shop: Shop) -> None:
    browser, reference = shop.browser_with_order()
    work(shop)

    for path in ("invoice", "invoice.pdf", "credit-notes/1", "credit-notes/1.pdf"):
        assert browser.get(f"/orders/{reference}/{path}").status_code == 404
    assert "There is no such invoice" in browser.get(f"/orders/{reference}/invoice").text
    assert said(shop) == []


def test_the_shopper_finds_the_invoice_at_the_order(shop: Shop) -> None:
    browser, order = paid_in_browser(shop)
    address = f"/orders/{order.reference}/invoice"

    page = browser.get(address)  # before the worker came to it
    file = browser.get(f"{address}.pdf")
    refund(shop, order, 1000)
    work(shop)
    again, note = browser.get(address), browser.get(f"/orders/{order.reference}/credit-notes/1")

    assert f'href="{address}"' in browser.get(f"/orders/{order.reference}").text
    for said_there in ("INV-000001", "1 Test Street", "Ada Shopper", "2", "$28.00", "$56.00", order.reference):
        assert said_there in page.text
    assert (page.headers["Cache-Control"], file.headers["Cache-Control"]) == ("no-store", "no-store")
    assert (file.mimetype, file.data[:5]) == ("application/pdf", b"%PDF-")
    assert file.headers["Content-Disposition"] == 'inline; filename="INV-000001.pdf"'
    assert b"/FontFile2" in file.data
    assert f'href="/orders/{order.reference}/credit-notes/1"' in again.text
    assert "Refund on invoice INV-000001" in note.text
    assert browser.get(f"/orders/{order.reference}/credit-notes/1.pdf").data[:5] == b"%PDF-"
    assert browser.get(f"/orders/{order.reference}/credit-notes/2").status_code == 404
    stranger = shop.browser()
    for path in (address, f"{address}.pdf", f"/orders/{order.reference}/credit-notes/1"):
        assert stranger.get(path).status_code == 404


def test_the_link_in_the_mail_leads_to_the_invoice(shop: Shop) -> None:
    _browser, order = paid_in_browser(shop)
    work(shop)
    (file,) = shop.mail_folder.glob("*")
    link = next(line for line in file.read_text().replace("=\n", "").splitlines() if line.startswith("Your invoice: "))
    path = link.removeprefix("Your invoice: ").removeprefix(shop.services.settings.store_url).replace("=3D", "=")
    another = shop.browser()

    answer = another.get(path)

    assert (answer.status_code, answer.location) == (303, f"/orders/{order.reference}/invoice")
    assert "INV-000001" in another.get(answer.location).text


def test_a_name_that_the_font_cannot_write_is_printed_by_the_browser(shop: Shop) -> None:
    customer = customer_in("Springfield")
    order = shop.place(shop.cart(), replace(customer, billing=replace(customer.billing, full_name="山田太郎")))
    shop.pay(order)
    shop.deliver()
    owner = staff(shop)
    address = f"/admin/orders/{order.reference}/invoice"

    file = owner.get(f"{address}.pdf")
    page = owner.get(file.location).text

    assert (file.status_code, file.location) == (303, f"{address}?without-pdf=1")
    assert "山田太郎" in page
    assert "Print this page instead" in page


def test_the_staff_finds_the_documents_at_the_order(shop: Shop) -> None:
    order = paid(shop)
    packer = staff(shop, Role.PACKING)
    before = packer.get(f"/admin/orders/{order.reference}").text
    refund(shop, order, 300)
    work(shop)

    after = packer.get(f"/admin/orders/{order.reference}").text

    assert "Issue the invoice now" in before
    for address in ("invoice", "credit-notes/1"):
        assert f'href="/admin/orders/{order.reference}/{address}"' in after
        assert packer.get(f"/admin/orders/{order.reference}/{address}").status_code == 200


def test_the_audit_finds_what_is_wrong_with_documents(shop: Shop) -> None:
    first, second, third = (paid(shop) for _ in range(3))
    refund(shop, second, 300)
    work(shop)
    shop.clock.forward(minutes=14)
    in_time = audited(shop)
    damage(shop, "UPDATE documents SET total_minor = 801 WHERE order_id = :id", first)
    damage(shop, "UPDATE documents SET total_minor = 299 WHERE order_id = :id AND kind = 'credit_note'", second)
    damage(shop, "DELETE FROM documents WHERE order_id = :id", third)
    early = audited(shop)
    shop.clock.forward(minutes=2)

    running = "Is `flask worker --every 30` running?"
    differs = f"order {first.reference}: has an invoice of another total than what came in. Find out who wrote it."
    office = "Find out who removed it; the tax office will ask."
    last = f"document INV-000003: it was issued, and is not there. {office}"
    assert in_time == []
    assert early == [differs, last]
    assert audited(shop) == [
        differs,
        f"order {third.reference}: was paid and has no invoice. {running}",
        f"order {second.reference}: has credit notes of another sum than what was returned. {running}",
        last,
    ]
    damage(shop, "UPDATE documents SET number = 4 WHERE order_id = :id AND kind = 'credit_note'", second)
    damage(shop, "UPDATE documents SET number = 3 WHERE order_id = :id AND kind = 'invoice'", second)
    assert [each for each in audited(shop) if each.startswith("document")] == [
        f"document CN-000004: there is none with the number before. {office}",
        f"document INV-000003: there is none with the number before. {office}",
        f"document CN-000001: it was issued, and is not there. {office}",
    ]


def test_a_series_counts_for_each_kind(shop: Shop) -> None:
    order = paid(shop)
    refund(shop, order, 300)
    work(shop)

    with shop.services.database.reading() as session:
        rows = session.scalars(select(DocumentSeries).order_by(DocumentSeries.kind)).all()
    assert [(row.kind, row.last_number) for row in rows] == [(NOTE, 1), (INVOICE, 1)]
