"""Stripe's HTTP API: how a request becomes an answer, and one module per resource under `resources/`."""
