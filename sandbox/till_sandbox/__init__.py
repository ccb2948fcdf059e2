"""A local Stripe test mode: API, browser library, 3-D Secure and signed webhooks, without an account or a network."""
