"""The payment gateway at Stripe, and the only part of the store that knows Stripe: `adapter` makes the calls,
`transport` carries them, `mapping` reads what Stripe answers, `webhooks` what it sends.
"""

from store.gateway.stripe.adapter import HTTPClient, StripeGateway

__all__ = ["HTTPClient", "StripeGateway"]
