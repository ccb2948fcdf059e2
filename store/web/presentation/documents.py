"""An invoice or a credit note as people read it: the same for the page and for the PDF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.dates import format_date

from models import Document
from store.domain.addresses import Address
from store.domain.contacts import email_as_read
from store.domain.documents import DocumentKind
from store.domain.money import Money
from store.services.documents import taxes_of
from store.web.addresses import postal_lines

LOCALE = "en"
REVERSE_CHARGE = "reverse charge"


@dataclass(frozen=True, slots=True)
class SheetLine:
    """A line of what was bought, or given back. `each` is empty where no price for one is known."""

    name: str
    quantity: str
    each: str
    amount: str


@dataclass(frozen=True, slots=True)
class SheetTax:
    """What is due of one tax. `net` and `gross` are empty where they are not known."""

    label: str
    net: str
    tax: str
    gross: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A document, all of it as text. `facts` and `sums` are pairs of a label and what it says; the last of the sums is
    the total.
    """

    title: str
    name: str
    facts: Sequence[tuple[str, str]]
    seller: Sequence[str]
    buyer: Sequence[str]
    ship_to: Sequence[str]
    lines: Sequence[SheetLine]
    sums: Sequence[tuple[str, str]]
    taxes: Sequence[SheetTax]
    notes: Sequence[str]

    @property
    def text(self) -> str:
        """Every word of it."""
        rows = [*self.facts, *self.sums]
        cells = [cell for row in rows for cell in row]
        cells += [cell for line in self.lines for cell in (line.name, line.quantity, line.each, line.amount)]
        cells += [cell for tax in self.taxes for cell in (tax.label, tax.net, tax.tax, tax.gross)]
        return "\n".join([self.title, self.name, *self.seller, *self.buyer, *self.ship_to, *cells, *self.notes])


def sheet(document: Document) -> Sheet:
    """The document as it was issued, whatever has changed in the shop since."""
    said, money = document.content, _Amounts(document.currency)
    is_invoice = document.kind is DocumentKind.INVOICE
    return Sheet(
        title=_title(document),
        name=document.name,
        facts=list(_facts(document)),
        seller=_seller(said["seller"]),
        buyer=_buyer(said["buyer"]),
        ship_to=postal_lines(_address(said["ship_to"])) if said["ship_to"] and is_invoice else [],
        lines=[_line(each, money) for each in said["lines"]] or [_credited(document)],
        sums=list(_invoice_sums(document, money) if is_invoice else _credit_sums(document, money)),
        taxes=[
            SheetTax(
                row.label.removesuffix(", included"),
                row.base.text() if row.base is not None else "",
                row.tax.text(),
                row.gross.text() if row.gross is not None else "",
            )
            for row in taxes_of(document)
        ],
        notes=list(_notes(document)),
    )


@dataclass(frozen=True, slots=True)
class _Amounts:
    currency: str

    def text(self, minor: int) -> str:
        return Money(minor, self.currency).text()


def _title(document: Document) -> str:
    if document.kind is DocumentKind.INVOICE:
        return "Invoice"
    return "Cancellation of a credit note" if document.cancels_id is not None else "Credit note"


def _facts(document: Document) -> Iterator[tuple[str, str]]:
    said = document.content
    yield "Date", _date(document.issued_at)
    if "cancels" in said:
        yield "Cancels", said["cancels"]
    if "invoice" in said:
        yield "Invoice", f"{said['invoice']}, {_date(datetime.fromisoformat(said['invoice_issued_at']))}"
    yield "Order", said["order"]
    yield "Ordered", _date(datetime.fromisoformat(said["ordered_at"]))
    if said["paid_at"]:
        yield "Paid", _date(datetime.fromisoformat(said["paid_at"]))


def _seller(seller: Mapping[str, Any]) -> list[str]:
    number = [f"VAT no. {seller['vat_number']}"] if seller["vat_number"] else []
    return [seller["name"], *seller["lines"], *number]


def _buyer(buyer: Mapping[str, Any]) -> list[str]:
    number = [f"VAT no. {buyer['vat_number']}"] if buyer["vat_number"] else []
    return [*postal_lines(_address(buyer["address"])), email_as_read(buyer["email"]), *number]


def _address(fields: Mapping[str, str]) -> Address:
    return Address(**{name: fields.get(name, "") for name in Address.__slots__})


def _line(line: Mapping[str, Any], money: _Amounts) -> SheetLine:
    each = money.text(line["unit_minor"]) if line["unit_minor"] is not None else ""
    return SheetLine(line["name"], str(line["quantity"]), each, money.text(line["total_minor"]))


def _credited(document: Document) -> SheetLine:
    said = document.content
    name = f"Credit note {said['cancels']} taken back" if "cancels" in said else f"Refund on invoice {said['invoice']}"
    return SheetLine(name, "1", "", document.total.text())


def _invoice_sums(document: Document, money: _Amounts) -> Iterator[tuple[str, str]]:
    """What is added to the lines, the taxes on top of it, what was not charged, and the total. Where a part of it was
    charged, what that is without taxes comes last.
    """
    not_charged = document.content["not_charged_minor"]
    added = document.content["adjustments"]
    yield from ((each["label"], money.text(each["amount_minor"])) for each in added if each["kind"] != "tax")
    if not not_charged:
        yield from _without_taxes(document)
    for each in added:
        if each["kind"] == "tax" and each["amount_minor"]:
            yield each["label"], money.text(each["amount_minor"])
    if not_charged:
        yield "Not charged", money.text(-not_charged)
        yield from _without_taxes(document)
    yield "Total, paid", document.total.text()


def _credit_sums(document: Document, money: _Amounts) -> Iterator[tuple[str, str]]:
    lines = sum(each["total_minor"] for each in document.content["lines"])
    if document.content["lines"] and lines != document.total_minor:
        yield "Beside these", money.text(document.total_minor - lines)
    yield from _without_taxes(document)
    yield ("Taken back" if document.cancels_id is not None else "Returned"), document.total.text()


def _without_taxes(document: Document) -> Iterator[tuple[str, str]]:
    taxes = taxes_of(document)
    if any(row.tax.minor for row in taxes):
        net = document.total_minor - sum(row.tax.minor for row in taxes)
        yield "Without taxes", Money(net, document.currency).text()


def _notes(document: Document) -> Iterator[str]:
    if any(row.label.endswith(REVERSE_CHARGE) for row in taxes_of(document)):
        yield "Reverse charge: the customer pays the tax to the tax authority."
    if "cancels" in document.content:
        yield "The bank did not take the refund, so the credit note does not stand."


def _date(at: datetime) -> str:
    return format_date(at, "long", locale=LOCALE)
