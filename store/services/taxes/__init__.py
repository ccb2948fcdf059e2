"""Taxes that the payment service computes, where the settings say so: asked for a price, recorded once it is paid."""

from store.services.taxes.asking import AnswerCache, answered, shown
from store.services.taxes.recording import due, record

__all__ = ["AnswerCache", "answered", "due", "record", "shown"]
