"""Recording the taxes of orders that were paid, and taking back what was refunded.

What should be recorded follows from the order: what was received for it, less what was refunded of that. One step
after the other brings what is recorded in line with it: each is written first, then asked for under a name and a key
that stay the same, so that a crash between the two is repaired by asking again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session

from models import Order, OrderLine, Payment, Product, TaxTransaction
from store.domain.errors import (
    PaymentServiceFailed,
    TaxAddressUnknown,
    TaxCalculationGone,
    TaxNotRecorded,
)
from store.domain.money import Money
from store.domain.pricing import Adjustment, AdjustmentKind, Quote, QuoteLine
from store.domain.tax_questions import TaxQuestion, question_of
from store.services import history, transitions
from store.services.history import Origin, Source
from store.services.orders import reviews
from store.services.services import Services

# A sale, 30 parts of it taken back (the payment service's limit), and as many taken back again.
MOST_STEPS = 61


def due(foreign: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether an order was paid, and what the service has recorded of it is not what it should be. One whose payment is
    of another account waits for the keys of that.
    """
    ours = exists().where(Payment.order_id == Order.id, Payment.live, ~foreign)
    return and_(Order.tax_calculation.is_not(None), Order.paid_at.is_not(None), Order.tax_recorded_at.is_(None), ours)


def record(services: Services, reference: str, now: datetime) -> None:
    """Have recorded what should be of an order. What the service refuses for good opens a review. Raises
    PaymentUnavailable and PaymentMisconfigured, after which it is done again later.
    """
    origin = Origin(Source.WORKER, now)
    for _step in range(MOST_STEPS):
        with services.database.transaction() as session:
            order = transitions.lock_by_reference(session, reference)
            step = _next(session, order, origin)
            original = None
            if step is not None and step.reverses_id is not None:
                original = session.get_one(TaxTransaction, step.reverses_id)
        if step is None:
            return
        try:
            name = _ask(services, order, step, original)
        except TaxNotRecorded:
            with services.database.transaction() as session:
                _refused(session, reference, step.id, origin)
            return
        except PaymentServiceFailed:
            with services.database.transaction() as session:
                locked = session.get_one(TaxTransaction, step.id)
                locked.attempt = step.attempt + 1
            raise
        with services.database.transaction() as session:
            _recorded(session, reference, step.id, name, origin)


def _next(session: Session, order: Order, origin: Origin) -> TaxTransaction | None:
    """The next thing to ask for; None, and the order notes it, where there is none."""
    rows = list(
        session.scalars(select(TaxTransaction).where(TaxTransaction.order_id == order.id).order_by(TaxTransaction.id))
    )
    waiting = next((row for row in rows if row.provider_transaction_id is None), None)
    if waiting is not None and not waiting.refused:
        return waiting
    step = _missing(order, rows) if waiting is None and order.tax_calculation is not None else None
    if step is None:
        transitions.write(session, order, {"tax_recorded_at": origin.at})
        return None
    step.requested_at = origin.at
    session.add(step)
    session.flush()
    return step


def _missing(order: Order, rows: Sequence[TaxTransaction]) -> TaxTransaction | None:
    """What has to be recorded next, so that all of it adds up to what the customer has paid and not got back."""
    if not rows:
        return TaxTransaction(order_id=order.id, key=order.reference, amount_minor=order.total_minor)
    sale, key = rows[0], f"{order.reference}-{len(rows)}"
    wanted = order.payment.received_minor - order.payment.refunded_minor
    more = wanted - sum(row.amount_minor for row in rows)
    if more < 0:
        return TaxTransaction(order_id=order.id, key=key, amount_minor=more, reverses_id=sale.id)
    if more > 0:  # a refund has failed: the newest reversal is taken back, and what is too much reversed again
        back = {row.reverses_id for row in rows}
        newest = next(row for row in reversed(rows) if row.reverses_id == sale.id and row.id not in back)
        return TaxTransaction(order_id=order.id, key=key, amount_minor=-newest.amount_minor, reverses_id=newest.id)
    return None


def _ask(services: Services, order: Order, step: TaxTransaction, original: TaxTransaction | None) -> str:
    """Ask for one thing; the service's name for it. Raises TaxNotRecorded, and what its calls do."""
    taxes, key = services.gateway.taxes, f"tax-{step.key}-{step.attempt}"
    if original is None:
        try:
            return taxes.record_sale(order.tax_calculation or "", step.key, key)
        except TaxCalculationGone:
            calculation = _calculate_again(services, order)
            return taxes.record_sale(calculation, step.key, f"{key}-{calculation}")
    if original.provider_transaction_id is None:
        raise TaxNotRecorded
    whole = step.amount_minor == -original.amount_minor
    amount = None if whole else Money(-step.amount_minor, order.currency)
    return taxes.record_reversal(original.provider_transaction_id, step.key, amount, key)


def _calculate_again(services: Services, order: Order) -> str:
    """A new calculation of an order whose own has expired. Raises TaxNotRecorded where it comes to other taxes than
    the customer has paid.
    """
    with services.database.reading() as session:
        question, taxes = _question(session, order.id)
    if question is None:
        raise TaxNotRecorded
    try:
        answer = services.gateway.taxes.calculate(question)
    except TaxAddressUnknown as unknown:
        raise TaxNotRecorded from unknown
    if answer.calculation is None or _sums(answer.adjustments) != _sums(taxes):
        raise TaxNotRecorded
    return answer.calculation


def _question(session: Session, order_id: int) -> tuple[TaxQuestion | None, list[Adjustment]]:
    """What to ask for an order that was placed, and the taxes that it was placed with."""
    order = session.get_one(Order, order_id)
    rows = session.execute(
        select(OrderLine, Product)
        .join(Product, Product.id == OrderLine.product_id)
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.position)
    )
    lines = tuple(
        QuoteLine(
            line.product_id, line.unit_price, line.quantity, shippable=product.shippable, tax_class=product.tax_class
        )
        for line, product in rows
    )
    price = Quote(order.currency, lines, order.quote.adjustments)
    address = order.shipping if order.is_shipped else order.billing
    taxes = [each for each in price.adjustments if each.kind is AdjustmentKind.TAX]
    return question_of(price, address, order.tax_id), taxes


def _sums(taxes: Sequence[Adjustment]) -> tuple[int, int]:
    """How much of them is on top of the prices, and how much in them."""
    return sum(each.amount.minor for each in taxes), sum(each.contained.minor for each in taxes if each.contained)


def _recorded(session: Session, reference: str, step_id: int, name: str, origin: Origin) -> None:
    order = transitions.lock_by_reference(session, reference)
    step = session.get_one(TaxTransaction, step_id)
    session.refresh(step)
    if step.provider_transaction_id is not None:
        return
    step.provider_transaction_id = name
    event = "tax.recorded" if step.amount_minor > 0 else "tax.reversed"
    history.add(session, order, event, origin, data={"amount": abs(step.amount_minor)})


def _refused(session: Session, reference: str, step_id: int, origin: Origin) -> None:
    """The service will not record it; a person must find out why, and no machine tries again."""
    order = transitions.lock_by_reference(session, reference)
    step = session.get_one(TaxTransaction, step_id)
    step.refused = True
    transitions.write(session, order, {"tax_recorded_at": origin.at})
    reviews.open_review(session, order, "tax_not_recorded", origin, subject=step.key, amount=step.amount_minor)
