"""What a shopper reads about a line of the cart."""

from __future__ import annotations

from store.services.carts import CartItem


def stock_warning(line: CartItem) -> str | None:
    """Why the line stops the checkout; None where it does not."""
    if line.orderable:
        return None
    if line.available <= 0:
        return "Sold out. Remove it to go on."
    return f"Only {line.available} left. Your cart asks for {line.quantity}."
