"""Payments: created, looked up, cancelled, and recorded through one door; their refunds and disputes."""

from store.services.payments.payments import (
    POLL_INTERVAL,
    close,
    look_up,
    note_card,
    open,  # noqa: A004  # read with its package: payments.open
    record,
    stop_card_testing,
)

__all__ = ["POLL_INTERVAL", "close", "look_up", "note_card", "open", "record", "stop_card_testing"]
