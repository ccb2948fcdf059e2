"""What can go wrong in the store, each named once. `message` is a sentence the shopper reads and can act on.

`store/web/errors.py` says which HTTP status and page answers each.
"""

from __future__ import annotations


class StoreError(Exception):
    """The base of everything the store refuses or cannot do. `nothing_charged` where it is certain that the order it is
    about was not paid.
    """

    message = "Something went wrong on our side. Please try again."
    nothing_charged = False

    def __init__(self, message: str | None = None) -> None:
        if message is not None:
            self.message = message
        super().__init__(self.message)


class NotFound(StoreError):
    message = "We could not find that. It may have been moved, or it belongs to another browser."


class QuantityInvalid(StoreError):
    message = "Choose a quantity between 1 and 99."


class CartEmpty(StoreError):
    message = "Your cart is empty."


class OutOfStock(StoreError):
    """Fewer than asked for are left: `available` pieces of `product_name`."""

    def __init__(self, product_name: str, available: int) -> None:
        self.product_name, self.available = product_name, available
        if available:
            super().__init__(f"Only {available} of “{product_name}” left. Change the quantity in your cart.")
        else:
            super().__init__(f"“{product_name}” is sold out. Remove it from your cart to go on.")


class AmountOutOfRange(StoreError):
    """The total is below or above what a card payment can be."""


class OrderClosed(StoreError):
    """The order no longer takes a payment: it is paid, cancelled, expired, or the bank is deciding."""

    message = "This order no longer takes a payment."

    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__()


class PaymentUnavailable(StoreError):
    """The payment service did not answer, or answered that it is out of order; what was asked may be asked again."""

    message = "The payment service is not answering right now. Your order is kept."


class DeadlineExceeded(PaymentUnavailable):
    """The page had no time left to ask. It says nothing about the payment service."""


class PaymentServiceFailed(PaymentUnavailable):
    """The payment service broke down over a request, and remembers that: the same request would fail again for a day.

    Whether it did the work is unknown. That has to be looked up before it is asked under another name.
    """


class RefundRefused(StoreError):
    """The money cannot be returned this way: it was returned already, is disputed, or is more than was received."""

    message = "This amount cannot be refunded."


class ReviewNotResolved(StoreError):
    """There is nothing to settle, or nothing was said about it; `message` says which, for a merchant to read."""


class StoreBusy(StoreError):
    """The database did not answer in time; nothing was written. `retry_after` is in seconds."""

    message = "The store is very busy right now. Please try again in a few seconds."
    retry_after = 5


class PaymentMisconfigured(StoreError):
    """The payment service refused what the store asked in a way that only a person can mend (a key, a parameter)."""

    message = "Payments are not available right now. Your order is kept."


class MailUnavailable(StoreError):
    """The mail server did not take a letter; it stays in the outbox."""

    message = "The mail could not be sent yet."


class SignatureInvalid(StoreError):
    """A webhook whose signature is missing, wrong or too old."""

    message = "The signature of this request could not be verified."


class WebhookUnreadable(StoreError):
    """A webhook that is signed well but is not an event this store can read."""

    message = "The body of this request is not an event."
