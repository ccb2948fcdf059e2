"""The tables, and the rules that hold whoever writes: CHECK, UNIQUE, and states that only transitions change.

Amounts are minor units of the row's currency; times are aware and in UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    event,
    exists,
    false,
    func,
    inspect,
    select,
    text,
    true,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedColumn,
    column_property,
    composite,
    declared_attr,
    mapped_column,
    relationship,
    validates,
)
from sqlalchemy.types import TypeDecorator

from store.domain.addresses import Address
from store.domain.api_keys import LONGEST_NAME
from store.domain.balance import EntryKind
from store.domain.coupons import CouponKind
from store.domain.documents import DocumentKind, document_name
from store.domain.endpoints import LONGEST_URL
from store.domain.evidence import EvidenceKind
from store.domain.money import Money
from store.domain.pictures import NO_PICTURE, Picture, Pictures, thumbnail
from store.domain.pricing import Adjustment, AdjustmentKind, Quote, QuoteLine, TaxClass
from store.domain.shipping import Basis
from store.domain.staff import LONGEST_EMAIL, Role
from store.domain.states import DisputeState, OrderState, PaymentKind, PaymentState, RefundState, ReservationState

T = TypeVar("T")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC on every database; SQLite forgets the zone, so it is given back here. Naive times are
    refused.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time needs its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PictureList(TypeDecorator[Pictures]):
    """The pictures of a product, in their order, as JSON."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Pictures | None, _dialect: Dialect) -> list[dict[str, Any]]:
        return [picture.to_json() for picture in value or ()]

    def process_result_value(self, value: list[dict[str, Any]] | None, _dialect: Dialect) -> Pictures:
        return tuple(Picture.from_json(picture) for picture in value or ())


def _states(kind: type[StrEnum], name: str = "state") -> Enum:
    """A state as text with a CHECK, so that the database refuses a word that is not in the table of states."""
    return Enum(
        kind,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        create_constraint=True,
        length=20,
        name=name,
    )


def _partial_index(name: str, *columns: str, where: str, sqlite: str | None = None, unique: bool = False) -> Index:
    """An index of the rows for which `where` holds. SQLite uses it only where a statement says the same in the same
    words; `sqlite` are these, where they are others: it has no booleans.
    """
    return Index(name, *columns, unique=unique, sqlite_where=text(sqlite or where), postgresql_where=text(where))


def _address_columns(prefix: str) -> list[MappedColumn[str]]:
    """The columns of one Address, in the order of its fields."""
    lengths = {"full_name": 120, "line1": 200, "line2": 200, "city": 120, "region": 120, "postal_code": 20}
    lengths |= {"country": 2, "phone": 40}
    return [mapped_column(f"{prefix}_{field}", String(length)) for field, length in lengths.items()]


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: UtcDateTime, dict[str, Any]: JSON}


# Flask-SQLAlchemy keeps the engine and Flask-Migrate reads its metadata; the tables are plain declarative classes, so
# that they are typed, and usable from any thread without an application context.
db = SQLAlchemy(metadata=Base.metadata)


class Category(Base):
    """A part of the catalogue. `slug` is its name in an address."""

    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    position: Mapped[int]


class Product(Base):
    """Something to sell. `reserved` pieces of `stock` belong to orders that are not paid yet. What is not `shippable`
    is sent by e-mail. What is `hidden` is shown to nobody and goes into no cart; who has it in one may order it.

    `pictures` were uploaded. Without one, `image` is shown: a drawing, by its name in `static/`, with `alt` in words.
    """

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price_minor > 0", name="price_positive"),
        CheckConstraint("reserved >= 0 AND reserved <= stock", name="reserved_within_stock"),
        # The products of a category in the order in which they are shown.
        Index("ix_products_category", "category_id", "position", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    summary: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    image: Mapped[str] = mapped_column(String(200))
    alt: Mapped[str] = mapped_column(String(300))
    pictures: Mapped[Pictures] = mapped_column(PictureList, default=(), server_default=text("'[]'"))
    price_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    stock: Mapped[int]
    reserved: Mapped[int] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(index=True)
    weight_grams: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    shippable: Mapped[bool] = mapped_column(default=True, server_default=true())
    hidden: Mapped[bool] = mapped_column(default=False, server_default=false())
    tax_class: Mapped[TaxClass] = mapped_column(
        _states(TaxClass, "tax_class"), default=TaxClass.STANDARD, server_default="standard"
    )

    category: Mapped[Category | None] = relationship()

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)

    @property
    def available(self) -> int:
        return self.stock - self.reserved

    @property
    def is_drawn(self) -> bool:
        """Whether what is shown of it is a drawing of `static/`."""
        return not self.pictures and self.image != NO_PICTURE

    @property
    def thumbnail(self) -> str:
        """What is shown of it where there is little room: a file of its first picture, or its drawing."""
        return thumbnail(self.pictures, self.image)


class PictureFile(Base):
    """A file of a product's picture. Its name is that of its content, so it never changes; products may share one."""

    __tablename__ = "picture_files"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), primary_key=True, index=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class ProductWord(Base):
    """A word by which a product is found, in the form in which `store/domain/search.py` compares words."""

    __tablename__ = "product_words"

    # Compared by its code points in PostgreSQL as in SQLite, so that the words of one beginning are one range.
    word: Mapped[str] = mapped_column(
        String(40).with_variant(String(40, collation="C"), "postgresql"), primary_key=True
    )
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), primary_key=True, index=True)


class Cart(Base):
    __tablename__ = "carts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ShippingZone(Base):
    """Places that cost the same to send things to."""

    __tablename__ = "shipping_zones"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)


class ShippingZonePlace(Base):
    """A country of a zone, or one region of it; `*` is every country that no other zone has. A place has one zone."""

    __tablename__ = "shipping_zone_places"

    country: Mapped[str] = mapped_column(String(2), primary_key=True)
    region: Mapped[str] = mapped_column(String(20), primary_key=True, default="")
    zone_id: Mapped[int] = mapped_column(ForeignKey("shipping_zones.id", ondelete="CASCADE"), index=True)


class ShippingZoneMethod(Base):
    """One way to send things to a zone. `code` names it for programs: the same way has the same code in every zone."""

    __tablename__ = "shipping_zone_methods"
    __table_args__ = (
        CheckConstraint("free_from_minor > 0", name="free_from_positive"),
        UniqueConstraint("zone_id", "code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("shipping_zones.id", ondelete="CASCADE"))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(60))
    estimate: Mapped[str] = mapped_column(String(50), default="")
    position: Mapped[int]
    basis: Mapped[Basis] = mapped_column(_states(Basis, "basis"), default=Basis.VALUE)
    currency: Mapped[str] = mapped_column(String(3))
    free_from_minor: Mapped[int | None] = mapped_column(BigInteger)
    active: Mapped[bool] = mapped_column(default=True)

    prices: Mapped[list[ShippingPrice]] = relationship(order_by="ShippingPrice.measure", cascade="all, delete-orphan")


class ShippingPrice(Base):
    """What a method costs from so many minor units of value, or grams, on, up to the next row."""

    __tablename__ = "shipping_prices"
    __table_args__ = (CheckConstraint("measure >= 0 AND price_minor >= 0", name="not_negative"),)

    method_id: Mapped[int] = mapped_column(ForeignKey("shipping_zone_methods.id", ondelete="CASCADE"), primary_key=True)
    measure: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    price_minor: Mapped[int] = mapped_column(BigInteger)


class TaxRateRow(Base):
    """A tax of a country, or of one of its regions, on one class of things: see `TaxRate`. Several rows of one place
    and class all apply.
    """

    __tablename__ = "tax_rates"
    __table_args__ = (
        CheckConstraint("thousandths BETWEEN 0 AND 100000", name="thousandths_range"),
        UniqueConstraint("country", "region", "tax_class", "name"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    country: Mapped[str] = mapped_column(String(2))
    region: Mapped[str] = mapped_column(String(20), default="")
    tax_class: Mapped[TaxClass] = mapped_column(_states(TaxClass, "tax_class"), default=TaxClass.STANDARD)
    name: Mapped[str] = mapped_column(String(40))
    thousandths: Mapped[int]
    included: Mapped[bool]
    reverse_charge: Mapped[bool] = mapped_column(default=False)


class CouponRow(Base):
    """A code and what it is good for: see `Coupon`. `used` counts the orders that have a use of it."""

    __tablename__ = "coupons"
    __table_args__ = (
        CheckConstraint("thousandths BETWEEN 0 AND 100000", name="thousandths_range"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("used >= 0 AND (max_uses IS NULL OR used <= max_uses)", name="used_within_uses"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[CouponKind] = mapped_column(_states(CouponKind, "kind"))
    thousandths: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    minimum_minor: Mapped[int | None] = mapped_column(BigInteger)
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    once_per_customer: Mapped[bool] = mapped_column(default=False)
    max_uses: Mapped[int | None]
    used: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)


class CartLine(Base):
    __tablename__ = "cart_lines"
    __table_args__ = (CheckConstraint("quantity BETWEEN 1 AND 99", name="quantity_range"),)

    cart_id: Mapped[str] = mapped_column(ForeignKey("carts.id", ondelete="CASCADE"), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    quantity: Mapped[int]
    added_at: Mapped[datetime]


class Review(Base):
    """A reason for a person to look at an order. `subject` is the id of the payment, refund or dispute it is about, or
    empty. It is open until somebody resolves it, with a note.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        _partial_index("uq_reviews_open", "order_id", "reason", "subject", where="resolved_at IS NULL", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    reason: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(255), default="")
    data: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None] = mapped_column(String(80))
    note: Mapped[str | None] = mapped_column(String(500))


class Order(Base):
    """A priced agreement with a customer, its prices copied. An open order keeps its stock until `expires_at`, and as
    long as it has its stock it has a use of its coupon; `coupon_customer` names the customer where each has one only.

    `authorised_at`: since then its card is authorised for its total. While such an order waits for its payment, no card
    can be tried on it any more: it waits for the store to ship it, and to capture the money.

    `closed_because` says why it was closed, while it is. `payment` is the live payment, the one it counts on.
    """

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("total_minor >= 0", name="total_not_negative"),
        # One open order for each cart, however often "Continue to payment" is pressed.
        _partial_index(
            "uq_orders_open_cart", "cart_id", where="state = 'awaiting_payment' AND authorised_at IS NULL", unique=True
        ),
        # What the staff has to ship before the authorisation ends.
        _partial_index("ix_orders_authorised", "id", where="state = 'awaiting_payment' AND authorised_at IS NOT NULL"),
        # What the audit adds up for the coupons, and one use of one for each customer.
        _partial_index("ix_orders_coupon", "coupon_id", where="coupon_id IS NOT NULL"),
        _partial_index(
            "uq_orders_coupon_customer",
            "coupon_id",
            "coupon_customer",
            where="coupon_customer IS NOT NULL AND reservation <> 'released'",
            unique=True,
        ),
        # What the worker asks for: open orders by their expiry. It has a row for each open order only.
        _partial_index("ix_orders_open_expiry", "expires_at", where="state = 'awaiting_payment'"),
        # What counts the declines of a network address and of an e-mail address: few orders have any, however many an
        # address has placed. And what the worker asks for: digests that are to be forgotten after two hours.
        _partial_index("ix_orders_declined_address", "address_digest", where="declined_at IS NOT NULL"),
        _partial_index("ix_orders_declined_email", "email_digest", where="declined_at IS NOT NULL"),
        _partial_index(
            "ix_orders_digests", "placed_at", where="address_digest IS NOT NULL OR email_digest IS NOT NULL"
        ),
        # What the audit adds up for the products: whose stock is reserved.
        _partial_index("ix_orders_reserved", "id", where="reservation = 'reserved'"),
        # What the worker asks for: orders of which the tax service does not know yet what it should.
        _partial_index(
            "ix_orders_tax_due",
            "id",
            where="tax_calculation IS NOT NULL AND paid_at IS NOT NULL AND tax_recorded_at IS NULL",
        ),
        # A browser's orders, the newest first, page by page.
        Index("ix_orders_browser", "browser_id", "id"),
        Index("ix_orders_placed_at", "placed_at"),
        # What the staff lists: the orders in a state, the newest first.
        Index("ix_orders_state", "state", "id"),
        # The same by their totals.
        Index("ix_orders_total", "state", "total_minor", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(24), unique=True)
    state: Mapped[OrderState] = mapped_column(_states(OrderState), default=OrderState.AWAITING_PAYMENT)
    closed_because: Mapped[str | None] = mapped_column(String(20))
    reservation: Mapped[ReservationState] = mapped_column(
        _states(ReservationState, "reservation"), default=ReservationState.RESERVED
    )
    disputed: Mapped[bool] = mapped_column(default=False)
    cart_id: Mapped[str] = mapped_column(String(32))
    browser_id: Mapped[str] = mapped_column(String(32))
    address_digest: Mapped[str | None] = mapped_column(String(32))
    email_digest: Mapped[str | None] = mapped_column(String(32))
    fingerprint: Mapped[str] = mapped_column(String(64))
    currency: Mapped[str] = mapped_column(String(3))
    total_minor: Mapped[int] = mapped_column(BigInteger)
    email: Mapped[str] = mapped_column(String(254))
    shipping: Mapped[Address] = composite(*_address_columns("shipping"))
    billing: Mapped[Address] = composite(*_address_columns("billing"))
    tax_id: Mapped[str | None] = mapped_column(String(20))
    # The calculation that its taxes are from, and since when what is recorded of them is what it should be: see
    # TaxTransaction. Both are empty where they went by the store's own rates.
    tax_calculation: Mapped[str | None] = mapped_column(String(255))
    tax_recorded_at: Mapped[datetime | None]
    coupon_id: Mapped[int | None]
    coupon_customer: Mapped[str | None] = mapped_column(String(254))
    placed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    extensions: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]  # when a card was declined last
    authorised_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]  # when something of it was sent last
    fulfilled_at: Mapped[datetime | None]
    # Whether a person must look at it: read with the order, in the same statement.
    needs_review: Mapped[bool] = column_property(
        exists().where(Review.order_id == id, Review.resolved_at.is_(None)).correlate_except(Review)  # noqa: A003
    )

    # How many pieces are in its cart by now; read where a page asks for it.
    in_cart: Mapped[int] = column_property(
        select(func.coalesce(func.sum(CartLine.quantity), 0))
        .where(CartLine.cart_id == cart_id)
        .correlate_except(CartLine)
        .scalar_subquery(),
        deferred=True,
    )

    lines: Mapped[list[OrderLine]] = relationship(order_by="OrderLine.position", viewonly=True)
    adjustments: Mapped[list[OrderAdjustment]] = relationship(order_by="OrderAdjustment.position", viewonly=True)
    payments: Mapped[list[Payment]] = relationship(order_by="Payment.id", viewonly=True)
    payment: Mapped[Payment] = relationship(
        primaryjoin="and_(Order.id == Payment.order_id, Payment.live)", viewonly=True, uselist=False
    )
    history: Mapped[list[HistoryEntry]] = relationship(order_by="HistoryEntry.id", viewonly=True)
    reviews: Mapped[list[Review]] = relationship(order_by="Review.id", viewonly=True)
    shipments: Mapped[list[Shipment]] = relationship(order_by="Shipment.number", viewonly=True)

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)

    @property
    def is_authorised(self) -> bool:
        """Whether its card is authorised and nothing was charged yet."""
        return self.state is OrderState.AWAITING_PAYMENT and self.authorised_at is not None

    @property
    def is_shipped(self) -> bool:
        """Whether it goes to an address; an order of nothing but e-books, say, has none to go to."""
        return bool(self.shipping.country)

    @property
    def addressee(self) -> str:
        """Who is spoken to in its mails: whoever gets it, or else who pays."""
        return self.shipping.full_name or self.billing.full_name

    @property
    def quote(self) -> Quote:
        """Its price, from its lines and adjustments."""
        lines = tuple(QuoteLine(line.product_id, line.unit_price, line.quantity) for line in self.lines)
        adjustments = tuple(each.adjustment for each in self.adjustments)
        return Quote(self.currency, lines, adjustments)

    @validates("state")
    def _state_is_a_transition(self, key: str, value: OrderState) -> OrderState:
        return _only_when_created(self, key, value)


class OrderKey(Base):
    """Something by which the staff finds an order: a name, `@` and an e-mail address, `#` and a reference. See
    `store/services/orders/search.py`. The order's id is kept with a minus, so that the newest of one key come first in
    the index, as they are listed.
    """

    __tablename__ = "order_keys"

    # Compared by its code points in PostgreSQL as in SQLite, so that the keys of one beginning are one range.
    key: Mapped[str] = mapped_column(
        String(120).with_variant(String(120, collation="C"), "postgresql"), primary_key=True
    )
    minus_order_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class OrderKeyMark(Base):
    """Up to which order `order_keys` are written. One row, or none before the first."""

    __tablename__ = "order_key_marks"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    order_id: Mapped[int]


class OrderLine(Base):
    """What was ordered, at the name and price it had then, and what became of its pieces.

    `shipped` of them were sent. `refunded_unsent` were refunded, or never charged, before they were sent, so that they
    are not to be sent any more; `refunded_sent` are those of the shipped ones that were refunded. A refund counts from
    when it is requested, unless the payment service does not accept it. `restocked` of these are for sale again.
    """

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity BETWEEN 1 AND 99", name="quantity_range"),
        CheckConstraint("unit_price_minor > 0", name="unit_price_positive"),
        CheckConstraint(
            "shipped >= 0 AND refunded_unsent >= 0 AND shipped + refunded_unsent <= quantity", name="sent_or_refunded"
        ),
        CheckConstraint("refunded_sent BETWEEN 0 AND shipped", name="refunded_sent_within_shipped"),
        CheckConstraint("restocked BETWEEN 0 AND refunded_unsent + refunded_sent", name="restocked_within_refunded"),
    )

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    position: Mapped[int]
    slug: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(120))
    image: Mapped[str] = mapped_column(String(200))
    currency: Mapped[str] = mapped_column(String(3))
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[int]
    shipped: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    refunded_unsent: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    refunded_sent: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    restocked: Mapped[int] = mapped_column(default=0, server_default=text("0"))

    @hybrid_property
    def to_ship(self) -> int:
        """How many pieces are still to be sent, once the order is paid."""
        return self.quantity - self.shipped - self.refunded_unsent

    @property
    def unit_price(self) -> Money:
        return Money(self.unit_price_minor, self.currency)

    @property
    def total(self) -> Money:
        return self.unit_price * self.quantity


class OrderAdjustment(Base):
    """What an order costs beside its lines, as it was quoted: shipping, a discount (negative), a tax. A tax that the
    prices include adds nothing; `contained_minor` is how much of the total it is. `base_minor` is what a tax was
    computed on, without taxes; `shares` are those of a tax that fall on the lines, in their order: the rest of it is on
    the shipping. Both are empty in orders from before they were kept.
    """

    __tablename__ = "order_adjustments"

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[AdjustmentKind] = mapped_column(_states(AdjustmentKind, "kind"))
    label: Mapped[str] = mapped_column(String(120))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    contained_minor: Mapped[int | None] = mapped_column(BigInteger)
    base_minor: Mapped[int | None] = mapped_column(BigInteger)
    shares: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True))

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def contained(self) -> Money | None:
        return Money(self.contained_minor, self.currency) if self.contained_minor is not None else None

    @property
    def base(self) -> Money | None:
        return Money(self.base_minor, self.currency) if self.base_minor is not None else None

    @property
    def adjustment(self) -> Adjustment:
        """The same as a part of a quote."""
        shares = tuple(Money(share, self.currency) for share in self.shares) if self.shares is not None else None
        return Adjustment(self.kind, self.label, self.amount, self.contained, self.base, shares)


class Shipment(Base):
    """What of an order was sent at one time: all of it, or a part. The first one of an order is number 1; `actor` is
    the member of the staff who sent it, where one is known.
    """

    __tablename__ = "shipments"
    __table_args__ = (CheckConstraint("number > 0", name="number_positive"), UniqueConstraint("order_id", "number"))

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    number: Mapped[int]
    shipped_at: Mapped[datetime]
    carrier: Mapped[str | None] = mapped_column(String(60))
    tracking: Mapped[str | None] = mapped_column(String(120))
    actor: Mapped[str | None] = mapped_column(String(80))

    lines: Mapped[list[ShipmentLine]] = relationship(order_by="ShipmentLine.product_id", viewonly=True)

    @property
    def how(self) -> str:
        """The carrier and its number or address, as far as they are known."""
        return " ".join(part for part in (self.carrier, self.tracking) if part)


class ShipmentLine(Base):
    """How many pieces of a line were in a shipment."""

    __tablename__ = "shipment_lines"
    __table_args__ = (
        ForeignKeyConstraint(["order_id", "product_id"], ["order_lines.order_id", "order_lines.product_id"]),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        Index("ix_shipment_lines_order_id", "order_id"),
    )

    shipment_id: Mapped[int] = mapped_column(ForeignKey("shipments.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    order_id: Mapped[int]
    quantity: Mapped[int]

    line: Mapped[OrderLine] = relationship(viewonly=True)


class Payment(Base):
    """A fact about money, as the payment service last described it. An order has several over time, and one live one.

    `provider_payment_id` is the service's id of it, `provider_page_id` that of the hosted page on which it is made;
    until there is one, `create_attempt` counts the requests that the service failed on. A hosted page is open until
    `page_expires_at`; `cancel_reason` is why the store has begun to end it before. `replaces_id` is the payment on
    which the order counted before this one, which has to end first. `refund_due`: it was received, and is to be
    returned whole.

    One that is authorised can be captured until `capture_before`. `capture_minor` is how much of it the store has asked
    for, at `capture_requested_at`, or was captured; `capture_attempt` counts the requests that came to nothing.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("received_minor >= 0", name="received_not_negative"),
        CheckConstraint("refunded_minor >= 0 AND refunded_minor <= received_minor", name="refunded_within_received"),
        CheckConstraint("state NOT IN ('paid', 'refunded') OR received_minor > 0", name="paid_means_received"),
        CheckConstraint("capture_minor > 0 AND capture_minor <= amount_minor", name="capture_within_amount"),
        _partial_index("uq_payments_live", "order_id", where="live", unique=True),
        # Orders by the last digits of their card, the newest first.
        _partial_index("ix_payments_card", "card_last4", "order_id", where="card_last4 IS NOT NULL"),
        # Payments by the account that they are recorded with, to find those of another one.
        _partial_index("ix_payments_account", "account", where="account <> ''"),
        # What the worker asks for, each a few rows however many payments there are.
        _partial_index("ix_payments_refund_due", "order_id", where="refund_due", sqlite="refund_due = 1"),
        _partial_index("ix_payments_authorised", "order_id", where="state = 'authorised'"),
        _partial_index(
            "ix_payments_leftover",
            "order_id",
            where="NOT live AND state NOT IN ('paid', 'cancelled', 'refunded')",
            sqlite="live = 0 AND state NOT IN ('paid', 'cancelled', 'refunded')",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    kind: Mapped[PaymentKind] = mapped_column(_states(PaymentKind, "kind"), default=PaymentKind.CARD)
    live: Mapped[bool] = mapped_column(default=True)
    state: Mapped[PaymentState] = mapped_column(_states(PaymentState), default=PaymentState.UNOPENED)
    provider_payment_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    provider_page_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    page_expires_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(20))
    replaces_id: Mapped[int | None]
    account: Mapped[str] = mapped_column(String(80), default="")
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    received_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    refund_due: Mapped[bool] = mapped_column(default=False)
    declines: Mapped[int] = mapped_column(default=0)
    last_decline: Mapped[str | None] = mapped_column(String(80))
    capture_before: Mapped[datetime | None]
    capture_minor: Mapped[int | None] = mapped_column(BigInteger)
    capture_requested_at: Mapped[datetime | None]
    capture_attempt: Mapped[int] = mapped_column(default=1)
    card_brand: Mapped[str | None] = mapped_column(String(40))
    card_last4: Mapped[str | None] = mapped_column(String(4))
    create_attempt: Mapped[int] = mapped_column(default=1)
    awaited_since: Mapped[datetime | None]
    looked_up_at: Mapped[datetime | None]
    observed_at: Mapped[datetime | None]

    @property
    def is_opened(self) -> bool:
        """Whether the payment service knows of it, as far as is known here."""
        return self.provider_payment_id is not None or self.provider_page_id is not None

    @validates("state")
    def _state_is_a_transition(self, key: str, value: PaymentState) -> PaymentState:
        return _only_when_created(self, key, value)


class Refund(Base):
    """Money on its way back: requested by the store (`key` is its name for it, `attempt` the number of the request,
    `reason` what the payment service is told about it) or made elsewhere. `accepted_at` is when the payment service is
    known to have taken it on; it can fail afterwards.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        _partial_index("ix_refunds_requested", "requested_at", where="state = 'requested'"),
        _partial_index("ix_refunds_pending", "payment_id", where="state = 'pending'"),
        Index("ix_refunds_requested_at", "requested_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), index=True)
    state: Mapped[RefundState] = mapped_column(_states(RefundState))
    provider_refund_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    key: Mapped[str | None] = mapped_column(String(255), unique=True)
    attempt: Mapped[int] = mapped_column(default=1)
    reason: Mapped[str | None] = mapped_column(String(20))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    requested_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]

    payment: Mapped[Payment] = relationship(viewonly=True)
    lines: Mapped[list[RefundLine]] = relationship(order_by="RefundLine.id", viewonly=True)

    @validates("state")
    def _state_is_a_transition(self, key: str, value: RefundState) -> RefundState:
        return _only_when_created(self, key, value)


class RefundLine(Base):
    """What of an order a refund is for: pieces of a line, or the shipping where `product_id` is empty. A refund of
    nothing but an amount has none. `refund_id` is empty where nothing was charged, so that nothing is returned.

    `sent`: they had been shipped. `restock`: they are for sale again once the refund is accepted. `tax_minor` is the
    tax on top of prices that is in the amount, `contained_minor` the tax that the price includes.
    """

    __tablename__ = "refund_lines"
    __table_args__ = (
        ForeignKeyConstraint(["order_id", "product_id"], ["order_lines.order_id", "order_lines.product_id"]),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
        UniqueConstraint("refund_id", "product_id", "sent"),
        Index("ix_refund_lines_order_id", "order_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refunds.id"))
    order_id: Mapped[int]
    product_id: Mapped[int | None]
    sent: Mapped[bool]
    quantity: Mapped[int]
    restock: Mapped[bool]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    tax_minor: Mapped[int] = mapped_column(BigInteger)
    contained_minor: Mapped[int] = mapped_column(BigInteger)

    line: Mapped[OrderLine | None] = relationship(viewonly=True)


class TaxTransaction(Base):
    """What the tax service has recorded of an order, or was asked to: the sale, what of it was refunded, and what of
    that came back. `amount_minor`, taxes included, is added up. `key` is the store's name for it; `refused` means that
    the service will not record it.
    """

    __tablename__ = "tax_transactions"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("tax_transactions.id"))
    key: Mapped[str] = mapped_column(String(80), unique=True)
    attempt: Mapped[int] = mapped_column(default=1)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    provider_transaction_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    refused: Mapped[bool] = mapped_column(default=False)
    requested_at: Mapped[datetime]


class Document(Base):
    """An invoice, or a credit note about a refund. Each kind is numbered from 1 without gaps, and what was issued is
    never changed: `content` has copies of all that it says. `cancels_id` is the credit note that this one takes back,
    because its refund failed after all; its `total_minor` is negative.
    """

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("kind", "number"),
        CheckConstraint("number > 0", name="number_positive"),
        CheckConstraint("(kind = 'invoice') = (refund_id IS NULL)", name="refund_of_credit_note"),
        CheckConstraint("(cancels_id IS NOT NULL) = (total_minor < 0)", name="cancellation_negative"),
        Index("ix_documents_order", "order_id", "id"),
        _partial_index("uq_documents_invoice", "order_id", where="kind = 'invoice'", unique=True),
        _partial_index(
            "uq_documents_refund",
            "refund_id",
            where="refund_id IS NOT NULL AND cancels_id IS NULL",
            unique=True,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[DocumentKind] = mapped_column(_states(DocumentKind, "kind"))
    number: Mapped[int]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refunds.id"))
    cancels_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id"), unique=True)
    issued_at: Mapped[datetime]
    currency: Mapped[str] = mapped_column(String(3))
    total_minor: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[dict[str, Any]]

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)

    @property
    def name(self) -> str:
        """What it is called, such as `INV-000001`."""
        return document_name(self.kind, self.number)


@event.listens_for(Document, "before_update")
@event.listens_for(Document, "before_delete")
def _is_never_changed(_mapper: object, _connection: object, document: Document) -> None:
    """Triggers of the database refuse it, too, whoever asks."""
    raise AttributeError(f"{document.name} was issued: it is corrected by another document, not changed")


class DocumentSeries(Base):
    """The last number of a kind of document. It is locked while the next one is issued, so a transaction that fails
    leaves no gap.
    """

    __tablename__ = "document_series"

    kind: Mapped[DocumentKind] = mapped_column(_states(DocumentKind, "kind"), primary_key=True)
    last_number: Mapped[int]


class HistoryMark:
    """How far a reader has gone through the history: up to `read_id`. Next is what comes up to `noted_id`, once every
    transaction below the number `noted_in` has ended. One row, or none before the first.
    """

    @declared_attr.directive
    def __table_args__(cls) -> tuple[CheckConstraint]:  # noqa: N805
        return (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    read_id: Mapped[int] = mapped_column(BigInteger)
    noted_id: Mapped[int] = mapped_column(BigInteger)
    noted_in: Mapped[int] = mapped_column(BigInteger)


class DocumentMark(HistoryMark, Base):
    """The mark of what issues documents. `since` is when that began."""

    __tablename__ = "document_marks"

    since: Mapped[datetime]


class BalanceEntry(Base):
    """Something that changed the balance at the payment service, as it described it: a sale less its fee, a refund, a
    dispute, a payout. It belongs to the payment with its `provider_payment_id`, if the store has that. Amounts are in
    the currency of the balance; `source` is the service's id of what it is about.
    """

    __tablename__ = "balance_entries"
    __table_args__ = (
        CheckConstraint("net_minor = amount_minor - fee_minor", name="net_adds_up"),
        # What is added up for days and months, so that no entry itself is read for it.
        Index(
            "ix_balance_entries_day",
            *("account", "currency", "day", "kind", "amount_minor", "fee_minor", "net_minor"),
        ),
        Index("ix_balance_entries_at", "account", "at", "provider_entry_id"),
        _partial_index("ix_balance_entries_payment", "provider_payment_id", where="provider_payment_id IS NOT NULL"),
    )

    provider_entry_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    account: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
    day: Mapped[date]
    available_at: Mapped[datetime]
    kind: Mapped[EntryKind] = mapped_column(_states(EntryKind, "kind"))
    category: Mapped[str] = mapped_column(String(80))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    net_minor: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str | None] = mapped_column(String(255))
    provider_payment_id: Mapped[str | None] = mapped_column(String(255))

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def fee(self) -> Money:
        return Money(self.fee_minor, self.currency)

    @property
    def net(self) -> Money:
        return Money(self.net_minor, self.currency)


class BalanceMark(Base):
    """How far the entries of an account's balance are collected: what was created before `collected_until` is here. A
    run that is not over began at `began_at`, and its last page ended with `last_entry`.
    """

    __tablename__ = "balance_marks"

    account: Mapped[str] = mapped_column(String(80), primary_key=True)
    collected_until: Mapped[datetime | None]
    began_at: Mapped[datetime | None]
    last_entry: Mapped[str | None] = mapped_column(String(255))


class Dispute(Base):
    """A cardholder's bank questions a payment, or has taken it back."""

    __tablename__ = "disputes"
    __table_args__ = (
        _partial_index(
            "ix_disputes_undecided", "payment_id", where="state IN ('inquiry', 'needs_response', 'under_review')"
        ),
        Index("ix_disputes_opened_at", "opened_at"),
    )

    provider_dispute_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), index=True)
    state: Mapped[DisputeState] = mapped_column(_states(DisputeState))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    opened_at: Mapped[datetime]
    due_by: Mapped[datetime | None]  # until when the merchant can answer

    payment: Mapped[Payment] = relationship(viewonly=True)

    @validates("state")
    def _state_is_a_transition(self, key: str, value: DisputeState) -> DisputeState:
        return _only_when_created(self, key, value)


class DisputeFile(Base):
    """A file that goes with the answer to a dispute. The payment service has it; this is its name there, and how many
    bytes it has.
    """

    __tablename__ = "dispute_files"
    __table_args__ = (CheckConstraint("size > 0", name="size_positive"),)

    provider_dispute_id: Mapped[str] = mapped_column(ForeignKey("disputes.provider_dispute_id"), primary_key=True)
    kind: Mapped[EvidenceKind] = mapped_column(_states(EvidenceKind, "kind"), primary_key=True)
    provider_file_id: Mapped[str] = mapped_column(String(255))
    size: Mapped[int]
    added_at: Mapped[datetime]


class UnmatchedEvent(Base):
    """What a webhook said of a refund or a dispute before its payment was known here. Kept until the payment is, or for
    so long that it must be another program's.
    """

    __tablename__ = "unmatched_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_payment_id: Mapped[str] = mapped_column(String(255), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    data: Mapped[dict[str, Any]]
    received_at: Mapped[datetime] = mapped_column(index=True)


class Mail(Base):
    """An e-mail that a transaction decided to send; the worker sends it. `dedupe_key` keeps one event from two
    e-mails. It is done with once it is sent, dropped (`dropped_because` it was not true any more), or failed (the mail
    server refused it for good).
    """

    __tablename__ = "mails"
    __table_args__ = (
        UniqueConstraint("order_id", "dedupe_key"),
        _partial_index(
            "ix_mails_to_send",
            "due_at",
            "id",
            where="sent_at IS NULL AND failed_at IS NULL AND dropped_because IS NULL",
        ),
        _partial_index("ix_mails_failed", "failed_at", where="failed_at IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    kind: Mapped[str] = mapped_column(String(40))
    dedupe_key: Mapped[str] = mapped_column(String(300))
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    data: Mapped[dict[str, Any]]
    written_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    dropped_because: Mapped[str | None] = mapped_column(String(40))
    attempts: Mapped[int] = mapped_column(default=0)


class HistoryEntry(Base):
    """One event in the life of an order. `dedupe_key` names an event that is reported more than once; `actor` is the
    person behind `source`, where one is known.
    """

    __tablename__ = "history"
    __table_args__ = (UniqueConstraint("order_id", "dedupe_key"), Index("ix_history_at", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    at: Mapped[datetime]
    type: Mapped[str] = mapped_column(String(40))
    from_state: Mapped[str | None] = mapped_column(String(20))
    to_state: Mapped[str | None] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str | None] = mapped_column(String(80))
    data: Mapped[dict[str, Any]]
    dedupe_key: Mapped[str | None] = mapped_column(String(300))


class InboxEvent(Base):
    """A webhook that was remembered: handled once `handled_at` is set, else `last_error` says why it was not. `about`
    is the payment service's id of the payment, or the hosted page, that it is about.
    """

    __tablename__ = "webhook_events"
    __table_args__ = (
        _partial_index("ix_webhook_events_unhandled", "received_at", where="handled_at IS NULL"),
        # What the staff lists, the newest first.
        Index("ix_webhook_events_received_at", "received_at", "id"),
        # What came about an order.
        Index("ix_webhook_events_about", "about"),
    )

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    type: Mapped[str] = mapped_column(String(120))
    received_at: Mapped[datetime]
    deliveries: Mapped[int] = mapped_column(default=1)
    handled_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(20))
    last_error: Mapped[str | None] = mapped_column(Text)
    about: Mapped[str | None] = mapped_column(String(255))


class StaffMember(Base):
    """Somebody who works in the shop. The columns that Flask-Security reads are named as it names them.

    `fs_uniquifier` stands in the cookies of whoever is signed in; another one ends them all. `tf_totp_secret` is an
    authenticator's, encrypted, and `totp_counter` the last of its half minutes whose code was taken, so that none is
    taken twice. `failures` are the wrong passwords and codes since the last right ones. `local`: made by `make run` for
    the shop on this machine, and no account while real money moves.
    """

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(LONGEST_EMAIL), unique=True)
    role: Mapped[Role] = mapped_column(_states(Role, "role"))
    password: Mapped[str] = mapped_column(String(200))
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True, default=lambda: uuid4().hex)
    fs_webauthn_user_handle: Mapped[str | None] = mapped_column(String(64), unique=True)
    tf_primary_method: Mapped[str | None] = mapped_column(String(20))
    tf_totp_secret: Mapped[str | None] = mapped_column(Text)
    totp_counter: Mapped[int | None] = mapped_column(BigInteger)
    mf_recovery_codes: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    local: Mapped[bool] = mapped_column(default=False)
    added_at: Mapped[datetime]

    webauthn: Mapped[list[StaffPasskey]] = relationship(
        order_by="StaffPasskey.id", lazy="selectin", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def second_factors(self) -> list[str]:
        """What is asked for after the password."""
        code = ["code"] if self.tf_totp_secret and self.tf_primary_method else []
        return [*code, "passkey"] if self.webauthn else code


class StaffPasskey(Base):
    """A passkey of a member of staff, with what Flask-Security keeps of it."""

    __tablename__ = "staff_passkeys"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    extensions: Mapped[str | None] = mapped_column(Text)
    device_type: Mapped[str] = mapped_column(String(40))
    backup_state: Mapped[bool]
    usage: Mapped[str] = mapped_column(String(20))
    lastuse_datetime: Mapped[datetime]

    def get_user_mapping(self) -> dict[str, Any]:
        """By what Flask-Security finds whose it is."""
        return {"id": self.staff_id}


class StaffLogEntry(Base):
    """Something that a member of staff did. It outlives their account, so it names them by their address."""

    __tablename__ = "staff_log"
    # What somebody did, the newest first.
    __table_args__ = (Index("ix_staff_log_actor", "actor", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(LONGEST_EMAIL))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(80))
    data: Mapped[dict[str, Any]]


class ApiKey(Base):
    """A key with which another program asks for orders and stock: see `store/domain/api_keys.py`. `prefix` tells it
    from others; of the whole only a digest is kept. A revoked one stays, for the history names it.
    """

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME), unique=True)
    prefix: Mapped[str] = mapped_column(String(20), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(LONGEST_EMAIL))
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(LONGEST_EMAIL))


class ApiRequest(Base):
    """A program's request to change something, by the idempotency key that it came with. `fingerprint` stands for what
    was asked, `name` is the store's own name for what is done for it. It is worked on until `claimed_until`, and done
    with once it has its `status` and `answer`.
    """

    __tablename__ = "api_requests"
    __table_args__ = (UniqueConstraint("api_key_id", "idempotency_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    api_key_id: Mapped[int] = mapped_column(ForeignKey("api_keys.id"))
    idempotency_key: Mapped[str] = mapped_column(String(255))
    fingerprint: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(32), unique=True)
    began_at: Mapped[datetime] = mapped_column(index=True)
    claimed_until: Mapped[datetime | None]
    status: Mapped[int | None]
    answer: Mapped[str | None] = mapped_column(Text)


class Endpoint(Base):
    """An address of another program that is told of `facts`: see `store/services/notifications/`. What the history has
    after `after_id` is told. `secret` signs, and until `earlier_until` `earlier_secret` does, too; both are encrypted.
    It has taken nothing since `failing_since`; at `stopped_at` the store has stopped telling it.
    """

    __tablename__ = "endpoints"

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(String(LONGEST_URL), unique=True)
    facts: Mapped[list[str]] = mapped_column(JSON)
    active: Mapped[bool] = mapped_column(default=True)
    secret: Mapped[str] = mapped_column(Text)
    earlier_secret: Mapped[str | None] = mapped_column(Text)
    earlier_until: Mapped[datetime | None]
    after_id: Mapped[int]
    failing_since: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(LONGEST_EMAIL))


class Notification(Base):
    """What one endpoint is told of one entry of the history, under the same `message_id` however often it is sent. It
    is done with once it is delivered, or failed (the store has given up). `status` and `answer` are what the endpoint
    has answered last, or why it has not.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "history_id"),
        # What an endpoint was told, the newest first.
        Index("ix_notifications_endpoint", "endpoint_id", "id"),
        _partial_index("ix_notifications_to_send", "due_at", "id", where="delivered_at IS NULL AND failed_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(String(40), unique=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("endpoints.id", ondelete="CASCADE"))
    history_id: Mapped[int]
    fact: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(index=True)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    delivered_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    status: Mapped[int | None]
    answer: Mapped[str | None] = mapped_column(String(500))


class NotificationMark(HistoryMark, Base):
    """The mark of what tells the endpoints."""

    __tablename__ = "notification_marks"


class Heartbeat(Base):
    """When a program that runs beside the pages did its work last, by the program's name."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime]


class Reconciliation(Base):
    """How far the reconciliation on schedule has come: what happened before `compared_until` was compared, and what the
    last one left `unresolved`, findings as texts. One row, or none before the first.
    """

    __tablename__ = "reconciliations"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    compared_until: Mapped[datetime]
    unresolved: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))


def _only_when_created(row: Base, key: str, value: T) -> T:
    """Nobody sets a state: a row gets its first one when it is made, later ones are transitions."""
    if inspect(row).persistent:
        raise AttributeError(
            f"{type(row).__name__}.{key} is not set: record what happened, the table says what follows"
        )
    return value
