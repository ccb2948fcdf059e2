"""Orders: placed, looked up by whoever may see them, fulfilled, and reviewed by a person."""

from store.services.orders.access import STAFF, Access
from store.services.orders.fulfilment import fulfil
from store.services.orders.lookup import find, of_browser, peek
from store.services.orders.placement import ConflictingOrder, Customer, place

__all__ = ["STAFF", "Access", "ConflictingOrder", "Customer", "find", "fulfil", "of_browser", "peek", "place"]
