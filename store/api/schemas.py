"""What programs are told, and what they may ask: the shapes of the API, which the OpenAPI document shows.

Amounts are in minor units of their currency; times are in UTC.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from store.domain.states import DisputeState, OrderState, PaymentKind, PaymentState, RefundState
from store.services.orders import search
from store.services.orders.fulfilment import LONGEST_CARRIER, LONGEST_TRACKING
from store.services.orders.listing import PAGE, Show
from store.services.products import MOST_PIECES

LONGEST_CURSOR = 400  # characters
MOST_LISTED = 200


class _Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True, frozen=True)


class _Asked(BaseModel):
    """Whatever else is sent is refused: what is not known is not silently left out."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


Cursor = Annotated[str, Field(max_length=LONGEST_CURSOR, description="The `next` of the page before.")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$")]


class FieldProblem(BaseModel):
    """What is wrong with one part of the request; `pointer` is where it is, such as `#/amount`."""

    pointer: str
    detail: str


class ProblemDetail(BaseModel):
    """What went wrong, as RFC 9457 has it. `code` and `reason` are for programs and do not change; `detail` is for
    people.
    """

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    reason: str | None = None
    request_id: str | None = None
    errors: list[FieldProblem] | None = None


class MoneyAmount(_Shape):
    minor: int
    currency: str


class OrderSummary(_Shape):
    """An order without anything personal."""

    reference: str
    state: OrderState
    closed_because: str | None
    needs_review: bool
    disputed: bool
    total: MoneyAmount
    placed_at: datetime
    paid_at: datetime | None
    shipped_at: datetime | None
    fulfilled_at: datetime | None


class ListedOrder(OrderSummary):
    name: str
    email: str
    country: str
    pieces: int
    card_last4: str | None
    received: MoneyAmount
    refunded: MoneyAmount


class ListedOrders(_Shape):
    """A page of orders. `next` is the `cursor` of the page after it; null on the last one."""

    orders: list[ListedOrder]
    next: str | None


class OrderListQuery(_Asked):
    show: Annotated[Show, Field(description="Which orders, as in /admin.")] = Show.ALL
    q: Annotated[
        Line,
        Field(
            max_length=search.LONGEST,
            description="A reference, an e-mail address, a name, four digits of a card, or an id of Stripe's.",
        ),
    ] = ""
    since: Annotated[date | None, Field(alias="from", description="Placed on this day (UTC) or later.")] = None
    until: Annotated[date | None, Field(alias="to", description="Placed on this day (UTC) or earlier.")] = None
    oldest_first: bool = False
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = PAGE
    cursor: Cursor = ""


class PostalAddress(_Shape):
    full_name: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str
    phone: str


class LineDetail(_Shape):
    product: str
    name: str
    quantity: int
    unit_price: MoneyAmount
    total: MoneyAmount


class AdjustmentDetail(_Shape):
    kind: str
    label: str
    amount: MoneyAmount
    contained: MoneyAmount | None


class ShippedPieces(_Shape):
    product: str
    quantity: int


class ShipmentDetail(_Shape):
    """What of an order was sent at one time."""

    number: int
    shipped_at: datetime
    carrier: str | None
    tracking: str | None
    lines: list[ShippedPieces]


class PaymentDetail(_Shape):
    id: str | None
    kind: PaymentKind
    state: PaymentState
    live: bool
    amount: MoneyAmount
    received: MoneyAmount
    refunded: MoneyAmount
    card_brand: str | None
    card_last4: str | None


class RefundDetail(_Shape):
    """A refund. While it is `requested`, the payment service has not answered yet; the store goes on asking."""

    id: str | None
    state: RefundState
    amount: MoneyAmount
    requested_at: datetime


class DisputeDetail(_Shape):
    id: str
    state: DisputeState
    amount: MoneyAmount
    opened_at: datetime
    due_by: datetime | None


class ReviewDetail(_Shape):
    reason: str
    subject: str
    opened_at: datetime
    resolved_at: datetime | None
    note: str | None


class TimelineDetail(_Shape):
    at: datetime
    type: str
    from_state: str | None
    to_state: str | None
    source: str
    actor: str | None
    data: dict[str, Any]


class OrderDetail(OrderSummary):
    """Everything that is known of an order. `refundable` is what can still be returned."""

    email: str
    shipping: PostalAddress
    billing: PostalAddress
    lines: list[LineDetail]
    adjustments: list[AdjustmentDetail]
    shipments: list[ShipmentDetail]
    payments: list[PaymentDetail]
    refunds: list[RefundDetail]
    disputes: list[DisputeDetail]
    reviews: list[ReviewDetail]
    timeline: list[TimelineDetail]
    refundable: MoneyAmount


class PiecesToShip(_Asked):
    product: Line
    quantity: Annotated[int, Field(strict=True, ge=1, le=99)]


class ShipRequest(_Asked):
    carrier: Annotated[Line | None, Field(max_length=LONGEST_CARRIER)] = None
    tracking: Annotated[
        Line | None, Field(max_length=LONGEST_TRACKING, description="The carrier's number or address.")
    ] = None
    lines: Annotated[
        list[PiecesToShip] | None, Field(max_length=100, description="What is sent; without it, all that is left.")
    ] = None
    shipment: Annotated[
        int | None,
        Field(
            strict=True,
            ge=1,
            le=10_000,
            description="The number that this shipment gets, needed with `lines`: one that is there is not sent again.",
        ),
    ] = None
    disputed: Annotated[bool, Field(strict=True, description="Send it though its payment is disputed.")] = False
    capture: Annotated[
        int | None,
        Field(
            strict=True,
            ge=1,
            le=2**53,
            description="How much of what is authorised is charged, in minor units; without it, all.",
        ),
    ] = None

    @model_validator(mode="after")
    def _lines_are_numbered(self) -> Self:
        if self.lines is not None and self.shipment is None:
            raise ValueError("lines need the number of their shipment")
        return self


class RefundRequest(_Asked):
    amount: Annotated[
        int | None,
        Field(strict=True, ge=1, le=2**53, description="In minor units of the order; without it, all that is left."),
    ] = None
    another: Annotated[bool, Field(strict=True, description="Besides an earlier one that is not answered yet.")] = False


class CancelRequest(_Asked):
    """There is nothing to say."""


class ProductStock(_Shape):
    """How many pieces there are. `reserved` of them belong to orders that are not paid yet."""

    slug: str
    name: str
    stock: int
    reserved: int
    available: int
    hidden: bool


class ListedStock(_Shape):
    """A page of products. `next` is the `cursor` of the page after it; null on the last one."""

    products: list[ProductStock]
    next: str | None


class StockListQuery(_Asked):
    q: Annotated[Line, Field(max_length=80, description="Words of the product.")] = ""
    at_most: Annotated[int | None, Field(ge=0, le=MOST_PIECES, description="No more pieces are available.")] = None
    cursor: Cursor = ""


class CorrectionRequest(_Asked):
    by: Annotated[
        int,
        Field(strict=True, ge=-MOST_PIECES, le=MOST_PIECES, description="Pieces more, or fewer where it is negative."),
    ]
    reason: Annotated[Line, Field(min_length=1, max_length=120)]
