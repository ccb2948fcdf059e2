"""Flask, Flask-SQLAlchemy and Stripe's library, set up, and one page: what every such store has to load."""

from __future__ import annotations

import os

import stripe
from flask import Flask
from flask.typing import ResponseReturnValue
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import text

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg2:")
db = SQLAlchemy(app)
client = stripe.StripeClient("sk_test_benchmark")


@app.get("/")
def page() -> ResponseReturnValue:
    return f"{db.session.execute(text('SELECT count(*) FROM products')).scalar_one()} products"
