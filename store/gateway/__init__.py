"""The way out to whoever takes the money. `port` says what the store asks for; `stripe_gateway` asks Stripe."""
