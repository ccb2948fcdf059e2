"""The state decides the page: where an order in a given state belongs. Any other page of the order redirects there."""

from __future__ import annotations

from enum import StrEnum

from flask import url_for

from models import Order
from store.domain.states import OrderState, PaymentState


class Page(StrEnum):
    """A page of an order; the value is its endpoint."""

    PAY = "orders.pay"
    STATUS = "orders.status"


# Only what can still take a card belongs on the payment page; while the bank decides, the shopper must not pay again.
_PAYABLE = (PaymentState.UNOPENED, PaymentState.OPEN, PaymentState.DECLINED, PaymentState.ACTION_REQUIRED)

PAGE_OF: dict[tuple[OrderState, PaymentState], Page] = {
    (order, payment): Page.PAY if order is OrderState.AWAITING_PAYMENT and payment in _PAYABLE else Page.STATUS
    for order in OrderState
    for payment in PaymentState
}


def page_of(order: Order) -> Page:
    """Where the order belongs. One that a person is looking at takes no payment meanwhile."""
    return Page.STATUS if order.needs_review else PAGE_OF[order.state, order.payment.state]


def path_of(order: Order) -> str:
    """The address the order's state belongs on, without the host."""
    return url_for(page_of(order).value, reference=order.reference)


def confirming_path(order: Order) -> str:
    """The status page of an order whose browser says it has just paid, before the store knows it."""
    return url_for(Page.STATUS.value, reference=order.reference, confirming=1)
