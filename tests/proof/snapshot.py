"""A snapshot of a shop: what the store's database says, and what Stripe itself has."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from models import (
    CouponRow,
    Dispute,
    Document,
    HistoryEntry,
    Mail,
    Order,
    Payment,
    Product,
    Refund,
    RefundLine,
    Shipment,
)
from store.domain.states import RefundState
from tests.support.shop import SECRET_KEY, Shop
from till_sandbox.api.keys import account_of

Thing = dict[str, Any]


@dataclass(frozen=True)
class ShopSnapshot:
    """`refunds` are by the id of their payment; `intents` are Stripe's PaymentIntents by id, `intents_of` the same by
    the reference of the order that they name; `pages` are its Checkout Sessions by id. `withdrawn` are the pieces that
    are not sent and were not charged.
    """

    products: list[Product]
    coupons: list[CouponRow]
    orders: list[Order]
    refunds: dict[int, list[Refund]]
    withdrawn: list[RefundLine]
    disputes: dict[str, Dispute]
    documents: list[Document]
    emails: list[Mail]
    intents: dict[str, Thing]
    intents_of: dict[str, list[Thing]]
    pages: dict[str, Thing]
    charges: list[Thing]
    refunds_at_stripe: list[Thing]
    disputes_at_stripe: list[Thing]

    def order_of(self, payment_id: int) -> int:
        """The id of the order that a payment is of."""
        return next(order.id for order in self.orders for payment in order.payments if payment.id == payment_id)

    def payment_of(self, order: Order, provider_payment_id: str) -> Payment | None:
        """The order's payment with this id at Stripe, if the store knows it."""
        return next((row for row in order.payments if row.provider_payment_id == provider_payment_id), None)

    def refunded(self, order: Order) -> list[tuple[RefundLine, bool]]:
        """The pieces of an order that are refunded, or were not charged, and whether that is accepted."""
        refunds = [row for payment in order.payments for row in self.refunds.get(payment.id, [])]
        rows = [(row, refund.accepted_at is not None, refund.state) for refund in refunds for row in refund.lines]
        standing = [(row, accepted) for row, accepted, state in rows if accepted or state is RefundState.REQUESTED]
        return standing + [(row, True) for row in self.withdrawn if row.order_id == order.id]

    def order_paid_by(self, provider_payment_id: str) -> Order | None:
        return next((order for order in self.orders if self.payment_of(order, provider_payment_id)), None)


def entries(order: Order, prefix: str) -> list[HistoryEntry]:
    """The entries of an order's history whose type begins with `prefix`."""
    return [entry for entry in order.history if entry.type.startswith(prefix)]


def take(shop: Shop) -> ShopSnapshot:
    with shop.services.database.reading() as session:
        orders = session.scalars(
            select(Order)
            .order_by(Order.id)
            .options(
                selectinload(Order.lines),
                selectinload(Order.payment),
                selectinload(Order.payments),
                selectinload(Order.history),
                selectinload(Order.shipments).selectinload(Shipment.lines),
                selectinload(Order.reviews),
            )
        ).all()
        refunds = defaultdict(list)
        for refund in session.scalars(select(Refund).order_by(Refund.id).options(selectinload(Refund.lines))):
            refunds[refund.payment_id].append(refund)
        documents = session.scalars(select(Document).order_by(Document.id)).all()
        withdrawn = session.scalars(select(RefundLine).where(RefundLine.refund_id.is_(None))).all()
        disputes = {dispute.provider_dispute_id: dispute for dispute in session.scalars(select(Dispute))}
        products = session.scalars(select(Product).order_by(Product.id)).all()
        coupons = session.scalars(select(CouponRow).order_by(CouponRow.id)).all()
        emails = session.scalars(select(Mail).order_by(Mail.id)).all()
    with shop.sandbox.extensions["sandbox"].state.read(account_of(SECRET_KEY)) as stripe:
        kinds = ("payment_intent", "charge", "refund", "dispute", "checkout.session")
        objects = [stripe.all(kind) for kind in kinds]
    intents, charges, made, opened, pages = ([dict(thing) for thing in reversed(each)] for each in objects)
    intents_of = defaultdict(list)
    for intent in intents:
        intents_of[intent["metadata"].get("order_reference", "")].append(intent)
    return ShopSnapshot(
        products=list(products),
        coupons=list(coupons),
        orders=list(orders),
        refunds=dict(refunds),
        withdrawn=list(withdrawn),
        disputes=disputes,
        documents=list(documents),
        emails=list(emails),
        intents={intent["id"]: intent for intent in intents},
        intents_of=dict(intents_of),
        pages={page["id"]: page for page in pages},
        charges=charges,
        refunds_at_stripe=made,
        disputes_at_stripe=opened,
    )
