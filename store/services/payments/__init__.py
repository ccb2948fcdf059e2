"""Payments: created, looked up, closed, and recorded in one place; their refunds and disputes."""

from store.services.payments.closing import (
    POLL_INTERVAL,
    cancel_leftovers,
    close,
    look_up,
    release,
    retrieve,
    stop_card_testing,
    tested_with_cards,
)
from store.services.payments.creation import create
from store.services.payments.hosted import open_page
from store.services.payments.recording import DECIDED, note_card, record

__all__ = [
    "DECIDED",
    "POLL_INTERVAL",
    "cancel_leftovers",
    "close",
    "create",
    "look_up",
    "note_card",
    "open_page",
    "record",
    "release",
    "retrieve",
    "stop_card_testing",
    "tested_with_cards",
]
