"""Sending events to webhook endpoints: signed, written down before they are sent, tried again until they are taken."""

from till_sandbox.webhooks.deliverer import Deliverer
from till_sandbox.webhooks.sending import Answer, Outgoing, Send, send_over_http

__all__ = ["Answer", "Deliverer", "Outgoing", "Send", "send_over_http"]
