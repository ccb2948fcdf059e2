"""What a shopper reads when something is refused or fails: a row for each code, and one for each HTTP status."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from store.domain import errors
from store.domain.countries import country_name
from store.web.presentation.coupons import coupon_refusal
from store.web.presentation.details import REFUSED_DETAILS

NOTHING_CHARGED = "Nothing was charged."
NOT_BY_THIS_STEP = "Nothing was charged by this step."
# An order's own pages must not say that, while nobody can look whether it was paid.
NOT_KNOWN = "We cannot see right now whether you were charged."


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """`retry` offers the same page again, and says where the money is: a failure leaves both in doubt. `change_details`
    offers the checkout, where what is wrong can be changed.
    """

    heading: str
    message: str
    retry: bool = False
    change_details: bool = False


def error_message(error: errors.StoreError) -> ErrorMessage:
    """The words for an error of the store, with its own data in them."""
    return BY_CODE[error.code](error)


def message_for_status(status: int) -> ErrorMessage:
    """The words for an HTTP status that comes from no error of the store; one without a row reads as 400 or 500."""
    return BY_STATUS.get(status) or BY_STATUS[400 if status < 500 else 500]


def _always(heading: str, message: str, *, retry: bool = False) -> Callable[[Any], ErrorMessage]:
    message_row = ErrorMessage(heading, message, retry)
    return lambda _error: message_row


def _not_found(error: errors.NotFound) -> ErrorMessage:
    return {
        errors.Subject.PRODUCT: ErrorMessage(
            "We could not find that product", "It may have another address now, or we no longer sell it."
        ),
        errors.Subject.CATEGORY: ErrorMessage(
            "We have no such category", "It may have another name now. The shop’s front page lists those that we have."
        ),
        errors.Subject.CATALOGUE_PAGE: ErrorMessage(
            "There is no such page of the shop", "What it showed may be sold by now. Begin again at the front page."
        ),
        errors.Subject.EVENT: ErrorMessage("We could not find that event", "It was never sent to this store."),
        errors.Subject.PICTURE: ErrorMessage("We could not find that picture", "Somebody has removed it meanwhile."),
        errors.Subject.EVIDENCE_FILE: ErrorMessage("We could not find that file", "Somebody has removed it meanwhile."),
        errors.Subject.CHARGE: ErrorMessage("It is not there any more", "Somebody has removed it meanwhile."),
        errors.Subject.DISPUTE: ErrorMessage("We could not find that dispute", "This order has no such dispute."),
        errors.Subject.ENDPOINT: ErrorMessage("There is no such endpoint", "Somebody has removed it meanwhile."),
        errors.Subject.NOTIFICATION: ErrorMessage("There is no such notification", "It was forgotten after 30 days."),
        errors.Subject.API_KEY: ErrorMessage("There is no such key", "It was never made."),
        errors.Subject.DOCUMENT: ErrorMessage(
            "There is no such invoice",
            "An invoice is there once its order is paid, a credit note once money is returned.",
        ),
        errors.Subject.CART_LINE: ErrorMessage(
            "That is no longer in your cart", "It was taken out meanwhile, perhaps in another tab."
        ),
        errors.Subject.ORDER: ErrorMessage(
            "We could not find that order",
            "An order is shown in the browser that placed it. If this is another one, or its cookies were deleted, "
            "open the link in the mail about the order. If you have just paid, do not pay again: "
            "the mail says that your payment arrived, and its link leads to the order.",
        ),
    }[error.subject]


def _quantity_invalid(error: errors.QuantityInvalid) -> ErrorMessage:
    return ErrorMessage("That is not a quantity we can take", f"A cart holds 1 to {error.maximum} of one product.")


def _out_of_stock(error: errors.OutOfStock) -> ErrorMessage:
    if error.available:
        return ErrorMessage(
            "There are not that many left",
            f"Only {error.available} of “{error.product_name}” left. Change the quantity in your cart.",
        )
    return ErrorMessage("It is sold out", f"“{error.product_name}” is sold out. Remove it from your cart to go on.")


def _amount_out_of_range(error: errors.AmountOutOfRange) -> ErrorMessage:
    if error.total.minor < error.minimum.minor:
        return ErrorMessage(
            "This is too little for a card",
            f"A card payment must be at least {error.minimum.text()}. Add something to your cart.",
        )
    return ErrorMessage(
        "This is too much for a card",
        f"A card payment can be {error.maximum.text()} at the most. Take something out of your cart.",
    )


def _not_shipped_there(error: errors.NotShippedThere) -> ErrorMessage:
    country = country_name(error.country)
    return ErrorMessage("We do not send there", f"We do not send to {country} yet. Your cart is kept.")


def _price_changed(error: errors.PriceChanged) -> ErrorMessage:
    return ErrorMessage("The price has changed", f"The order costs {error.total.text()} now. Your cart is kept.")


def _coupon_refused(error: errors.CouponRefused) -> ErrorMessage:
    return ErrorMessage("This code does not work here", f"{coupon_refusal(error)} Your cart is kept.")


def _details_refused(error: errors.DetailsRefused) -> ErrorMessage:
    return ErrorMessage(
        "Please change one of your details",
        f"The payment service does not accept {REFUSED_DETAILS[error.detail]}. Nothing was charged, and your order is "
        "kept until you change it.",
        change_details=True,
    )


_PAYMENTS_AWAY = _always(
    "We cannot take payments right now",
    "The payment service is not answering right now. Your order is kept.",
    retry=True,
)
_NO_PAYMENTS = _always(
    "We cannot take payments right now",
    "Payments are not available right now. Your order is kept.",
    retry=True,
)
_NO_TAXES = _always("The tax was not recorded", "A person looks into it. Your order is kept.")

BY_CODE: Mapping[str, Callable[[Any], ErrorMessage]] = {
    errors.StoreError.code: _always("Something went wrong on our side", "Please try again.", retry=True),
    errors.NotFound.code: _not_found,
    errors.QuantityInvalid.code: _quantity_invalid,
    errors.CartEmpty.code: _always("Your cart is empty", "Put something into it first."),
    errors.OutOfStock.code: _out_of_stock,
    errors.AmountOutOfRange.code: _amount_out_of_range,
    errors.NotShippedThere.code: _not_shipped_there,
    errors.ShippingMethodUnavailable.code: _always(
        "This way of shipping does not go there", "Choose another one at the checkout. Your cart is kept."
    ),
    errors.AddressMissing.code: _always("We need an address", "Say at the checkout where it goes. Your cart is kept."),
    errors.PriceChanged.code: _price_changed,
    errors.TaxAddressUnknown.code: _always(
        "We could not find this place", "The tax goes by it. Check the address at the checkout. Your cart is kept."
    ),
    errors.TaxesUnavailable.code: _always(
        "We cannot calculate the taxes right now", "Please try again in a moment. Your cart is kept.", retry=True
    ),
    errors.TaxCalculationGone.code: _NO_TAXES,
    errors.TaxNotRecorded.code: _NO_TAXES,
    errors.CouponRefused.code: _coupon_refused,
    errors.TooManyDeclines.code: _always(
        "Too many cards were declined",
        "A declined card is not charged. To protect the owners of cards we take no other for an hour or two. "
        "Your cart is kept.",
    ),
    errors.OrderClosed.code: _always("That is no longer possible", "This order no longer takes a payment."),
    errors.PaymentUnavailable.code: _PAYMENTS_AWAY,
    errors.DeadlineExceeded.code: _PAYMENTS_AWAY,
    errors.PaymentServiceFailed.code: _PAYMENTS_AWAY,
    errors.PaymentMisconfigured.code: _NO_PAYMENTS,
    errors.PaymentMissing.code: _NO_PAYMENTS,
    errors.DetailsRefused.code: _details_refused,
    errors.CaptureRefused.code: _always("The card was not charged", "Nothing was charged, and the order is kept."),
    errors.RefundRefused.code: _always("That is no longer possible", "This amount cannot be refunded."),
    errors.CatalogueRefused.code: _always("That is not possible", "It stays as it is."),
    errors.PictureRefused.code: _always("That is not possible", "This picture cannot be shown."),
    errors.EvidenceFileRefused.code: _always("That is not possible", "This file is not taken."),
    errors.DisputeNotAnswered.code: _always("That is no longer possible", "This dispute takes no answer."),
    errors.EventGone.code: _always("That is no longer possible", "This event is not there any more."),
    errors.StaffRefused.code: _always("That is not possible", "This account stays as it is."),
    errors.EndpointRefused.code: _always("That is not possible", "This endpoint stays as it is."),
    errors.EndpointUnreachable.code: _always("That is not possible", "The endpoint was not reached."),
    errors.ApiKeyRefused.code: _always("That is not possible", "No key was made."),
    errors.RepetitionRefused.code: _always("That is not possible", "Nothing was done."),
    errors.PaymentUnconfirmed.code: _PAYMENTS_AWAY,
    errors.OrderNotFulfilled.code: _always("That is not possible", "This order is not to be sent."),
    errors.ReviewNotResolved.code: _always("That is no longer possible", "This review is not open."),
    errors.StoreBusy.code: _always(
        "The store is very busy", "Your cart and your orders are kept. Please try again in a few seconds.", retry=True
    ),
    errors.MailUnavailable.code: _always("The mail was not sent", "We will try again by ourselves."),
    errors.MailRefused.code: _always("The mail was not sent", "The mail server does not take it."),
    errors.SignatureInvalid.code: _always(
        "We could not read that", "The signature of this request could not be verified."
    ),
    errors.WebhookUnreadable.code: _always("We could not read that", "The body of this request is not an event."),
}

BY_STATUS: Mapping[int, ErrorMessage] = {
    400: ErrorMessage("We could not read that", "The request was not complete. Please go back and try again."),
    403: ErrorMessage("This is not open to you", "You may not see this page."),
    404: ErrorMessage("We could not find that page", "It may have moved, or the address has a mistake in it."),
    405: ErrorMessage("That does not work here", "This address cannot be used that way."),
    413: ErrorMessage("That was too much at once", "What was sent is larger than any form of ours. Please shorten it."),
    415: ErrorMessage("We could not read that", "What was sent was not a form."),
    429: ErrorMessage("A little too fast", "Please wait a minute and try again.", retry=True),
    500: ErrorMessage(
        "Something went wrong on our side",
        "We keep a record of it and will look into it. Your cart and your orders are kept.",
        retry=True,
    ),
    503: ErrorMessage(
        "We cannot serve this page right now",
        "Your cart and your orders are kept. Please try again in a moment.",
        retry=True,
    ),
}
