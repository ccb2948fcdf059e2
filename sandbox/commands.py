"""What `python -m sandbox` can tell a sandbox that is running: trigger, events, resend, reset."""

from datetime import UTC, datetime
from typing import Any

import requests

from sandbox.data import load

TIMEOUT = 30


class Refused(Exception):
    """The sandbox did not do it; the message says why."""


class Remote:
    """A running sandbox, reached at an address with a secret key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key

    def trigger(self, event_type: str) -> list[str]:
        """Make what leads to such an event happen; the ids of what came of it."""
        answers: list[dict[str, Any]] = []
        for method, path, form in load("triggers")["triggers"][event_type]:
            said = {name: str(value).format(*answers) for name, value in form.items()}
            answers.append(self._ask(method, path.format(*answers), data=said))
        return [str(answer.get("id") or answer["error"]["message"]) for answer in answers]

    def events(self, limit: int) -> list[str]:
        """The newest events, one line each, newest last."""
        found = self._ask("GET", "/v1/events", params={"limit": str(limit)})["data"]
        return [_line(event) for event in reversed(found)]

    def resend(self, event_id: str) -> str:
        """Send an event to the account's endpoints again; its type."""
        return str(self._ask("POST", f"/v1/events/{event_id}/retry", data={})["type"])

    def reset(self) -> None:
        """Make it forget everything."""
        self._ask("POST", "/sandbox/reset", json={})

    def _ask(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            answer = requests.request(method, self._url + path, headers=headers, timeout=TIMEOUT, **how)
        except requests.RequestException as error:
            raise Refused(f"no sandbox answers at {self._url}: {type(error).__name__}") from error
        body: dict[str, Any] = answer.json()
        if not answer.ok and answer.status_code != requests.codes.payment_required:  # a decline is a result too
            error_said = body["error"]
            raise Refused(error_said if isinstance(error_said, str) else error_said["message"])
        return body


def triggers() -> list[str]:
    """The event types that can be triggered."""
    return sorted(load("triggers")["triggers"])


def _line(event: dict[str, Any]) -> str:
    created = datetime.fromtimestamp(event["created"], UTC).strftime("%H:%M:%S")
    waiting = f"  ({event['pending_webhooks']} on its way)" if event["pending_webhooks"] else ""
    return f"{created}  {event['id']}  {event['type']}  {event['data']['object']['id']}{waiting}"
