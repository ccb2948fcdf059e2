"""A shop that sends its customers to Stripe's page, in Flask: a button, the page, a way back, a webhook."""

from collections.abc import Mapping
from typing import Any

import stripe
from flask import Flask, jsonify, redirect, request
from flask.typing import ResponseReturnValue

PAGE = """<!doctype html><title>Tea shop</title>
<h1>Tea</h1>
<form action="/create-checkout-session" method="post">
  <input type="number" name="quantity" min="1" max="10" value="1">
  <button>Buy</button>
</form>"""


def create_app(environ: Mapping[str, str]) -> Flask:
    app = Flask(__name__)
    client = stripe.StripeClient(environ["STRIPE_SECRET_KEY"], base_addresses={"api": environ["STRIPE_API_BASE"]})
    domain, fulfilled = environ["DOMAIN"], list[str]()

    @app.get("/")
    def home() -> str:
        return PAGE

    @app.post("/create-checkout-session")
    def create_checkout_session() -> ResponseReturnValue:
        params: Any = {
            "mode": "payment",
            "success_url": f"{domain}/success?session_id={{CHECKOUT_SESSION_ID}}",
            "cancel_url": f"{domain}/",
            "line_items": [{"price": environ["PRICE"], "quantity": int(request.form["quantity"])}],
        }
        session = client.v1.checkout.sessions.create(params)
        return redirect(session.url or domain, code=303)

    @app.get("/success")
    def success() -> ResponseReturnValue:
        session = client.v1.checkout.sessions.retrieve(request.args["session_id"], {"expand": ["line_items"]})
        assert session.line_items is not None
        bought = [f"{item.quantity} {item.description}" for item in session.line_items.data]
        return jsonify(status=session.payment_status, total=session.amount_total, bought=bought)

    @app.post("/webhook")
    def webhook() -> ResponseReturnValue:
        try:
            event = client.construct_event(
                request.get_data(), request.headers["Stripe-Signature"], environ["STRIPE_WEBHOOK_SECRET"]
            )
        except (ValueError, stripe.SignatureVerificationError):
            return "", 400
        session: Any = event.data.object
        if event.type == "checkout.session.completed" and session.payment_status == "paid":
            fulfilled.append(session.id)
        return jsonify(fulfilled=fulfilled)

    return app
