"""What `python -m till_sandbox` can tell a sandbox that is running: trigger, events, resend, reset."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests

from till_sandbox.data import load

TIMEOUT = 30

#: Where the control API is, which takes JSON.
CONTROL = "/sandbox/"


class Refused(Exception):
    """The sandbox did not do it; the message says why."""


class Remote:
    """A running sandbox, reached at an address with a secret key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._key = key

    def trigger(self, event_type: str) -> list[str]:
        """Make what leads to such an event happen; the ids of what came of it."""
        answers: list[dict[str, Any]] = []
        for method, path, said in load("triggers")["triggers"][event_type]:
            filled = {name: value.format(*answers) if isinstance(value, str) else value for name, value in said.items()}
            how = {"json" if path.startswith(CONTROL) else "data": filled}
            answers.append(self._ask(method, path.format(*answers), **how))
        return [said for answer in answers if (said := _outcome(answer))]

    def events(self, limit: int) -> list[str]:
        """The newest events, one line each, newest last."""
        found = self._ask("GET", "/v1/events", params={"limit": str(limit)})["data"]
        return [_line(event) for event in reversed(found)]

    def resend(self, event_id: str) -> str:
        """Send an event to the account's endpoints again; its type."""
        return str(self._ask("POST", f"/v1/events/{quote(event_id, safe='')}/retry", data={})["type"])

    def reset(self) -> None:
        """Make it forget everything."""
        self._ask("POST", f"{CONTROL}reset", json={})

    def _ask(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            answer = requests.request(method, self._url + path, headers=headers, timeout=TIMEOUT, **how)
        except requests.RequestException as error:
            raise Refused(f"no sandbox answers at {self._url}: {type(error).__name__}") from error
        body = _body(answer)
        if body is None or not (path.startswith(CONTROL) or "Request-Id" in answer.headers):
            raise Refused(f"what answers at {self._url} is no sandbox (status {answer.status_code})")
        if not answer.ok and answer.status_code != requests.codes.payment_required:  # a decline is a result too
            said = body["error"]
            raise Refused(str(said.get("message", said)) if isinstance(said, dict) else str(said))
        return body


def triggers() -> list[str]:
    """The event types that can be triggered."""
    return sorted(load("triggers")["triggers"])


def _body(answer: requests.Response) -> dict[str, Any] | None:
    """The JSON object that was answered, with its error if it is one; None for anything else."""
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        return None
    return body if isinstance(body, dict) and (answer.ok or "error" in body) else None


def _outcome(answer: dict[str, Any]) -> str | None:
    """The id of what was made, also where the control API wraps it, or why nothing was."""
    if "error" in answer:
        return str(answer["error"]["message"])
    return next((it["id"] for it in (answer, *answer.values()) if isinstance(it, dict) and "id" in it), None)


def _line(event: dict[str, Any]) -> str:
    created = datetime.fromtimestamp(event["created"], UTC).strftime("%H:%M:%S")
    waiting = f"  ({event['pending_webhooks']} on its way)" if event["pending_webhooks"] else ""
    return f"{created}  {event['id']}  {event['type']}  {event['data']['object']['id']}{waiting}"
