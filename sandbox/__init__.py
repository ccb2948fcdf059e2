"""A local Stripe test mode: the API, the browser library, 3-D Secure and signed webhooks, without an account or a network."""
