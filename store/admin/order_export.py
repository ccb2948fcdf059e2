"""The orders of the list as CSV, one line each, sent while they are read: a spreadsheet opens it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from models import Order
from store.admin import guard
from store.admin.order_filter import OrderQuery
from store.domain.money import Money
from store.domain.staff import Role
from store.services.orders import listing
from store.services.services import Services
from store.web.current import now, services

blueprint = Blueprint("order_export", __name__, url_prefix="/orders")

COLUMNS = (
    *("reference", "placed_at", "state", "closed_because", "in_review", "disputed", "paid_at", "fulfilled_at"),
    *("tracking", "name", "email", "country", "pieces", "shipped", "currency", "total", "received", "refunded"),
    *("card_brand", "card_last4", "payment"),
)


@blueprint.get("/export.csv")
@guard.allowed(Role.SERVICE)
def export() -> ResponseReturnValue:
    """What the list shows, all of it. Amounts are in whole currency units, times in UTC."""
    wanted = OrderQuery.of_request().filter
    headers = {"Content-Disposition": f'attachment; filename="orders-{now():%Y-%m-%d}.csv"'}
    return Response(_lines(services(), wanted), mimetype="text/csv", headers=headers)


def _lines(store: Services, wanted: listing.OrderFilter) -> Iterator[str]:
    yield _line(COLUMNS)
    for order in listing.stream(store, wanted):
        yield _line(_row(order))


def _row(order: Order) -> tuple[object, ...]:
    payment, currency = order.payment, order.currency
    return (
        order.reference, order.placed_at.isoformat(timespec="seconds"), order.state, order.closed_because,
        order.needs_review, order.disputed, _time(order.paid_at), _time(order.fulfilled_at),
        "; ".join(shipment.how for shipment in order.shipments if shipment.how),
        order.addressee, order.email, order.shipping.country or order.billing.country,
        sum(line.quantity for line in order.lines), sum(line.shipped for line in order.lines), currency,
        order.total.plain, Money(payment.received_minor, currency).plain, Money(payment.refunded_minor, currency).plain,
        payment.card_brand, payment.card_last4, payment.provider_payment_id,
    )  # fmt: skip


def _time(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at is not None else ""


def _line(values: tuple[object, ...]) -> str:
    """Text that a spreadsheet would take for a formula is marked as text: names are typed by strangers."""
    row = ["" if value is None else str(value) for value in values]
    text = io.StringIO()
    csv.writer(text).writerow([f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell for cell in row])
    return text.getvalue()
