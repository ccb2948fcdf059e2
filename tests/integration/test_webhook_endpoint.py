"""`flask webhooks` has Stripe send the store exactly the events that it handles, and README names them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import stripe

from config import STRIPE_API_VERSION
from store.webhooks.handlers import HANDLERS
from tests.support.shop import Shop

URL = "https://till.test/webhooks/stripe"


@pytest.fixture
def shop(shop_with: Callable[..., Shop]) -> Shop:
    return shop_with(store_url="https://till.test")


def create(shop: Shop) -> str:
    result = shop.app.test_cli_runner().invoke(args=["webhooks", "--create"])
    assert result.exit_code == 0, result.output
    return result.output


def endpoints(shop: Shop) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = shop.stripe("GET", "/v1/webhook_endpoints")["data"]
    return [endpoint for endpoint in listed if endpoint["url"] == URL]


def enabled(shop: Shop) -> list[tuple[str, set[str]]]:
    """Version and types of each endpoint that gets events."""
    return [(it["api_version"], set(it["enabled_events"])) for it in endpoints(shop) if it["status"] == "enabled"]


def make(shop: Shop, version: str, *types: str) -> str:
    events = {f"enabled_events[{number}]": name for number, name in enumerate(types)}
    made: str = shop.stripe("POST", "/v1/webhook_endpoints", {"url": URL, "api_version": version, **events})["id"]
    return made


def test_it_makes_an_endpoint_with_the_handled_events_and_says_its_secret(shop: Shop) -> None:
    output = create(shop)

    assert enabled(shop) == [(STRIPE_API_VERSION, set(HANDLERS))]
    assert re.search(r"^STRIPE_WEBHOOK_SECRET=whsec_\w+$", output, re.MULTILINE)


def test_the_secret_that_it_prints_is_the_one_that_signs(shop: Shop, shop_with: Callable[..., Shop]) -> None:
    secret = create(shop).rpartition("STRIPE_WEBHOOK_SECRET=")[2].strip()
    informed = shop_with(store_url="https://till.test", stripe_webhook_secret=secret)
    informed.pay(informed.order())

    answers = {answer for url, answer in deliveries(informed) if url == URL}

    assert answers == {200}


def deliveries(shop: Shop) -> list[tuple[str, int]]:
    """The store's answer to every event that is due, with the address it was sent to."""
    return [(delivery.url, shop.receive(delivery)) for delivery in shop.lose()]


def test_doing_it_twice_changes_nothing(shop: Shop) -> None:
    create(shop)
    before = endpoints(shop)

    output = create(shop)

    assert endpoints(shop) == before
    assert "is right already" in output
    assert "whsec_" not in output


@pytest.mark.parametrize("types", [("payment_intent.succeeded",), ("*",)])
def test_an_endpoint_with_other_events_is_put_right(shop: Shop, types: tuple[str, ...]) -> None:
    earlier = make(shop, STRIPE_API_VERSION, *types)

    output = create(shop)

    assert [it["id"] for it in endpoints(shop)] == [earlier]
    assert enabled(shop) == [(STRIPE_API_VERSION, set(HANDLERS))]
    assert "Its secret is the same as before." in output


def test_an_endpoint_that_was_disabled_is_enabled(shop: Shop) -> None:
    earlier = make(shop, STRIPE_API_VERSION, *HANDLERS)
    shop.stripe("POST", f"/v1/webhook_endpoints/{earlier}", {"disabled": "true"})

    create(shop)

    assert enabled(shop) == [(STRIPE_API_VERSION, set(HANDLERS))]


def test_an_endpoint_of_another_version_makes_room_for_a_new_one(shop: Shop) -> None:
    earlier = make(shop, "2026-09-30.endive", *HANDLERS)

    output = create(shop)

    assert enabled(shop) == [(STRIPE_API_VERSION, set(HANDLERS))]
    assert f"Disabled the earlier endpoint {earlier}" in output
    assert "STRIPE_WEBHOOK_SECRET=whsec_" in output


def test_an_address_that_stripe_does_not_take_is_explained(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(store_url="https://till.test")

    def refuse(method: str, path: str) -> None:
        if (method, path) == ("POST", "/v1/webhook_endpoints"):
            raise NotReachable

    shop.transport.before = refuse
    result = shop.app.test_cli_runner().invoke(args=["webhooks", "--create"])

    assert result.exit_code == 1
    assert f"Stripe refuses to make an endpoint for {URL}." in result.output
    assert "use `stripe listen` instead" in result.output


class NotReachable(stripe.InvalidRequestError):
    """What the SDK raises for Stripe's 400 to an address of this machine."""

    def __init__(self) -> None:
        super().__init__("not reachable", "url", http_status=400)  # type: ignore[no-untyped-call]  # the SDK has no types for it


def test_without_the_option_it_lists_the_events(shop: Shop) -> None:
    output = shop.app.test_cli_runner().invoke(args=["webhooks"]).output

    assert [line.strip() for line in output.splitlines()[1:]] == sorted(HANDLERS)
    assert endpoints(shop) == []


def test_the_readme_names_the_events_that_the_store_handles() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    section = readme.partition("## With real Stripe keys")[2].partition("\n## ")[0]

    named = re.findall(r"`((?:payment_intent|charge|refund|radar|review|checkout)\.[a-z_.]+)`", section)

    assert sorted(named) == sorted(HANDLERS)
