"""What Stripe's own sample for Flask does with a webhook: verify it, print, answer. It stores nothing.

It follows docs.stripe.com/webhooks (quickstart for Python, Flask) in its steps; the words are our own.
"""

from __future__ import annotations

import os

import stripe
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

app = Flask(__name__)
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
    if event["type"] == "payment_intent.succeeded":
        print(f"Payment for {event['data']['object']['amount']} succeeded", flush=True)
    else:
        print(f"Unhandled event type {event['type']}", flush=True)
    return jsonify(success=True)
