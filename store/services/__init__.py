"""What the store does: each module is a noun, its functions verbs read with it, as in `payments.record(…)`."""

from store.services.till import Till

__all__ = ["Till"]
