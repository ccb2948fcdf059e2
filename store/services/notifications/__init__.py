"""Notifications: other programs are told of what happens, at endpoints of theirs, signed, until they have it."""

from store.services.notifications.outbox import forget, write
from store.services.notifications.sending import send_due

__all__ = ["forget", "send_due", "write"]
