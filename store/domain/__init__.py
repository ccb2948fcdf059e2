"""What needs nothing else: money, states, prices, errors. Pure Python: no Flask, no SQL, no Stripe."""
