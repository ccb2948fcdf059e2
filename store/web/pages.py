"""The state decides the page: where an order in a given state belongs. Any other page of the order redirects there."""

from __future__ import annotations

from enum import StrEnum

from flask import url_for

from models import Order
from store.domain.states import OrderState, PaymentState


class Because(StrEnum):
    """Why a shopper who wanted to see an order is shown its payment page."""

    NOT_PAID = "not-paid"  # it seemed to be paid, and the payment service says that it is not
    UNPAID = "unpaid"
    NEW_TOTAL = "new-total"  # the shopper chose something after the last total was shown


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


def path_of(order: Order, because: Because | None = None) -> str:
    """The address the order's state belongs on, without the host. `because` goes with it to the payment page only."""
    page = page_of(order)
    return url_for(page.value, reference=order.reference, because=because if page is Page.PAY else None)


def confirming_path(order: Order) -> str:
    """The status page of an order whose browser says it has just paid, before the store knows it."""
    return url_for(Page.STATUS.value, reference=order.reference, confirming=1)
