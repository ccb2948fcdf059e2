"""What the store does: each module is a noun, its functions verbs read with it, as in `payments.record(…)`."""

from store.services.services import Services

__all__ = ["Services"]
