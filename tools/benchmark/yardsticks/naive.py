"""A webhook handler as one writes it who begins: `construct_event`, Flask-SQLAlchemy's ORM, and four tables.

It is correct as far as it goes: an event counts once, the order is paid for its own amount, the pieces leave the stock,
and all of it commits at once. `python -m tools.benchmark.yardsticks.naive FIRST LAST` makes orders with these numbers.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

import stripe
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.schema import ForeignKey

from tools.benchmark.numbering import PRODUCTS, payment_id

PRODUCT_STOCK = 1_000_000


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)


class Product(db.Model):  # type: ignore[misc, name-defined]  # flask-sqlalchemy's Model is made at run time
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[int]
    stock: Mapped[int]


class Order(db.Model):  # type: ignore[misc, name-defined]
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")
    total: Mapped[int]
    quantity: Mapped[int]
    paid_at: Mapped[datetime | None]
    product_id: Mapped[int] = mapped_column(ForeignKey(Product.id))
    product: Mapped[Product] = relationship()


class Payment(db.Model):  # type: ignore[misc, name-defined]
    id: Mapped[int] = mapped_column(primary_key=True)
    intent: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(default="open")
    amount: Mapped[int]
    order_id: Mapped[int] = mapped_column(ForeignKey(Order.id), index=True)
    order: Mapped[Order] = relationship()


class Event(db.Model):  # type: ignore[misc, name-defined]
    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    received_at: Mapped[datetime]


app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg2:")
db.init_app(app)
SECRET = os.environ["STRIPE_WEBHOOK_SECRET"]


@app.get("/")
def ready() -> ResponseReturnValue:
    return "ok"


@app.post("/webhooks/stripe")
def webhook() -> ResponseReturnValue:
    try:
        event = stripe.Webhook.construct_event(request.data, request.headers["Stripe-Signature"], SECRET)
    except (ValueError, stripe.SignatureVerificationError):
        return jsonify(success=False), 400
    if db.session.get(Event, event["id"]) is not None:
        return jsonify(success=True)
    now = datetime.now(UTC).replace(tzinfo=None)
    db.session.add(Event(id=event["id"], type=event["type"], received_at=now))
    if event["type"] == "payment_intent.succeeded":
        intent = event["data"]["object"]
        payment = db.session.query(Payment).filter_by(intent=intent["id"]).with_for_update().one()
        if payment.state != "paid" and payment.amount == intent["amount_received"]:
            payment.state = "paid"
            payment.order.state = "paid"
            payment.order.paid_at = now
            payment.order.product.stock = Product.stock - payment.order.quantity
    try:
        db.session.commit()
    except IntegrityError:  # delivered twice at once, and the other one was first
        db.session.rollback()
    return jsonify(success=True)


def fill(first: int, last: int, amount: int) -> None:
    """Tables with an unpaid order for each number."""
    with app.app_context():
        db.create_all()
        if db.session.get(Product, PRODUCTS[0]) is None:
            db.session.add_all(
                Product(id=number, name=f"Product {number}", price=amount, stock=PRODUCT_STOCK) for number in PRODUCTS
            )
            db.session.commit()
        numbers = range(first, last + 1)
        db.session.bulk_insert_mappings(
            Order,
            [
                {
                    "id": number,
                    "email": "ada@example.com",
                    "state": "open",
                    "total": amount,
                    "quantity": 1,
                    "product_id": PRODUCTS[number % len(PRODUCTS)],
                }
                for number in numbers
            ],
        )
        db.session.bulk_insert_mappings(
            Payment,
            [
                {"id": number, "intent": payment_id(number), "state": "open", "amount": amount, "order_id": number}
                for number in numbers
            ],
        )
        db.session.commit()


if __name__ == "__main__":
    fill(*map(int, sys.argv[1:4]))
