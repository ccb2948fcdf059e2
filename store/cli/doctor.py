"""The doctor: whether a set-up will work, found out before a shopper does. A sentence and a remedy for each fault."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import requests
from sqlalchemy import func, select

from models import InboxEvent, Product, TaxRateRow
from store.cli.findings import Problem
from store.domain.errors import PaymentMisconfigured, PaymentUnavailable
from store.domain.money import Money, smallest_step
from store.domain.pricing import MINIMUM_CHARGE
from store.gateway.port import KeyTrial, MailServerProblem, SignedEvent, WebhookEndpoint
from store.services.operations import health
from store.services.payments import accounts, authorising
from store.services.services import Services

LARGEST_SKEW = timedelta(seconds=60)
SEND_TIMEOUT = 5  # seconds, to connect and between bytes
# An event that a developer's `stripe listen` forwards is there within seconds: so many looks, so many seconds apart.
LOOKS, PAUSE = 15, 1.0

# Sends an event to an address as the payment service would, and returns the status of the answer. Raises OSError.
Send = Callable[[str, SignedEvent], int]


@dataclass(frozen=True, slots=True)
class WebhookSetup:
    """What the store needs: events of these `types`, in this version of the API, at the store's own `path`."""

    path: str
    types: frozenset[str]
    api_version: str


def over_http(url: str, event: SignedEvent) -> int:
    """A redirect is not followed: the payment service does not follow it either."""
    headers = {"Stripe-Signature": event.signature, "Content-Type": "application/json; charset=utf-8"}
    answer = requests.post(url, event.body, headers=headers, timeout=SEND_TIMEOUT, allow_redirects=False)
    return answer.status_code


def run(
    services: Services,
    webhooks: WebhookSetup,
    now: datetime,
    send: Send = over_http,
    wait: Callable[[float], None] = time.sleep,
) -> list[Problem]:
    """What would not work; empty when all is well.

    A payment is created at Stripe and cancelled at once, and two events about nothing are sent to the store's own
    address, one signed and one forged. No order comes of it.
    """
    settings = services.settings
    findings = [Problem("settings", warning, "") for warning in settings.warnings]
    database = [Problem("database", problem, "") for problem in health.problems(services)]
    findings += database or [*_catalogue(services), *_invoices(services), *_foreign_payments(services)]
    findings += [] if database else _authorisations(services, now)
    findings += _mail(services)
    try:
        findings += _stripe(services, webhooks, now, send, wait)
    except PaymentMisconfigured:
        wrong = "Stripe refuses STRIPE_SECRET_KEY."
        findings.append(Problem("keys", wrong, "Copy both keys again from the dashboard, from the same mode."))
    except PaymentUnavailable:
        wrong = f"{settings.stripe_api_base} does not answer."
        findings.append(Problem("stripe", wrong, "Check the network, or start the sandbox with `make run`."))
    return findings


def _foreign_payments(services: Services) -> Iterator[Problem]:
    ours = accounts.ask(services)
    with services.database.reading() as session:
        count = accounts.count_foreign(session, ours)
    if count:
        belong = "1 payment belongs" if count == 1 else f"{count} payments belong"
        wrong = f"{belong} to another account or mode than STRIPE_SECRET_KEY."
        remedy = "Refund them in that account's dashboard; use one database for one account and mode."
        yield Problem("payments", wrong, remedy)


def _authorisations(services: Services, now: datetime) -> Iterator[Problem]:
    """Whether cards wait to be charged whose authorisation ends soon."""
    with services.database.reading() as session:
        count = authorising.count_ending(session, now)
    if count:
        ends = "1 authorised order is" if count == 1 else f"{count} authorised orders are"
        wrong = f"{ends} released within two days unless shipped."
        yield Problem("authorisations", wrong, "Ship them from the list at /admin, which charges them.")


def _stripe(
    services: Services, webhooks: WebhookSetup, now: datetime, send: Send, wait: Callable[[float], None]
) -> Iterator[Problem]:
    missing = services.gateway.missing_permissions()
    if missing:
        wrong = f"the restricted key STRIPE_SECRET_KEY lacks {_listed(missing)}."
        yield Problem("keys", wrong, "Add this to it in the dashboard, under API keys.")
    if any(permission.startswith("PaymentIntents") for permission in missing):
        return  # nothing else can be tried
    skew = abs(services.gateway.clock() - now)
    if skew > LARGEST_SKEW:
        wrong = f"this machine's clock is {int(skew.total_seconds())} seconds from Stripe's."
        yield Problem("clock", wrong, "Run a time service: webhooks are refused when their time is too far off.")
    yield from _taxes(services)
    trial = yield from _keys(services)
    if not services.settings.webhook_secrets:
        wrong = "STRIPE_WEBHOOK_SECRET is not set."
        yield Problem("webhooks", wrong, "Take it from `flask webhooks --create`, or from `stripe listen`.")
    elif any(permission.startswith("Webhook Endpoints") for permission in missing):
        yield from _round_trip(services, services.settings.store_url + webhooks.path, webhooks, now, send)
    else:
        yield from _webhooks(services, webhooks, trial, now, send, wait)


def _taxes(services: Services) -> Iterator[Problem]:
    """Whether Stripe Tax would compute any, where the settings say that it does."""
    if services.settings.taxes == "own":
        return
    try:
        setup = services.gateway.taxes.setup()
    except PaymentMisconfigured:
        remedy = "Set Stripe Tax up in the dashboard; a restricted key needs to read and write Tax."
        yield Problem("taxes", "Stripe Tax cannot be used with STRIPE_SECRET_KEY.", remedy)
        return
    if not setup.ready:
        yield Problem("taxes", "Stripe Tax is not set up.", "Say in the dashboard, under Tax, where your office is.")
    if not setup.places:
        sandbox = " (of the sandbox: `till-sandbox register all`)" if services.settings.uses_sandbox else ""
        remedy = f"Add a registration for each place in which you collect{sandbox}."
        yield Problem("taxes", "Stripe Tax collects nowhere: the account has no registration.", remedy)


def _keys(services: Services) -> Generator[Problem, None, KeyTrial | None]:
    """What the keys were tried with; None where they could not be."""
    amount = _small_amount(services)
    try:
        trial = services.gateway.try_keys(services.settings.stripe_publishable_key, amount)
    except PaymentMisconfigured:  # by a key that was good enough to ask for the time
        wrong = f"Stripe refuses to create a payment of {amount.text()}."
        yield Problem("keys", wrong, "See in the dashboard whether the account may take payments in this currency yet.")
        return None
    if not trial.same_account:
        wrong = "STRIPE_PUBLISHABLE_KEY is not of the account of STRIPE_SECRET_KEY: no browser could pay with it."
        yield Problem("keys", wrong, "Copy both keys again from the dashboard, from the same account.")
    return trial


def _webhooks(
    services: Services,
    webhooks: WebhookSetup,
    trial: KeyTrial | None,
    now: datetime,
    send: Send,
    wait: Callable[[float], None],
) -> Iterator[Problem]:
    endpoints = [it for it in services.gateway.list_webhook_endpoints() if _ours(it, webhooks)]
    for endpoint in endpoints:
        yield from _endpoint(endpoint, webhooks)
    url = services.settings.store_url + webhooks.path
    wrong = list[Problem]()
    for address in {endpoint.url for endpoint in endpoints} or {url}:
        wrong += _round_trip(services, address, webhooks, now, send)
    yield from wrong
    if not endpoints and not wrong:
        yield from _forwarded(services, webhooks, trial, now, wait)


def _small_amount(services: Services) -> Money:
    """Ten times the least that can be charged, so that it is enough in whatever currency the account is paid out."""
    currency = services.settings.store_currency
    return Money(10 * MINIMUM_CHARGE.get(currency, 50 * smallest_step(currency)), currency)


def _listed(names: list[str]) -> str:
    return ", ".join(names)


def _ours(endpoint: WebhookEndpoint, webhooks: WebhookSetup) -> bool:
    return endpoint.enabled and urlsplit(endpoint.url).path.endswith(webhooks.path)


def _endpoint(endpoint: WebhookEndpoint, webhooks: WebhookSetup) -> Iterator[Problem]:
    missing = sorted(webhooks.types - endpoint.types) if "*" not in endpoint.types else []
    if missing:
        wrong = f"{endpoint.url} does not get {_listed(missing)}."
        yield Problem("webhooks", wrong, "Run `flask webhooks --create`, or add these events to it.")
    if endpoint.api_version not in (None, webhooks.api_version):
        wrong = f"{endpoint.url} speaks API version {endpoint.api_version}, the store {webhooks.api_version}."
        yield Problem("webhooks", wrong, "Run `flask webhooks --create`: a version cannot be changed later.")


def _round_trip(services: Services, url: str, webhooks: WebhookSetup, now: datetime, send: Send) -> Iterator[Problem]:
    try:
        status = send(url, services.gateway.sign_test_event(now, forged=False))
        if not 200 <= status < 300:
            yield Problem("webhooks", f"{url} answered {status} to a signed event.", _remedy(status, webhooks))
            return
        status = send(url, services.gateway.sign_test_event(now, forged=True))
        if status != 400:
            wrong = f"{url} answered {status} to a forged event; this store answers 400."
            yield Problem("webhooks", wrong, "Something else answers there: have the address lead to this store.")
    except OSError:
        remedy = "Start the store; check the address, its certificate, and what stands in front of it."
        yield Problem("webhooks", f"{url} does not answer.", remedy)


def _forwarded(
    services: Services, webhooks: WebhookSetup, trial: KeyTrial | None, now: datetime, wait: Callable[[float], None]
) -> Iterator[Problem]:
    """Without an endpoint, a developer's `stripe listen` may forward events. Stripe does not say whether it runs: the
    event about the payment that was just created is waited for.
    """
    unknown = f"Stripe knows no enabled endpoint that ends in {webhooks.path}"
    if services.settings.live:
        yield Problem("webhooks", f"{unknown}.", "Run `flask webhooks --create`.")
    elif trial is not None and not _arrives(services, trial.provider_payment_id, now, wait):
        url = services.settings.store_url + webhooks.path
        listen = f"`stripe listen --latest --forward-to {url}`"
        remedy = f"Run {listen} with the secret that it prints, or `flask webhooks --create`."
        yield Problem("webhooks", f"{unknown}, and forwards no event to this store.", remedy)


def _arrives(services: Services, provider_payment_id: str, now: datetime, wait: Callable[[float], None]) -> bool:
    for _ in range(LOOKS):
        if _has_arrived(services, provider_payment_id, now):
            return True
        wait(PAUSE)
    return False


def _has_arrived(services: Services, provider_payment_id: str, now: datetime) -> bool:
    sent = services.gateway.events_for(provider_payment_id, now - LARGEST_SKEW)
    with services.database.reading() as session:
        return session.scalar(select(InboxEvent.id).where(InboxEvent.id.in_(sent)).limit(1)) is not None


def _remedy(status: int, webhooks: WebhookSetup) -> str:
    if 300 <= status < 400:
        return "Stripe follows no redirect: give it the address that this one leads to."
    if status in (404, 405):
        return f"The store takes webhooks at {webhooks.path}: correct the endpoint's address."
    return _REMEDIES.get(status, "Look into the store's log." if status >= 500 else "Have it lead to this store.")


_REMEDIES = {
    400: "Copy the endpoint's signing secret into STRIPE_WEBHOOK_SECRET, and start the store again.",
    401: "Let everybody send to it: the signature says who it is.",
    403: "Let everybody send to it: the signature says who it is.",
    503: "The store's database does not answer: start it, then ask the doctor again.",
}


def _catalogue(services: Services) -> Iterator[Problem]:
    ours = services.settings.store_currency
    others = select(Product.currency, func.count()).where(Product.currency != ours).group_by(Product.currency)
    with services.database.reading() as session:
        counts = session.execute(others.order_by(Product.currency)).all()
    if counts:
        found = " and ".join(f"{count} in {currency}" for currency, count in counts)
        wrong = f"STORE_CURRENCY is {ours}, but there are products with prices in another currency: {found}."
        yield Problem("catalogue", wrong, "Set STORE_CURRENCY back, or change the products.")


def _invoices(services: Services) -> Iterator[Problem]:
    """Whether invoices can be issued, and say what they have to."""
    settings = services.settings
    if not settings.seller_address:
        wrong = "SELLER_ADDRESS is not set, so no invoice is issued."
        yield Problem("invoices", wrong, "Set it; the worker then issues those that are missing.")
    if "seller_address" not in settings.model_fields_set or settings.seller_vat_number:
        return
    with services.database.reading() as session:
        taxed = settings.taxes == "stripe" or session.scalar(select(TaxRateRow.id).limit(1)) is not None
    if taxed:
        wrong = "SELLER_VAT_NUMBER is not set, while taxes are charged."
        yield Problem("invoices", wrong, "Set it: an invoice with a tax on it names the number of who collects it.")


def _mail(services: Services) -> Iterator[Problem]:
    settings = services.settings
    if settings.live and settings.mail_from.rstrip(">").endswith("@localhost"):
        wrong = "MAIL_FROM is an address at localhost, which few mail servers accept."
        yield Problem("mail", wrong, "Name an address at the store's own domain.")
    if (problem := services.mailer.check()) is not None:
        wrong, remedy = _MAIL_PROBLEMS[problem]
        yield Problem("mail", f"{settings.mail_server}:{settings.mail_port} {wrong}", remedy)


_MAIL_PROBLEMS = {
    MailServerProblem.NO_ANSWER: ("does not answer.", "Check MAIL_SERVER and MAIL_PORT."),
    MailServerProblem.NO_TLS: (
        "does not encrypt.",
        "Use the port that does (587, or 465), or set MAIL_USE_TLS=false for a server on this machine.",
    ),
    MailServerProblem.CERTIFICATE: (
        "has a certificate that cannot be trusted.",
        "Check that MAIL_SERVER is the name in its certificate.",
    ),
    MailServerProblem.NO_LOGIN: (
        "takes no login.",
        "Leave MAIL_USERNAME out, or use the port that takes one, usually 587.",
    ),
    MailServerProblem.LOGIN_REFUSED: ("refuses the login.", "Check MAIL_USERNAME and MAIL_PASSWORD."),
}
