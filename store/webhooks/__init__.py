"""What Stripe tells us: `inbox` remembers each event once, `handlers` says what it means for the store."""
