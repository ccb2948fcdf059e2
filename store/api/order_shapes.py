"""Orders in the shapes of the API."""

from __future__ import annotations

from dataclasses import asdict

from models import Dispute, HistoryEntry, Order, Payment, Refund, Shipment
from store.api.schemas import (
    AdjustmentDetail,
    DisputeDetail,
    LineDetail,
    ListedOrder,
    MoneyAmount,
    OrderDetail,
    OrderSummary,
    PaymentDetail,
    PostalAddress,
    RefundDetail,
    ReviewDetail,
    ShipmentDetail,
    ShippedPieces,
    TimelineDetail,
)
from store.domain.money import Money
from store.services.orders.whole import WholeOrder


def summary(order: Order) -> OrderSummary:
    """An order without anything personal."""
    return OrderSummary(
        reference=order.reference,
        state=order.state,
        closed_because=order.closed_because,
        needs_review=order.needs_review,
        disputed=order.disputed,
        total=_money(order.total),
        placed_at=order.placed_at,
        paid_at=order.paid_at,
        shipped_at=order.shipped_at,
        fulfilled_at=order.fulfilled_at,
    )


def listed(order: Order) -> ListedOrder:
    """An order as the list shows it: read with its lines and its live payment."""
    payment, currency = order.payment, order.currency
    return ListedOrder(
        **dict(summary(order)),
        name=order.addressee,
        email=order.email,
        country=order.shipping.country or order.billing.country,
        pieces=sum(line.quantity for line in order.lines),
        card_last4=payment.card_last4,
        received=MoneyAmount(minor=payment.received_minor, currency=currency),
        refunded=MoneyAmount(minor=payment.refunded_minor, currency=currency),
    )


def detailed(found: WholeOrder) -> OrderDetail:
    """Everything that is known of an order."""
    order, currency = found.order, found.order.currency
    return OrderDetail(
        **dict(summary(order)),
        email=order.email,
        shipping=PostalAddress(**asdict(order.shipping)),
        billing=PostalAddress(**asdict(order.billing)),
        lines=[
            LineDetail(
                product=line.slug,
                name=line.name,
                quantity=line.quantity,
                unit_price=_money(line.unit_price),
                total=_money(line.total),
            )
            for line in order.lines
        ],
        adjustments=[
            AdjustmentDetail(
                kind=each.kind,
                label=each.label,
                amount=_money(each.amount),
                contained=_money(each.contained) if each.contained is not None else None,
            )
            for each in order.adjustments
        ],
        shipments=[_shipment(shipment) for shipment in order.shipments],
        payments=[_payment(payment, currency) for payment in order.payments],
        refunds=[refund(each, currency) for each in found.refunds],
        disputes=[_dispute(each, currency) for each in found.disputes],
        reviews=[ReviewDetail.model_validate(each) for each in order.reviews],
        timeline=[_entry(entry) for entry in order.history],
        refundable=_money(found.left),
    )


def refund(made: Refund, currency: str) -> RefundDetail:
    """A refund of an order in this currency."""
    amount = MoneyAmount(minor=made.amount_minor, currency=currency)
    return RefundDetail(id=made.provider_refund_id, state=made.state, amount=amount, requested_at=made.requested_at)


def _shipment(shipment: Shipment) -> ShipmentDetail:
    return ShipmentDetail(
        number=shipment.number,
        shipped_at=shipment.shipped_at,
        carrier=shipment.carrier,
        tracking=shipment.tracking,
        lines=[ShippedPieces(product=each.line.slug, quantity=each.quantity) for each in shipment.lines],
    )


def _payment(payment: Payment, currency: str) -> PaymentDetail:
    return PaymentDetail(
        id=payment.provider_payment_id,
        kind=payment.kind,
        state=payment.state,
        live=payment.live,
        amount=MoneyAmount(minor=payment.amount_minor, currency=currency),
        received=MoneyAmount(minor=payment.received_minor, currency=currency),
        refunded=MoneyAmount(minor=payment.refunded_minor, currency=currency),
        card_brand=payment.card_brand,
        card_last4=payment.card_last4,
    )


def _dispute(dispute: Dispute, currency: str) -> DisputeDetail:
    amount = MoneyAmount(minor=dispute.amount_minor, currency=currency)
    return DisputeDetail(
        id=dispute.provider_dispute_id,
        state=dispute.state,
        amount=amount,
        opened_at=dispute.opened_at,
        due_by=dispute.due_by,
    )


def _entry(entry: HistoryEntry) -> TimelineDetail:
    return TimelineDetail.model_validate(entry)


def _money(amount: Money) -> MoneyAmount:
    return MoneyAmount(minor=amount.minor, currency=amount.currency)
