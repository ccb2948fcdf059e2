"""What the staff reads of notifications to other programs."""

from __future__ import annotations

from collections.abc import Mapping

from models import Notification
from store.admin.presentation.orders import Label
from store.domain.errors import EndpointFault
from store.web.presentation.states import Tone

# What is kept in the place of an answer where there was none.
ANSWERS: Mapping[str, str] = {
    EndpointFault.UNKNOWN_HOST: "There is no such host.",
    EndpointFault.PRIVATE_ADDRESS: "The host is not one of the internet.",
    EndpointFault.NO_ANSWER: "It did not answer.",
    EndpointFault.TIME_OUT: "It did not answer in time.",
    EndpointFault.CERTIFICATE: "Its certificate is not right.",
    EndpointFault.NO_SECRET: "Its secret cannot be read any more: make another one.",
}


def notification_state(notification: Notification) -> Label:
    """Whether it has arrived."""
    if notification.delivered_at is not None:
        return Label("taken", Tone.GOOD, "check")
    if notification.failed_at is not None:
        return Label("given up", Tone.BAD, "warning")
    if notification.attempts:
        return Label("to be tried again", Tone.WAIT, "back")
    return Label("waits", Tone.CALM, "back")
