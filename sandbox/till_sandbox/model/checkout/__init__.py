"""Checkout Sessions: an order that Stripe's own page takes the money for."""
