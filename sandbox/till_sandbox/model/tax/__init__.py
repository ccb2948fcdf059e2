"""Stripe Tax: settings and registrations, calculations, transactions and their reversals."""
