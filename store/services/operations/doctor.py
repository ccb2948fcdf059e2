"""The doctor: whether a set-up will work, found out before a shopper does. A sentence and a remedy for each fault."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import requests
from sqlalchemy import func, select

from models import Product
from store.domain.errors import PaymentMisconfigured, PaymentUnavailable
from store.gateway.port import SignedEvent, WebhookEndpoint
from store.services.findings import Finding
from store.services.operations import health
from store.services.services import Services

LARGEST_SKEW = timedelta(seconds=60)
MAIL_TIMEOUT = 5  # seconds
POST_TIMEOUT = 5  # seconds, to connect and between bytes
WEBHOOK_PATH = "/webhooks/stripe"

# Sends a notice to an address as the payment service would, and returns the status of the answer. Raises OSError.
Send = Callable[[str, SignedEvent], int]


def over_http(url: str, event: SignedEvent) -> int:
    """A redirect is not followed: the payment service does not follow it either."""
    headers = {"Stripe-Signature": event.signature, "Content-Type": "application/json; charset=utf-8"}
    answer = requests.post(url, event.body, headers=headers, timeout=POST_TIMEOUT, allow_redirects=False)
    return answer.status_code


def run(
    services: Services, types: frozenset[str], api_version: str, now: datetime, send: Send = over_http
) -> list[Finding]:
    """What would not work; empty when all is well. `kinds` are the events that the store has to be told of.

    Two webhooks are sent to the store's own address, one signed and one forged. They tell of nothing, so that a running
    store remembers neither.
    """
    findings = [Finding("database", problem, "") for problem in health.problems(services)]
    if not findings:
        findings += _catalogue(services)
    findings += _mail(services)
    try:
        findings += _stripe(services, types, api_version, now, send)
    except PaymentMisconfigured:
        wrong = "Stripe refuses STRIPE_SECRET_KEY."
        findings.append(Finding("keys", wrong, "Copy both keys again from the dashboard, from the same mode."))
    except PaymentUnavailable:
        wrong = f"{services.settings.stripe_api_base} does not answer."
        findings.append(Finding("stripe", wrong, "Check the network, or start the sandbox with `make run`."))
    return findings


def _stripe(
    services: Services, types: frozenset[str], api_version: str, now: datetime, send: Send
) -> Iterator[Finding]:
    skew = abs(services.gateway.clock() - now)
    if skew > LARGEST_SKEW:
        wrong = f"this machine's clock is {int(skew.total_seconds())} seconds from Stripe's."
        yield Finding("clock", wrong, "Run a time service: webhooks are refused when their time is too far off.")
    if not services.settings.webhook_secrets:
        yield Finding(
            "webhooks", "STRIPE_WEBHOOK_SECRET is not set.", "Copy it from the endpoint, or from `stripe listen`."
        )
    endpoints = list[WebhookEndpoint]()
    try:
        endpoints += filter(_ours, services.gateway.list_webhook_endpoints())
    except PaymentMisconfigured:  # by a key that was good enough to ask for the time
        wrong = "STRIPE_SECRET_KEY may not list webhook endpoints, so that what they are told of is not known."
        yield Finding("keys", wrong, "Allow the restricted key to read webhook endpoints.")
    else:
        if not endpoints:
            wrong = f"Stripe knows no enabled endpoint that ends in {WEBHOOK_PATH}."
            remedy = "Add one in the dashboard, or run `stripe listen` on a developer's machine."
            yield Finding("webhooks", wrong, remedy)
    for endpoint in endpoints:
        yield from _endpoint(endpoint, types, api_version)
    if services.settings.webhook_secrets:
        for url in {endpoint.url for endpoint in endpoints} or {services.settings.store_url + WEBHOOK_PATH}:
            yield from _round_trip(services, url, now, send)


def _ours(endpoint: WebhookEndpoint) -> bool:
    return endpoint.enabled and urlsplit(endpoint.url).path == WEBHOOK_PATH


def _endpoint(endpoint: WebhookEndpoint, types: frozenset[str], api_version: str) -> Iterator[Finding]:
    missing = sorted(types - endpoint.types) if "*" not in endpoint.types else []
    if missing:
        yield Finding("webhooks", f"{endpoint.url} is not told of {', '.join(missing)}.", "Add these events to it.")
    if endpoint.api_version not in (None, api_version):
        wrong = f"{endpoint.url} speaks API version {endpoint.api_version}, the store {api_version}."
        yield Finding("webhooks", wrong, "Make a new endpoint with the store's version.")


def _round_trip(services: Services, url: str, now: datetime, send: Send) -> Iterator[Finding]:
    try:
        status = send(url, services.gateway.sign_test_event(now, forged=False))
        if not 200 <= status < 300:
            yield Finding("webhooks", f"{url} answered {status} to a signed event.", _remedy(status))
            return
        status = send(url, services.gateway.sign_test_event(now, forged=True))
        if status != 400:
            wrong = f"{url} answered {status} to a forged event; this store answers 400."
            yield Finding("webhooks", wrong, "Something else answers there: have the address lead to this store.")
    except OSError:
        remedy = "Start the store; check the address, its certificate, and what stands in front of it."
        yield Finding("webhooks", f"{url} does not answer.", remedy)


def _remedy(status: int) -> str:
    if 300 <= status < 400:
        return "Stripe follows no redirect: give it the address that this one leads to."
    return _REMEDIES.get(status, "Look into the store's log." if status >= 500 else "Have it lead to this store.")


_REMEDIES = {
    400: "Copy the endpoint's signing secret into STRIPE_WEBHOOK_SECRET, and start the store again.",
    401: "Let everybody send to it: the signature says who it is.",
    403: "Let everybody send to it: the signature says who it is.",
    404: f"The store takes webhooks at {WEBHOOK_PATH}: correct the endpoint's address.",
    405: f"The store takes webhooks at {WEBHOOK_PATH}: correct the endpoint's address.",
    503: "The store's database does not answer: start it, then ask the doctor again.",
}


def _catalogue(services: Services) -> Iterator[Finding]:
    ours = services.settings.store_currency
    others = select(Product.currency, func.count()).where(Product.currency != ours).group_by(Product.currency)
    with services.database.reading() as session:
        counts = session.execute(others.order_by(Product.currency)).all()
    if counts:
        found = " and ".join(f"{count} in {currency}" for currency, count in counts)
        wrong = f"STORE_CURRENCY is {ours}, but there are products with prices in another currency: {found}."
        yield Finding("catalogue", wrong, "Set STORE_CURRENCY back, or change the products.")


def _mail(services: Services) -> Iterator[Finding]:
    server, port = services.settings.mail_server, services.settings.mail_port
    if services.settings.live and services.settings.mail_from.rstrip(">").endswith("@localhost"):
        wrong = "MAIL_FROM is an address at localhost, from which few mail servers take a letter."
        yield Finding("mail", wrong, "Name an address at the store's own domain.")
    if not server:
        return
    try:
        socket.create_connection((server, port), timeout=MAIL_TIMEOUT).close()
    except OSError:
        yield Finding("mail", f"{server}:{port} does not answer.", "Check MAIL_SERVER and MAIL_PORT.")
