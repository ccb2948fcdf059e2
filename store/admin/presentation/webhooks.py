"""What the staff reads of webhooks."""

from __future__ import annotations

from models import InboxEvent
from store.admin.presentation.orders import Label
from store.web.presentation.states import Tone
from store.webhooks.inbox import InboxResult

_OUTCOMES = {
    InboxResult.HANDLED: Label("handled", Tone.GOOD, "check"),
    InboxResult.IGNORED: Label("not about this store", Tone.CALM, "check"),
    InboxResult.SET_ASIDE: Label("taken off the list", Tone.CALM, "cross"),
}


def event_state(event: InboxEvent) -> Label:
    """What became of an event."""
    if event.handled_at is None:
        return Label(f"failed: {event.last_error or 'no reason was kept'}", Tone.BAD, "warning")
    return _OUTCOMES.get(InboxResult(event.outcome or "handled"), _OUTCOMES[InboxResult.HANDLED])


def replay_sentence(outcome: InboxResult) -> str:
    """What came of handling an event once more."""
    return {
        InboxResult.HANDLED: "It is handled now.",
        InboxResult.DUPLICATE: "It was handled before, so nothing was done twice.",
        InboxResult.IGNORED: "It is not about this store, so there was nothing to do.",
    }[outcome]
