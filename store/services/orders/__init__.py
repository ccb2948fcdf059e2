"""Orders: placed, looked up by whoever may see them, fulfilled, and reviewed by a person."""

from store.services.orders.access import STAFF, Access
from store.services.orders.drafting import Draft
from store.services.orders.fulfilment import fulfil
from store.services.orders.lookup import complete, find, newest_of_browser, of_browser, peek
from store.services.orders.nothing_due import ordered_for_nothing
from store.services.orders.placement import ConflictingOrder, draft, place
from store.services.orders.terms import Customer, ShownPrice

__all__ = [
    "STAFF",
    "Access",
    "ConflictingOrder",
    "Customer",
    "Draft",
    "ShownPrice",
    "complete",
    "draft",
    "find",
    "fulfil",
    "newest_of_browser",
    "of_browser",
    "ordered_for_nothing",
    "peek",
    "place",
]
