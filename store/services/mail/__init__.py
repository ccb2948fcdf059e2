"""Mail: an outbox that is written with what it tells of, and sent by the worker while that is still true."""

from store.services.mail.kinds import TO_MERCHANT, Kind
from store.services.mail.outbox import give_up, new_message_id, preview, send_again, send_due, try_now, write

__all__ = [
    "TO_MERCHANT",
    "Kind",
    "give_up",
    "new_message_id",
    "preview",
    "send_again",
    "send_due",
    "try_now",
    "write",
]
