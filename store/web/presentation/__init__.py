"""What the store says to a shopper: each state, decline, error and step of an order has its words in one table."""
