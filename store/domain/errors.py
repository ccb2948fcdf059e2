"""What can go wrong in the store, each named once: a class, a stable `code`, and data. No sentences.

What a shopper reads of them is in `store/web/presentation/errors.py`, what an operator reads in `store/cli/`;
`store/web/errors.py` says which HTTP status and page answers each.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from store.domain.money import Money


@dataclass(eq=False)
class StoreError(Exception):
    """The base of everything the store refuses or cannot do.

    `code` names the error for programs and logs and never changes. `nothing_charged` is set where it is certain that
    the order it is about was not paid. An error's text is its code and its data; none of them holds personal data.
    """

    code: ClassVar[str] = "internal_error"
    nothing_charged = False

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{field.name}={getattr(self, field.name)!s}" for field in fields(self))])


class Subject(StrEnum):
    """What was looked for."""

    PRODUCT = "product"
    CART_LINE = "cart_line"
    ORDER = "order"
    CATEGORY = "category"
    CATALOGUE_PAGE = "catalogue_page"
    EVENT = "event"
    CHARGE = "charge"
    DISPUTE = "dispute"
    PICTURE = "picture"
    API_KEY = "api_key"
    DOCUMENT = "document"
    EVIDENCE_FILE = "evidence_file"
    ENDPOINT = "endpoint"
    NOTIFICATION = "notification"


@dataclass(eq=False)
class NotFound(StoreError):
    """It is not there, or it belongs to somebody else; the error does not say which."""

    code = "not_found"
    subject: Subject = Subject.ORDER


@dataclass(eq=False)
class QuantityInvalid(StoreError):
    """A cart holds 1 to `maximum` of one product."""

    code = "quantity_invalid"
    maximum: int


class CartEmpty(StoreError):
    code = "cart_empty"


@dataclass(eq=False)
class OutOfStock(StoreError):
    """Fewer than asked for are left: `available` of `product_name`, which may be 0."""

    code = "out_of_stock"
    product_name: str
    available: int


@dataclass(eq=False)
class AmountOutOfRange(StoreError):
    """`total` is below or above what a card payment can be."""

    code = "amount_out_of_range"
    total: Money
    minimum: Money
    maximum: Money


@dataclass(eq=False)
class NotShippedThere(StoreError):
    """No shipping method goes to the address; `country` is its ISO code."""

    code = "not_shipped_there"
    country: str


@dataclass(eq=False)
class ShippingMethodUnavailable(StoreError):
    """The chosen shipping method does not go to the address, or not for these things; others do."""

    code = "shipping_method_unavailable"
    method: str


class CouponRefusal(StrEnum):
    """Why a code takes nothing off."""

    UNKNOWN = "unknown"
    NOT_YET = "not_yet"
    OVER = "over"
    BELOW_MINIMUM = "below_minimum"
    OTHER_CURRENCY = "other_currency"
    USED_UP = "used_up"
    USED_BEFORE = "used_before"
    NO_SHIPPING = "no_shipping"


@dataclass(eq=False)
class CouponRefused(StoreError):
    """A discount code takes nothing off this order. `minimum` is what its things must cost at least, where that is
    why.
    """

    code = "coupon_refused"
    reason: CouponRefusal
    coupon: str
    minimum: Money | None = None


class AddressMissing(StoreError):
    """Something of it is shipped, and no address was given."""

    code = "address_missing"


class TaxAddressUnknown(StoreError):
    """Nobody knows which taxes are due at the address: its parts do not belong together, or there is no such place."""

    code = "tax_address_unknown"


class TaxesUnavailable(StoreError):
    """The service that computes the taxes did not answer, or refused to; nothing was placed."""

    code = "taxes_unavailable"


class TaxCalculationGone(StoreError):
    """What was calculated cannot be recorded any more: it has expired, or is of another account."""

    code = "tax_calculation_gone"


class TaxNotRecorded(StoreError):
    """The service that computes the taxes refuses to record them, and only a person can find out why."""

    code = "tax_not_recorded"


@dataclass(eq=False)
class PriceChanged(StoreError):
    """The order costs `total`, and the customer was shown another amount."""

    code = "price_changed"
    total: Money


class TooManyDeclines(StoreError):
    """More cards were declined than one shopper has: from this address, browser or e-mail none is taken for a while."""

    code = "too_many_declines"


@dataclass(eq=False)
class OrderClosed(StoreError):
    """The order takes no payment any more: it is paid, cancelled, expired, or the bank is deciding."""

    code = "order_closed"
    reference: str


class DisputeNotAnswered(StoreError):
    """The dispute takes no answer any more: it is answered, its time is over, or the bank has decided."""

    code = "dispute_not_answered"


class CatalogueRefusal(StrEnum):
    """Why something that is for sale, or what is charged beside it, is not changed."""

    BELOW_RESERVED = "below_reserved"
    NAME_TAKEN = "name_taken"
    IN_USE = "in_use"
    NO_NAME = "no_name"
    PLACE_TAKEN = "place_taken"
    PLACE_UNKNOWN = "place_unknown"
    FEWER_THAN_USED = "fewer_than_used"
    ADDRESS_UNFIT = "address_unfit"
    ADDRESS_TAKEN = "address_taken"
    ADDRESS_ORDERED = "address_ordered"


@dataclass(eq=False)
class CatalogueRefused(StoreError):
    """Something that is for sale, or what is charged beside it, stays as it is. `count` is how many pieces are
    reserved, or uses taken, where that is why; `name` what the reason is about.
    """

    code = "catalogue_refused"
    reason: CatalogueRefusal
    count: int = 0
    name: str = ""


class PictureRefusal(StrEnum):
    """Why a picture is not taken."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    OTHER_TYPE = "other_type"
    BROKEN = "broken"
    ANIMATED = "animated"
    FOR_PRINT = "for_print"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    TOO_NARROW = "too_narrow"
    THERE_ALREADY = "there_already"
    TOO_MANY = "too_many"


@dataclass(eq=False)
class PictureRefused(StoreError):
    """A picture is not taken. `limit` is what it exceeds, or falls short of, where that is why: bytes, pixels, times as
    long as wide, or pictures of a product.
    """

    code = "picture_refused"
    reason: PictureRefusal
    limit: int = 0


class EvidenceFileRefusal(StrEnum):
    """Why a file does not go with the answer to a dispute."""

    EMPTY = "empty"
    OTHER_TYPE = "other_type"
    TOO_LARGE = "too_large"
    BY_PAYMENT_SERVICE = "by_payment_service"


@dataclass(eq=False)
class EvidenceFileRefused(StoreError):
    """A file does not go with the answer to a dispute. `left` is how many bytes may be added, where that is why."""

    code = "evidence_file_refused"
    reason: EvidenceFileRefusal
    left: int = 0


@dataclass(eq=False)
class EventGone(StoreError):
    """The payment service does not have the event, or not any more."""

    code = "event_gone"
    event_id: str


class StaffRefusal(StrEnum):
    """Why an account of the staff is not changed."""

    EMAIL_INVALID = "email_invalid"
    EXISTS = "exists"
    UNKNOWN = "unknown"
    LAST_OWNER = "last_owner"
    PASSWORD_UNFIT = "password_unfit"  # noqa: S105  # no password, but what is wrong with one
    CODE_SPENT = "code_spent"
    LIVE = "live"


@dataclass(eq=False)
class StaffRefused(StoreError):
    """An account of the staff is not made or changed; `advice` says what is wrong with a password that is not taken."""

    code = "staff_refused"
    reason: StaffRefusal
    advice: str = ""


class ApiKeyRefusal(StrEnum):
    """Why a key for a program is not made."""

    NAME_INVALID = "name_invalid"  # not one line, or longer than 40 characters
    NAME_TAKEN = "name_taken"
    NO_SCOPE = "no_scope"


@dataclass(eq=False)
class ApiKeyRefused(StoreError):
    """A key for a program is not made; `reason` says why."""

    code = "api_key_refused"
    reason: ApiKeyRefusal


class RepetitionRefusal(StrEnum):
    """Why a program's request is not taken under the idempotency key that it names."""

    KEY_MISSING = "idempotency_key_missing"
    KEY_INVALID = "idempotency_key_invalid"  # not 1 to 255 visible characters of ASCII
    KEY_OF_ANOTHER_REQUEST = "idempotency_key_of_another_request"
    IN_PROGRESS = "idempotency_key_in_progress"  # the same request is being worked on


@dataclass(eq=False)
class RepetitionRefused(StoreError):
    """A program's request is not taken under the idempotency key that it names; nothing was done for it."""

    code = "repetition_refused"
    reason: RepetitionRefusal


class EndpointRefusal(StrEnum):
    """Why an address is not told of anything."""

    URL_UNFIT = "url_unfit"  # not https, or http to this machine in test mode
    URL_TAKEN = "url_taken"
    NO_FACT = "no_fact"


@dataclass(eq=False)
class EndpointRefused(StoreError):
    """An endpoint is not added or changed; `reason` says why."""

    code = "endpoint_refused"
    reason: EndpointRefusal


class EndpointFault(StrEnum):
    """Why an endpoint was not reached."""

    UNKNOWN_HOST = "unknown_host"
    PRIVATE_ADDRESS = "private_address"
    NO_ANSWER = "no_answer"
    TIME_OUT = "time_out"
    CERTIFICATE = "certificate"
    NO_SECRET = "no_secret"  # noqa: S105  # no secret, but what is wrong with one


@dataclass(eq=False)
class EndpointUnreachable(StoreError):
    """An endpoint was told nothing, or did not say whether it has understood; `fault` says why."""

    code = "endpoint_unreachable"
    fault: EndpointFault


class PaymentUnavailable(StoreError):
    """The payment service did not answer, or answered that it is out of order; what was asked may be asked again."""

    code = "payment_unavailable"


class DeadlineExceeded(PaymentUnavailable):
    """The page had no time left to ask. It says nothing about the payment service."""

    code = "deadline_exceeded"


class PaymentServiceFailed(PaymentUnavailable):
    """The payment service broke down over a request, and remembers that: the same request would fail again for a day.

    Whether it did the work is unknown. That has to be looked up before it is asked under another name.
    """

    code = "payment_service_failed"


class PaymentMisconfigured(StoreError):
    """The payment service refused what the store asked, and only a person can put it right (a key, a parameter)."""

    code = "payment_misconfigured"


class PaymentMissing(PaymentMisconfigured):
    """The payment service does not have this payment: it is of another account or mode than the store's keys."""

    code = "payment_missing"


class Detail(StrEnum):
    """A part of what a shopper says of himself at the checkout."""

    EMAIL = "email"
    FULL_NAME = "full_name"
    PHONE = "phone"
    LINE1 = "line1"
    LINE2 = "line2"
    CITY = "city"
    REGION = "region"
    POSTAL_CODE = "postal_code"
    COUNTRY = "country"


@dataclass(eq=False)
class DetailsRefused(PaymentMisconfigured):
    """The payment service does not accept `detail` of the order's; the shopper can change it."""

    code = "details_refused"
    detail: Detail


@dataclass(eq=False)
class PaymentUnconfirmed(StoreError):
    """A webhook is about a payment that is not known here. The payment service has to confirm that it is ours."""

    code = "payment_unconfirmed"
    provider_payment_id: str


class RefundRefusal(StrEnum):
    """Why money cannot be returned this way."""

    BY_PAYMENT_SERVICE = "by_payment_service"  # returned already
    OTHER_ACCOUNT = "other_account"  # than that of the store's keys, or another mode
    DISPUTED = "disputed"  # `amount` and `requested_at` are the dispute's, where it is known here
    NOT_A_WHOLE_STEP = "not_a_whole_step"  # `amount` is the step that amounts in this currency are multiples of
    TOO_MUCH = "too_much"  # `amount` is what can be refunded
    OTHER_CURRENCY = "other_currency"  # `amount` is what can be refunded, in the currency that was paid
    EARLIER_UNANSWERED = "earlier_unanswered"  # a refund of `amount`, requested at `requested_at`
    KEY_OF_ANOTHER_ORDER = "key_of_another_order"
    KEY_OF_ANOTHER_AMOUNT = "key_of_another_amount"
    NOT_BY_LINE = "not_by_line"  # its stock is not with it, so only an amount of it can be refunded
    FEWER_LEFT = "fewer_left"  # than so many pieces of a line, or the shipping was refunded before
    NOT_CHARGED = "not_charged"  # nothing was charged for what was chosen: it is withdrawn, not refunded
    CHARGED = "charged"  # what was chosen was charged: it is refunded, not withdrawn


@dataclass(eq=False)
class RefundRefused(StoreError):
    """The money cannot be returned this way; `reason` says why and what the other two stand for."""

    code = "refund_refused"
    reason: RefundRefusal = RefundRefusal.BY_PAYMENT_SERVICE
    amount: Money | None = None
    requested_at: datetime | None = None


class CaptureRefusal(StrEnum):
    """Why an authorised payment is not captured."""

    NOT_AUTHORISED = "not_authorised"
    ENDED = "ended"  # the authorisation was released, or its time is over
    BY_PAYMENT_SERVICE = "by_payment_service"
    OTHER_ACCOUNT = "other_account"  # than that of the store's keys, or another mode
    TOO_MUCH = "too_much"  # `amount` is what was authorised
    OTHER_CURRENCY = "other_currency"  # `amount` is what was authorised
    NOT_A_WHOLE_STEP = "not_a_whole_step"  # `amount` is the step that amounts in this currency are multiples of
    EARLIER_UNANSWERED = "earlier_unanswered"  # `amount` was asked for, and whether it was captured is not known


@dataclass(eq=False)
class CaptureRefused(StoreError):
    """Nothing is captured this way; `reason` says why, and what `amount` stands for."""

    code = "capture_refused"
    reason: CaptureRefusal
    amount: Money | None = None


class FulfilmentRefusal(StrEnum):
    """Why an order was not fulfilled."""

    NOT_PAID = "not_paid"
    REVIEW_OPEN = "review_open"
    DISPUTED = "disputed"
    TRACKING_INVALID = "tracking_invalid"  # not one line, or longer than `longest_tracking` characters
    CARRIER_INVALID = "carrier_invalid"  # not one line, or longer than `longest_carrier` characters
    FEWER_LEFT = "fewer_left"  # than so many pieces of a line
    NOTHING_CHOSEN = "nothing_chosen"
    REST_IS_PAID = "rest_is_paid"  # what is not sent has to be refunded
    STOCK_GONE = "stock_gone"  # it was released when its money went back, and sold since


@dataclass(eq=False)
class OrderNotFulfilled(StoreError):
    """The order, or this part of it, is not to be sent; `reason` says why."""

    code = "order_not_fulfilled"
    reason: FulfilmentRefusal
    longest_tracking: int
    longest_carrier: int


class ReviewRefusal(StrEnum):
    """Why a review was not resolved."""

    NOT_IN_REVIEW = "not_in_review"
    NOTE_INVALID = "note_invalid"  # not one line, or longer than `longest_note` characters


@dataclass(eq=False)
class ReviewNotResolved(StoreError):
    """There is no open review, or the note cannot be kept; `reason` says which."""

    code = "review_not_resolved"
    reason: ReviewRefusal
    longest_note: int


@dataclass(eq=False)
class StoreBusy(StoreError):
    """The database did not answer in time; nothing was written. `retry_after` is in seconds."""

    code = "store_busy"
    retry_after: int = 5


class MailUnavailable(StoreError):
    """The mail server did not take an e-mail; it stays in the outbox."""

    code = "mail_unavailable"


class MailRefused(MailUnavailable):
    """The mail server refused a mail for good: there is no such mailbox, or it will not take this text."""

    code = "mail_refused"


class SignatureInvalid(StoreError):
    """A webhook whose signature is missing, wrong or too old."""

    code = "signature_invalid"


class WebhookUnreadable(StoreError):
    """A webhook that is signed well but is not an event this store can read."""

    code = "webhook_unreadable"
