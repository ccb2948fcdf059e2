"""Orders: the list, one of them, and what can be done with it."""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint

from store.api import caller, order_shapes
from store.api.operations import changes, reads, unfit_cursor
from store.api.schemas import (
    CancelRequest,
    ListedOrders,
    OrderDetail,
    OrderListQuery,
    OrderSummary,
    PiecesToShip,
    RefundDetail,
    RefundRequest,
    ShipRequest,
)
from store.domain.api_keys import Scope
from store.domain.errors import OrderClosed, PaymentMisconfigured, PaymentUnavailable, StoreBusy
from store.domain.money import Money
from store.domain.states import OrderState, RefundState
from store.gateway.port import CancelReason
from store.services import orders, payments
from store.services.orders import listing, search, whole
from store.services.orders.listing import OrderFilter
from store.services.orders.sorting import Cursor
from store.services.payments import refunds
from store.services.repetition import ClaimedRequest
from store.web.current import now, services

blueprint = Blueprint("orders", __name__, url_prefix="/orders")


@blueprint.get("")
@reads(Scope.ORDERS_READ, ListedOrders, query=OrderListQuery)
def index(query: OrderListQuery) -> ListedOrders:
    """Orders, searched and filtered, page by page: the newest first, or by what they were found by."""
    wanted = OrderFilter(
        query.show,
        search.parse(query.q),
        _begin_of(query.since) if query.since else None,
        _begin_of(query.until) + timedelta(days=1) if query.until else None,
        query.oldest_first,
    )
    with services().database.reading() as session:
        part = listing.find(session, wanted, _after(query.cursor), query.limit)
    return ListedOrders(orders=[order_shapes.listed(order) for order in part.orders], next=_cursor(part.after))


@blueprint.get("/<reference:reference>")
@reads(Scope.ORDERS_READ, OrderDetail)
def show(reference: str) -> OrderDetail:
    """Everything that is known of an order."""
    with services().database.reading() as session:
        return order_shapes.detailed(whole.read(session, reference))


@blueprint.post("/<reference:reference>/ship")
@changes(Scope.ORDERS_WRITE, OrderSummary, body=ShipRequest, statuses=(200,))
def ship(reference: str, body: ShipRequest, claimed: ClaimedRequest) -> tuple[OrderSummary, int]:  # noqa: ARG001
    """Note that an order, or a part of it, was sent: its customer gets a mail, and what is authorised is charged. What
    was sent before stays as it is.
    """
    orders.fulfil(
        services(),
        reference,
        body.tracking,
        caller.origin(),
        carrier=body.carrier,
        pieces=_pieces(reference, body.lines) if body.lines is not None else None,
        number=body.shipment,
        disputed=body.disputed,
        capture=_money(reference, body.capture),
    )
    return _now(reference), 200


@blueprint.post("/<reference:reference>/refunds")
@changes(Scope.ORDERS_WRITE, RefundDetail, body=RefundRequest, statuses=(201, 202))
def refund(reference: str, body: RefundRequest, claimed: ClaimedRequest) -> tuple[RefundDetail, int]:
    """Return the money of an order, or a part of it. 202: the payment service has not answered yet, and the store asks
    until it has.
    """
    amount = _money(reference, body.amount)
    origin, name = caller.origin(), f"api-{claimed.name}"
    refunds.request(services(), reference, amount, origin, another=body.another, key=name)
    with suppress(PaymentUnavailable, PaymentMisconfigured, StoreBusy):  # it is asked for: the worker goes on
        refunds.submit(services(), reference, amount, name, origin)
    with services().database.reading() as session:
        made = refunds.by_key(session, name)
        shape = order_shapes.refund(made, orders.peek(session, reference, orders.STAFF).currency)
    return shape, 202 if made.state is RefundState.REQUESTED else 201


@blueprint.post("/<reference:reference>/cancel")
@changes(Scope.ORDERS_WRITE, OrderSummary, body=CancelRequest, statuses=(200,))
def cancel(reference: str, body: CancelRequest, claimed: ClaimedRequest) -> tuple[OrderSummary, int]:  # noqa: ARG001
    """Close an order that waits for its payment, and let its stock go."""
    left = payments.close(services(), reference, CancelReason.BY_SHOPPER, now(), caller.origin())
    if left is not OrderState.CANCELLED:
        raise OrderClosed(reference)
    return _now(reference), 200


def _pieces(reference: str, lines: list[PiecesToShip]) -> dict[int, int]:
    """How many pieces by the id of their product; 0 stands for one that is not in the order. Raises NotFound."""
    with services().database.reading() as session:
        order = orders.find(session, reference, orders.STAFF)
    ids = {line.slug: line.product_id for line in order.lines}
    pieces: dict[int, int] = {}
    for line in lines:
        number = ids.get(line.product, 0)
        pieces[number] = pieces.get(number, 0) + line.quantity
    return pieces


def _money(reference: str, minor: int | None) -> Money | None:
    """So many minor units of the order's currency. Raises NotFound."""
    with services().database.reading() as session:
        order = orders.peek(session, reference, orders.STAFF)
    return Money(minor, order.currency) if minor is not None else None


def _now(reference: str) -> OrderSummary:
    with services().database.reading() as session:
        return order_shapes.summary(orders.peek(session, reference, orders.STAFF))


def _begin_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _cursor(after: Cursor | None) -> str | None:
    return base64.urlsafe_b64encode(f"{after.order_id}~{after.key}".encode()).decode() if after is not None else None


def _after(cursor: str) -> Cursor | None:
    if not cursor:
        return None
    try:
        number, _, key = base64.urlsafe_b64decode(cursor.encode()).decode().partition("~")
    except (binascii.Error, UnicodeError):
        number = key = ""
    if not (number.isascii() and number.isdecimal() and len(number) < 10) or "\0" in key:
        raise unfit_cursor()
    return Cursor(int(number), key)
