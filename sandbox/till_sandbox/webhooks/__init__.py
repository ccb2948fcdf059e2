"""Sending events to webhook endpoints: signed, written down before they are sent, tried again until they are taken."""

from till_sandbox.webhooks.deliverer import Deliverer
from till_sandbox.webhooks.sending import Outgoing, Send, WebhookResponse, send_over_http

__all__ = ["Deliverer", "Outgoing", "Send", "WebhookResponse", "send_over_http"]
