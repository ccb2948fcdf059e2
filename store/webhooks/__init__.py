"""Webhooks of the payment service: `inbox` takes each event once, `handlers` says what it does in the store."""
