"""Refunds by line: which pieces of an order are refunded, what they are worth, and which come back into stock.

Pieces are refunded from when that is requested: those that were not sent are sent no more. Once the payment service has
accepted the refund they come back into stock, where that was asked for, and that is final: a refund that fails later
changes who has the money, not where the things are. If it is not accepted, it is as though nobody had asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models import Order, OrderLine, Refund, RefundLine
from store.domain.errors import RefundRefusal, RefundRefused
from store.domain.money import Money
from store.domain.refundable import Worth, of_pieces, worths
from store.domain.states import OrderState, RefundState, ReservationState
from store.services import history, stock, transitions
from store.services.history import Origin
from store.services.orders import shipments
from store.services.services import Services

PAID_STATES = (OrderState.PAID, OrderState.FULFILLED)


# What counts as refunded: of a refund that is not answered yet, or that was accepted, or of none. Refunds are joined.
STANDS = or_(RefundLine.refund_id.is_(None), Refund.state == RefundState.REQUESTED, Refund.accepted_at.is_not(None))


@dataclass(frozen=True, slots=True)
class ChosenPieces:
    """So many pieces of a line that are to be refunded: of those that were `sent`, or of those that were not. With
    `restock` they are for sale again.
    """

    product_id: int
    quantity: int
    sent: bool = False
    restock: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """What of an order is to be refunded: pieces of its lines, and what is left of its shipping."""

    pieces: Sequence[ChosenPieces] = ()
    shipping: bool = False


@dataclass(frozen=True, slots=True)
class RefundableLine:
    """How many pieces of a line can be refunded, of those that were not sent and of those that were; and what the next
    one of them is worth.
    """

    line: OrderLine
    unsent: int
    sent: int
    next_worth: Money


@dataclass(frozen=True, slots=True)
class Refundable:
    """What of an order can be refunded by line. `shipping` is what is left of it, all taxes included."""

    lines: Sequence[RefundableLine]
    shipping: Money

    @property
    def anything(self) -> bool:
        return bool(self.shipping.minor) or any(line.unsent or line.sent for line in self.lines)


def refundable(session: Session, order: Order) -> Refundable:
    """What of an order can be refunded by line; nothing, where its stock is not with it."""
    if not _has_its_stock(order):
        return Refundable((), Money(0, order.currency))
    known = _Known.of(session, order)
    return Refundable(
        [
            RefundableLine(line, line.to_ship, line.shipped - line.refunded_sent, known.worth(line, 1).amount)
            for line in order.lines
        ],
        known.shipping_left.amount,
    )


def priced(session: Session, order: Order, choice: Choice) -> list[RefundLine]:
    """What is chosen of an order that is locked, with what each of it is worth. Raises RefundRefused where there are
    fewer pieces, or the order has not its stock.
    """
    if not _has_its_stock(order):
        raise RefundRefused(RefundRefusal.NOT_BY_LINE)
    session.expire(order, ["lines"])  # of what was read before the lock
    known, lines = _Known.of(session, order), {line.product_id: line for line in order.lines}
    found: list[RefundLine] = []
    for pieces in _together(choice.pieces):
        line = lines.get(pieces.product_id)
        if line is None or not 0 < pieces.quantity <= (_sent_left(line) if pieces.sent else line.to_ship):
            raise RefundRefused(RefundRefusal.FEWER_LEFT)
        worth = known.take(line, pieces.quantity)
        found.append(_row(order, worth, pieces.product_id, pieces.quantity, sent=pieces.sent, restock=pieces.restock))
    if choice.shipping:
        if not known.shipping_left.amount.minor:
            raise RefundRefused(RefundRefusal.FEWER_LEFT)
        found.append(_row(order, known.shipping_left, None, 1, sent=False, restock=False))
    return found


def worth_of(order: Order, chosen: Sequence[RefundLine]) -> Money:
    """What the chosen parts of an order are worth together."""
    return Money(sum(row.amount_minor for row in chosen), order.currency)


def withdraw(
    services: Services, reference: str, choice: Choice, origin: Origin, *, returned_elsewhere: bool = False
) -> bool:
    """Have pieces of an order not be sent for which nothing was charged: they cost nothing, or no more of an
    authorised card was captured. False, and nothing changed, where they were charged, and have to be refunded.

    With `returned_elsewhere`, what they cost was returned another way, after a refund of it had failed. Raises
    NotFound, and RefundRefused as a request of a refund does, and for more than has failed.
    """
    with services.database.transaction() as session:
        order = transitions.lock_by_reference(session, reference)
        chosen = priced(session, order, choice)
        free = _not_charged(session, order) + (_failed(session, order) if returned_elsewhere else 0)
        if returned_elsewhere and worth_of(order, chosen).minor > free:
            raise RefundRefused(RefundRefusal.TOO_MUCH, Money(max(free, 0), order.currency))
        if worth_of(order, chosen).minor > free:
            return False
        said = {**named(session, order, choice), **({"returned_elsewhere": True} if returned_elsewhere else {})}
        add(session, order, None, chosen)
        history.add(session, order, "order.withdrawn", origin, data=said)
        _restock(session, order, [row for row in chosen if row.restock and row.product_id is not None], origin)
        shipments.finish(session, order, origin)
    return True


def leave_rest(session: Session, order: Order, origin: Origin) -> None:
    """Have what is left of an order, and was not charged, not be sent any more, and be for sale again."""
    rest = shipments.left(session, order)
    if not rest:
        return
    choice = Choice([ChosenPieces(product_id, count) for product_id, count in rest.items()])
    add(session, order, None, priced(session, order, choice))
    _put_back(session, order, rest)
    history.add(session, order, "order.rest_not_sent", origin, data=named(session, order, choice))
    shipments.finish(session, order, origin)


def add(session: Session, order: Order, refund: Refund | None, chosen: Sequence[RefundLine]) -> None:
    """Have a refund that is requested, or none, be for what was chosen. The database refuses more pieces than there
    are.
    """
    for row in chosen:
        row.refund_id = refund.id if refund is not None else None
        if row.product_id is not None:
            shipments.change_line(session, order, row.product_id, **{_counter(row): row.quantity})
    session.add_all(chosen)
    session.flush()


def decide(session: Session, order: Order, refund: Refund, origin: Origin) -> None:
    """What follows for its pieces once the payment service has answered a refund for the first time, or refused it."""
    rows = session.scalars(
        select(RefundLine).where(RefundLine.refund_id == refund.id, RefundLine.product_id.is_not(None))
    ).all()
    if not rows:
        return
    if refund.accepted_at is not None:
        _restock(session, order, [row for row in rows if row.restock], origin)
        return
    for row in rows:
        shipments.change_line(session, order, row.product_id or 0, **{_counter(row): -row.quantity})
    if order.reservation is ReservationState.RELEASED:  # all else of it was released meanwhile, and so are these
        stock.restock(session, order.id, _pieces(row for row in rows if not row.sent))


def named(session: Session, order: Order, choice: Choice) -> Mapping[str, Any]:
    """What is chosen, for the history."""
    pieces = shipments.named(session, order, _counted((each.product_id, each.quantity) for each in choice.pieces))
    return {**({"pieces": pieces} if pieces else {}), **({"shipping": True} if choice.shipping else {})}


def _not_charged(session: Session, order: Order) -> int:
    """How much of the order was not charged, and is not accounted for by what was withdrawn, in minor units."""
    withdrawn = select(func.sum(RefundLine.amount_minor)).where(
        RefundLine.order_id == order.id, RefundLine.refund_id.is_(None)
    )
    return order.total_minor - order.payment.received_minor - int(session.scalar(withdrawn) or 0)


def _failed(session: Session, order: Order) -> int:
    """How much of the live payment the refunds are about that have failed, in minor units."""
    failed = select(func.sum(Refund.amount_minor)).where(
        Refund.payment_id == order.payment.id, Refund.state.in_((RefundState.FAILED, RefundState.CANCELLED))
    )
    return int(session.scalar(failed) or 0)


def _has_its_stock(order: Order) -> bool:
    return order.state in PAID_STATES and order.reservation is ReservationState.COMMITTED


def _restock(session: Session, order: Order, rows: Sequence[RefundLine], origin: Origin) -> None:
    pieces = _pieces(rows)
    if not pieces:
        return
    _put_back(session, order, pieces)
    history.add(session, order, "order.restocked", origin, data={"pieces": shipments.named(session, order, pieces)})


def _put_back(session: Session, order: Order, pieces: Mapping[int, int]) -> None:
    stock.restock(session, order.id, pieces)
    for product_id, count in pieces.items():
        shipments.change_line(session, order, product_id, restocked=count)


def _together(pieces: Sequence[ChosenPieces]) -> list[ChosenPieces]:
    """One choice for each line and kind of its pieces; what was not sent first."""
    chosen: dict[tuple[int, bool], ChosenPieces] = {}
    for each in pieces:
        if (each.product_id, each.sent) in chosen:
            raise RefundRefused(RefundRefusal.FEWER_LEFT)
        chosen[each.product_id, each.sent] = each
    return [chosen[key] for key in sorted(chosen)]


def _sent_left(line: OrderLine) -> int:
    return line.shipped - line.refunded_sent


def _counter(row: RefundLine) -> str:
    return "refunded_sent" if row.sent else "refunded_unsent"


def _pieces(rows: Sequence[RefundLine] | Iterator[RefundLine]) -> dict[int, int]:
    return _counted((row.product_id or 0, row.quantity) for row in rows)


def _counted(pieces: Iterator[tuple[int, int]]) -> dict[int, int]:
    counted: dict[int, int] = {}
    for product_id, count in pieces:
        counted[product_id] = counted.get(product_id, 0) + count
    return counted


def _row(order: Order, worth: Worth, product_id: int | None, quantity: int, *, sent: bool, restock: bool) -> RefundLine:
    return RefundLine(
        order_id=order.id,
        product_id=product_id,
        sent=sent,
        quantity=quantity,
        restock=restock,
        amount_minor=worth.amount.minor,
        tax_minor=worth.tax.minor,
        contained_minor=worth.contained.minor,
    )


class _Known:
    """What the lines of an order are worth, and what of that is refunded or to be."""

    def __init__(self, lines: Mapping[int, Worth], shipping: Worth, rows: Sequence[RefundLine]) -> None:
        self._lines, self._shipping = lines, shipping
        self._pieces, self._refunded = dict.fromkeys(lines, 0), dict[int | None, Worth]()
        currency = shipping.amount.currency
        for row in rows:
            worth = Worth(*(Money(minor, currency) for minor in (row.amount_minor, row.tax_minor, row.contained_minor)))
            self._note(row.product_id, row.quantity, worth)

    @classmethod
    def of(cls, session: Session, order: Order) -> _Known:
        *of_lines, shipping = worths(order.quote)
        rows = session.scalars(
            select(RefundLine).outerjoin(Refund).where(RefundLine.order_id == order.id, STANDS)
        ).all()
        lines = {line.product_id: worth for line, worth in zip(order.lines, of_lines, strict=True)}
        return cls(lines, shipping, rows)

    @property
    def shipping_left(self) -> Worth:
        refunded = self._refunded_of(None)
        return of_pieces(self._shipping, 1, 0, 1, refunded)

    def worth(self, line: OrderLine, pieces: int) -> Worth:
        """What so many more pieces of a line are worth; nothing, where there are no more."""
        before, refunded = self._pieces[line.product_id], self._refunded_of(line.product_id)
        pieces = min(pieces, line.quantity - before)
        return of_pieces(self._lines[line.product_id], line.quantity, before, pieces, refunded)

    def take(self, line: OrderLine, pieces: int) -> Worth:
        """The same, and they are refunded from now on."""
        worth = self.worth(line, pieces)
        self._note(line.product_id, pieces, worth)
        return worth

    def _note(self, product_id: int | None, pieces: int, worth: Worth) -> None:
        self._refunded[product_id] = self._refunded_of(product_id) + worth
        if product_id is not None:
            self._pieces[product_id] += pieces

    def _refunded_of(self, product_id: int | None) -> Worth:
        return self._refunded.get(product_id, Worth.nothing(self._shipping.amount.currency))
