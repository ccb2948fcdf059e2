"""What Stripe does: cards and their outcomes, the lives of its objects. Knows nothing of HTTP."""
