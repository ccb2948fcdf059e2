"""The doctor: whether a set-up will work, found out before a shopper does. A sentence and a remedy for each fault."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from store.domain.errors import PaymentMisconfigured, PaymentUnavailable
from store.gateway.port import WebhookEndpoint
from store.services import health
from store.services.findings import Finding
from store.services.till import Till

LARGEST_SKEW = timedelta(seconds=60)
MAIL_TIMEOUT = 5  # seconds


def run(till: Till, kinds: frozenset[str], api_version: str, now: datetime) -> list[Finding]:
    """What would not work; empty when all is well. `kinds` are the events that the store has to be told of."""
    findings = [Finding("database", problem, "") for problem in health.problems(till)]
    findings += _mail(till)
    try:
        findings += _stripe(till, kinds, api_version, now)
    except PaymentMisconfigured:
        wrong = "Stripe refuses STRIPE_SECRET_KEY."
        findings.append(Finding("keys", wrong, "Copy both keys again from the dashboard, from the same mode."))
    except PaymentUnavailable:
        wrong = f"{till.settings.stripe_api_base} does not answer."
        findings.append(Finding("stripe", wrong, "Check the network, or start the sandbox with `make run`."))
    return findings


def _stripe(till: Till, kinds: frozenset[str], api_version: str, now: datetime) -> Iterator[Finding]:
    skew = abs(till.gateway.clock() - now)
    if skew > LARGEST_SKEW:
        wrong = f"this machine's clock is {int(skew.total_seconds())} seconds from Stripe's."
        yield Finding("clock", wrong, "Run a time service: webhooks are refused when their time is too far off.")
    if not till.settings.webhook_secrets:
        yield Finding(
            "webhooks", "STRIPE_WEBHOOK_SECRET is not set.", "Copy it from the endpoint, or from `stripe listen`."
        )
    endpoints = [endpoint for endpoint in till.gateway.webhook_endpoints() if _ours(endpoint)]
    if not endpoints:
        wrong = "Stripe knows no enabled endpoint that ends in /webhooks/stripe."
        yield Finding("webhooks", wrong, "Add one in the dashboard, or run `stripe listen` on a developer's machine.")
    for endpoint in endpoints:
        yield from _endpoint(endpoint, kinds, api_version)


def _ours(endpoint: WebhookEndpoint) -> bool:
    return endpoint.enabled and urlsplit(endpoint.url).path == "/webhooks/stripe"


def _endpoint(endpoint: WebhookEndpoint, kinds: frozenset[str], api_version: str) -> Iterator[Finding]:
    missing = sorted(kinds - endpoint.kinds) if "*" not in endpoint.kinds else []
    if missing:
        yield Finding("webhooks", f"{endpoint.url} is not told of {', '.join(missing)}.", "Add these events to it.")
    if endpoint.api_version not in (None, api_version):
        wrong = f"{endpoint.url} speaks API version {endpoint.api_version}, the store {api_version}."
        yield Finding("webhooks", wrong, "Make a new endpoint with the store's version.")


def _mail(till: Till) -> Iterator[Finding]:
    server, port = till.settings.mail_server, till.settings.mail_port
    if not server:
        if till.settings.live:
            yield Finding("mail", "MAIL_SERVER is not set, so shoppers get no mail.", "Name an SMTP server.")
        return
    try:
        socket.create_connection((server, port), timeout=MAIL_TIMEOUT).close()
    except OSError:
        yield Finding("mail", f"{server}:{port} does not answer.", "Check MAIL_SERVER and MAIL_PORT.")
