"""What a document says, copied when it is issued: plain values that a change of the shop does not reach any more.

Amounts are minor units of the document's currency, times are ISO texts in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from config import Settings
from models import Document, Order, Refund, RefundLine
from store.domain.documents import TaxRow, credited, left, tax_rows
from store.domain.money import Money

Content = dict[str, Any]


def charged(order: Order) -> Money:
    """What the buyer was charged: all of the order, or a part where no more of an authorisation was captured."""
    return Money(order.payment.received_minor, order.currency)


def of_invoice(order: Order, settings: Settings) -> Content:
    """The seller, the buyer, what was bought, how much of it was not charged, and the taxes in the rest."""
    taxes, part = tax_rows(order.quote.adjustments), charged(order)
    if part != order.total:
        taxes = credited(taxes, order.total, part)
    return {
        **_parties(order, settings),
        "lines": [
            {
                "name": line.name,
                "quantity": line.quantity,
                "unit_minor": line.unit_price_minor,
                "total_minor": line.total.minor,
            }
            for line in order.lines
        ],
        "adjustments": [
            {
                "kind": each.kind.value,
                "label": each.label,
                "amount_minor": each.amount_minor,
                "contained_minor": each.contained_minor,
            }
            for each in order.adjustments
        ],
        "not_charged_minor": order.total_minor - part.minor,
        "taxes": _taxes(taxes),
    }


def of_credit_note(
    order: Order,
    settings: Settings,
    invoice: Document,
    refund: Refund,
    before: Sequence[Document],
    lines: Sequence[RefundLine],
) -> Content:
    """What is taken back of an invoice; `before` are the credit notes that it has already. `lines` are those that the
    refund is about, where it names any: then it is known how much of it is taxes.
    """
    amount = Money(refund.amount_minor, order.currency)
    whole = Money(invoice.total_minor - sum(note.total_minor for note in before), order.currency)
    rows = left(taxes_of(invoice), [taxes_of(note) for note in before])
    tax = Money(sum(line.tax_minor + line.contained_minor for line in lines), order.currency) if lines else None
    return {
        **_parties(order, settings),
        "invoice": invoice.name,
        "invoice_issued_at": invoice.issued_at.isoformat(),
        "refund": refund.provider_refund_id,
        "lines": [_returned(line) for line in lines],
        "taxes": _taxes(credited(rows, whole, amount, tax)),
    }


def _returned(line: RefundLine) -> Content:
    each, rest = divmod(line.amount_minor, line.quantity)
    return {
        "name": line.line.name if line.line is not None else "Shipping",
        "quantity": line.quantity,
        "unit_minor": None if rest else each,
        "total_minor": line.amount_minor,
    }


def of_cancellation(note: Document) -> Content:
    """The opposite of a credit note: it says the same, taken back."""
    negated = [
        {**row, "tax_minor": -row["tax_minor"], "base_minor": None if row["base_minor"] is None else -row["base_minor"]}
        for row in note.content["taxes"]
    ]
    return {**note.content, "lines": [], "taxes": negated, "cancels": note.name}


def taxes_of(document: Document) -> tuple[TaxRow, ...]:
    """The taxes that a document says."""
    return tuple(
        TaxRow(
            row["label"],
            Money(row["base_minor"], document.currency) if row["base_minor"] is not None else None,
            Money(row["tax_minor"], document.currency),
        )
        for row in document.content["taxes"]
    )


def _parties(order: Order, settings: Settings) -> Content:
    return {
        "seller": {
            "name": settings.seller,
            "lines": settings.seller_lines,
            "vat_number": settings.seller_vat_number,
        },
        "buyer": {"address": asdict(order.billing), "email": order.email, "vat_number": order.tax_id},
        "ship_to": asdict(order.shipping) if order.is_shipped and order.shipping != order.billing else None,
        "order": order.reference,
        "ordered_at": order.placed_at.isoformat(),
        "paid_at": order.paid_at.isoformat() if order.paid_at is not None else None,
    }


def _taxes(rows: Sequence[TaxRow]) -> list[Content]:
    return [
        {
            "label": row.label,
            "base_minor": row.base.minor if row.base is not None else None,
            "tax_minor": row.tax.minor,
        }
        for row in rows
    ]
