"""What the store says to a shopper: each state, each decline and each moment of an order has its words in one table."""
