"""What `python -m till_sandbox` can tell a sandbox that is running: trigger, events, resend, register, reset."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests

from till_sandbox.data import load

TIMEOUT = 30

#: Where the control API is, which takes JSON.
CONTROL = "/sandbox/"
PAYMENTS = "/v1/payment_intents"
#: The states in which a payment can be paid.
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


class Refused(Exception):
    """The sandbox did not do it; the message says why."""


class Remote:
    """A running sandbox, reached at an address with a secret key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._key = key

    def trigger(self, event_type: str, order: str | None = None) -> list[str]:
        """Make what leads to such an event happen; the ids of what came of it.

        With `order` it happens to the payment whose metadata holds that reference, instead of to a new one.
        """
        steps = load("triggers")["triggers"][event_type]
        answers: list[dict[str, Any]] = []
        if order is not None:
            answers.append(self._pay(order, event_type, steps))
        for method, path, said in steps[len(answers) :]:
            filled = {name: value.format(*answers) if isinstance(value, str) else value for name, value in said.items()}
            how = {"json" if path.startswith(CONTROL) else "data": filled}
            answers.append(self._ask(method, path.format(*answers), **how))
        return [said for answer in answers if (said := _outcome(answer))]

    def _pay(self, order: str, event_type: str, steps: list[tuple[str, str, dict[str, Any]]]) -> dict[str, Any]:
        """The first step of a trigger, done to the payment of an order: it is paid as the step pays a new one."""
        method, path, said = steps[0]
        if (method, path) != ("POST", PAYMENTS):
            raise Refused(f"{event_type} is not about a payment, so it cannot be about an order")
        intent = self._payment_of(order)
        address = f"{PAYMENTS}/{intent['id']}"
        if intent["status"] in OPEN:
            how = {name: said[name] for name in ("payment_method", "capture_method") if name in said}
            return self._ask("POST", f"{address}/confirm", data=how) if said.get("confirm") else intent
        if intent["status"] == "succeeded" and len(steps) > 1 and said.get("payment_method") == "pm_card_visa":
            return intent
        raise Refused(
            f"the payment of order {order} ({intent['id']}) is {intent['status']}, and {event_type} needs one that is "
            "still to be paid; `events` and `resend` send again what has happened"
        )

    def _payment_of(self, order: str) -> dict[str, Any]:
        """The newest payment with the reference in its metadata."""
        page: dict[str, Any] = {"limit": "100"}
        while True:
            found = self._ask("GET", PAYMENTS, params=page)
            for intent in found["data"]:
                if order in intent["metadata"].values():
                    return dict(intent)
            if not found["has_more"]:
                raise Refused(
                    f"no payment of this key's account has {order} in its metadata: open the order's payment page first"
                )
            page["starting_after"] = found["data"][-1]["id"]

    def events(self, limit: int) -> list[str]:
        """The newest events, one line each, newest last."""
        found = self._ask("GET", "/v1/events", params={"limit": str(limit)})["data"]
        return [_line(event) for event in reversed(found)]

    def resend(self, event_id: str) -> str:
        """Send an event to the account's endpoints again; its type."""
        return str(self._ask("POST", f"/v1/events/{quote(event_id, safe='')}/retry", data={})["type"])

    def register(self, places: Sequence[str]) -> list[str]:
        """Have the account collect tax in these places (`tax_places`), as in the dashboard; what was registered."""
        wanted = tax_places() if "all" in places else places
        return [self._ask("POST", "/v1/tax/registrations", data=_registration(place))["id"] for place in wanted]

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


def tax_places() -> list[str]:
    """Where there are taxes to collect: countries, `EU`, and states and provinces such as `US-WA`."""
    taxes = load("taxes")
    countries = [country for country in taxes["countries"] if country not in taxes["eu"]]
    with_own = [province for province, tax in taxes["ca"]["provinces"].items() if tax["tax_type"] != "hst"]
    return ["EU", *countries, "CA", *(f"CA-{each}" for each in with_own), *(f"US-{each}" for each in taxes["us"])]


def _registration(place: str) -> dict[str, str]:
    """The parameters that register for one of `tax_places`."""
    country, _, region = place.partition("-")
    options: dict[str, str] = {"type": "standard"}
    if country == "EU":
        country, options = "DE", {"type": "oss_union"}
    elif country == "US":
        options = {"type": "state_sales_tax", "state": region}
    elif region:
        options = {"type": "province_standard", "province_standard][province": region}
    named = {f"country_options[{country.lower()}][{name}]": value for name, value in options.items()}
    return {"country": country, "active_from": "now", **named}


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
