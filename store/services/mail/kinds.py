"""The kinds of mail. Each has a template of its own, `templates/mail/<kind>.txt`."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    ORDER_AUTHORISED = "order_authorised"
    ORDER_PAID = "order_paid"
    ORDER_EXPIRED = "order_expired"
    AUTHORISATION_RELEASED = "authorisation_released"
    ORDER_PARTLY_SHIPPED = "order_partly_shipped"
    ORDER_FULFILLED = "order_fulfilled"
    PAYMENT_FAILED = "payment_failed"
    LATE_PAYMENT_RETURNED = "late_payment_returned"
    SECOND_PAYMENT_RETURNED = "second_payment_returned"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    REVIEW_OPENED = "review_opened"
    RISK_REVIEW_CLOSED = "risk_review_closed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_DECIDED = "dispute_decided"


TO_MERCHANT = (Kind.REVIEW_OPENED, Kind.RISK_REVIEW_CLOSED, Kind.DISPUTE_OPENED, Kind.DISPUTE_DECIDED)
# Mail about an order that is not paid goes to an address that nobody has vouched for.
UNPAID = (Kind.ORDER_EXPIRED, Kind.PAYMENT_FAILED)
