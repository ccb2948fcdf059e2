"""What an account sells, and what it adds to a price or takes off it."""
