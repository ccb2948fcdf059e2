"""Orders: placed, looked up, and looked into by a person."""

from store.services.orders.orders import ConflictingOrder, find, of_browser, place, recipient_of

__all__ = ["ConflictingOrder", "find", "of_browser", "place", "recipient_of"]
