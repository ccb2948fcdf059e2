"""Why a shopper is on the payment page who did not ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from store.web.pages import Because
from store.web.presentation.states import Tone


@dataclass(frozen=True, slots=True)
class RedirectMessage:
    happened: str
    next_step: str
    icon: str
    tone: Tone


REDIRECTS: Mapping[Because, RedirectMessage] = {
    Because.NOT_PAID: RedirectMessage(
        "Your payment did not go through.",
        "We asked the payment service: nothing was charged. You can pay again here, with the same card or another one.",
        "warning",
        Tone.WAIT,
    ),
    Because.NEW_TOTAL: RedirectMessage(
        "The total has changed with what you chose.",
        "This page shows what the order costs now. Nothing was charged.",
        "card",
        Tone.CALM,
    ),
    Because.UNPAID: RedirectMessage(
        "This order is not paid yet.",
        "Nothing was charged. Your order is kept, and you can pay for it here.",
        "card",
        Tone.CALM,
    ),
}


def redirect_message(because: str | None) -> RedirectMessage | None:
    """The words for what an address says; None where it says nothing, or what is not known."""
    return REDIRECTS.get(Because(because)) if because in set(Because) else None
