"""What the store knows by itself: money, states, prices, errors. Pure Python: no Flask, no SQL, no Stripe."""
