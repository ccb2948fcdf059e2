"""A whole shop in one process: the store, the real Stripe adapter, and the sandbox answering it without a socket.

The way from the store to the sandbox fails the test if a database transaction is open while it is used. Webhooks travel
when a test says so, with `shop.deliver()`, so that a test decides what is late, lost or delivered twice.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import stripe
from flask import Flask
from flask.sessions import SessionMixin
from sqlalchemy import event, select
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Response

from app import create_app
from config import Settings
from models import Order, Payment, Product, Refund
from store.domain.addresses import Address
from store.domain.references import new_token
from store.gateway.port import CancelReason, Mailer, PaymentSession
from store.services import Services, carts, catalogue, checkout, orders, payments, transitions
from store.services.history import Origin, Source
from store.services.orders import STAFF, Customer
from store.services.payments import accounts, recording
from tests.support.in_process import InProcessStripe
from till_sandbox.app import create_app as create_sandbox
from till_sandbox.webhooks.sending import Outgoing, WebhookResponse

SECRET_KEY, PUBLISHABLE_KEY, WEBHOOK_SECRET = "sk_test_shop", "pk_test_shop", "whsec_for_the_tests_of_this_shop"
WEBHOOK_PATH = "/webhooks/stripe"
ADDRESS = Address(
    full_name="Ada Shopper",
    line1="12 Market Street",
    line2="",
    city="Springfield",
    region="IL",
    postal_code="62701",
    country="US",
)
CUSTOMER = Customer(shipping=ADDRESS, billing=ADDRESS, email="ada@example.com")

# The same customer, as the form on the checkout page sends it.
FORM = {
    "email": CUSTOMER.email,
    "full_name": ADDRESS.full_name,
    "address_line1": ADDRESS.line1,
    "address_line2": ADDRESS.line2,
    "city": ADDRESS.city,
    "region": ADDRESS.region,
    "postal_code": ADDRESS.postal_code,
    "country": ADDRESS.country,
    "phone": ADDRESS.phone,
}


def customer_in(city: str) -> Customer:
    """A customer with another city."""
    elsewhere = replace(ADDRESS, city=city)
    return replace(CUSTOMER, shipping=elsewhere, billing=elsewhere)


class NoAnswer(stripe.APIConnectionError):
    """A broken connection: what the SDK raises after its last attempt."""

    def __init__(self) -> None:
        super().__init__("no answer", should_retry=False)  # type: ignore[no-untyped-call]  # the SDK types it not


@dataclass
class Clock:
    """Time that a test moves. The sandbox keeps the same time as the store."""

    offset: timedelta = timedelta()
    stopped_at: datetime | None = None

    def __call__(self) -> datetime:
        return (self.stopped_at or datetime.now(UTC)) + self.offset

    def stop(self) -> None:
        """Let no time go by but what a test lets go by."""
        self.stopped_at = datetime.now(UTC)

    def now(self) -> float:
        """The sandbox's way to ask: seconds since 1970."""
        return self().timestamp()

    def stopwatch(self) -> float:
        """Seconds, of which only those count that a test lets go by."""
        return self.offset.total_seconds()

    def forward(self, **by: float) -> None:
        self.offset += timedelta(**by)


@dataclass
class WebhookRecorder:
    """Carries the sandbox's webhooks to whoever `receiver` is at the moment, and keeps what was sent."""

    receiver: Callable[[Outgoing], int] = lambda _delivery: 200
    sent: list[Outgoing] = field(default_factory=list)

    def __call__(self, delivery: Outgoing) -> WebhookResponse:
        self.sent.append(delivery)
        return WebhookResponse(self.receiver(delivery), "")


def event_of(delivery: Outgoing) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(delivery.body)
    return event


def signed(event: Mapping[str, Any] | bytes, secret: str = WEBHOOK_SECRET, age: int = 0) -> Outgoing:
    """An event as Stripe would send it, with a signature made so many seconds ago."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, timestamp=int(time.time()) - age)
    return Outgoing("http://store.test/", body, {"Stripe-Signature": header, "Content-Type": "application/json"})


@dataclass
class Shop:
    app: Flask
    services: Services
    sandbox: Flask
    transport: InProcessStripe
    clock: Clock
    webhooks: WebhookRecorder
    mail_folder: Path
    opened_with: Services

    # --- what shoppers do -----------------------------------------------------------------------------------------

    def order(self, quantity: int = 1, slug: str = "cedar-pencil", customer: Customer = CUSTOMER) -> Order:
        """A new shopper places an order."""
        return self.place(self.cart(quantity, slug), customer)

    def cart(self, quantity: int = 1, slug: str = "cedar-pencil") -> str:
        with self.services.database.transaction() as session:
            return carts.add(session, None, slug, quantity, self.clock())

    def place(self, cart_id: str, customer: Customer = CUSTOMER, browser_id: str | None = None) -> Order:
        return checkout.place(self.services, cart_id, browser_id or new_token(), customer, self.clock())

    def open(self, order: Order) -> PaymentSession:
        """The shopper opens the payment page."""
        return payments.create(self.services, order.reference, self.clock())[1]

    def open_page(self, order: Order) -> str:
        """The shopper goes to the hosted page: its id."""
        address = payments.open_page(self.services, order.reference, self.clock())
        return urlsplit(address).path.rpartition("/")[2]

    def pay_on_page(self, page: str, card: str = "pm_card_visa", **typed: str) -> dict[str, Any]:
        """The shopper pays on the hosted page: the page, with an error or a challenge where there is one."""
        path = f"/sandbox/checkout_sessions/{page}/pay"
        answer = Client(self.sandbox, Response).post(path, json={"payment_method": card, **typed})
        body: dict[str, Any] = json.loads(answer.get_data())
        return body

    def type_on_page(self, page: str, number: str) -> dict[str, Any]:
        """The shopper types a card on the hosted page: where that leads, or why not."""
        typed = {"cardNumber": number, "cardExpiry": "12 / 34", "cardCvc": "123", "billingName": ADDRESS.full_name}
        answer = Client(self.sandbox, Response).post(f"/c/pay/{page}/pay", json=typed)
        body: dict[str, Any] = json.loads(answer.get_data())
        return body

    def look_up(self, reference: str, at: datetime | None = None) -> bool:
        """The shopper's page asks what became of the payment; whether Stripe was asked."""
        return payments.look_up(self.services, self.read(reference), at or self.clock())

    def confirm(self, payment: PaymentSession, number: str = "4242424242424242") -> dict[str, Any]:
        """The shopper's browser confirms with a card, straight at Stripe: the PaymentIntent, or the error."""
        form = {
            "key": self.services.settings.stripe_publishable_key,
            "client_secret": payment.client_secret,
            "use_stripe_sdk": "true",
            "payment_method_data[type]": "card",
            "payment_method_data[card][number]": number,
            "payment_method_data[card][exp_month]": "12",
            "payment_method_data[card][exp_year]": "2034",
            "payment_method_data[card][cvc]": "123",
        }
        answer = self.stripe("POST", f"/v1/payment_intents/{payment.snapshot.provider_payment_id}/confirm", form)
        outcome: dict[str, Any] = answer.get("error", answer)
        return outcome

    def challenge(self, intent: Mapping[str, Any], outcome: str) -> None:
        """The shopper answers the 3-D Secure challenge with `complete` or `fail`."""
        address = urlsplit(intent["next_action"]["use_stripe_sdk"]["stripe_js"])
        Client(self.sandbox, Response).post(address.path, query_string=address.query, data={"outcome": outcome})

    def pay(self, order: Order, number: str = "4242424242424242") -> dict[str, Any]:
        return self.confirm(self.open(order), number)

    # --- what staff do ------------------------------------------------------------------------------------------

    def close_by_hand(self, reference: str) -> None:
        """Staff expire an order in the database, without asking Stripe."""
        with self.services.database.transaction() as session:
            order = transitions.lock_by_reference(session, reference)
            recording.close_order(session, order, CancelReason.EXPIRED, Origin(Source.STAFF, self.clock()))

    def fulfil(self, reference: str, pieces: Mapping[int, int] | None = None) -> None:
        """The order is shipped, or so many pieces of its products, whatever its cardholder's bank says."""
        orders.fulfil(self.services, reference, None, Origin(Source.STAFF, self.clock()), pieces=pieces, disputed=True)

    # --- what Stripe does -----------------------------------------------------------------------------------------

    def stripe(self, method: str, path: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        """A call to the sandbox from anywhere else than the store; with the secret key unless the form names one."""
        headers = {} if form and "key" in form else {"Authorization": f"Bearer {SECRET_KEY}"}
        answer = Client(self.sandbox, Response).open(
            path,
            method=method,
            headers={**headers, "Content-Type": "application/x-www-form-urlencoded"},
            data=urlencode(form or {}) if method == "POST" else None,
            query_string=urlencode(form or {}) if method == "GET" else "",
        )
        body: dict[str, Any] = json.loads(answer.get_data())
        return body

    def deliver(self) -> list[Outgoing]:
        """Deliver every webhook that is due to the store; return what was sent, in that order."""
        return self.send_to(self.receive)

    def lose(self) -> list[Outgoing]:
        """Keep every webhook that is due from the store; return them, to be delivered later, twice, or never."""
        return self.send_to(lambda _delivery: 200)

    def send_to(self, receiver: Callable[[Outgoing], int]) -> list[Outgoing]:
        self.webhooks.receiver, self.webhooks.sent = receiver, []
        while self.sandbox.extensions["sandbox"].deliver_due():
            pass
        return self.webhooks.sent

    def receive(self, delivery: Outgoing) -> int:
        """The store's answer to a delivery."""
        return self.post_webhook(delivery.body, delivery.headers).status_code

    def post_webhook(self, body: bytes, headers: Mapping[str, str]) -> TestResponse:
        return self.app.test_client().post(WEBHOOK_PATH, data=body, headers=dict(headers))

    # --- what the database says -----------------------------------------------------------------------------------

    def read(self, reference: str) -> Order:
        """The order as it is now."""
        with self.services.database.reading() as session:
            return orders.find(session, reference, STAFF)

    def product(self, slug: str = "cedar-pencil") -> Product:
        with self.services.database.reading() as session:
            return catalogue.product(session, slug)

    def set_stock(self, slug: str, stock: int) -> None:
        with self.services.database.transaction() as session:
            catalogue.product(session, slug).stock = stock

    def shipments(self, reference: str) -> list[tuple[str, str]]:
        """The shipments of the order, each as what was in it and how it is followed."""
        return [
            (", ".join(f"{each.quantity} {each.line.slug}" for each in shipment.lines), shipment.how)
            for shipment in self.read(reference).shipments
        ]

    def refunds(self, reference: str) -> list[Refund]:
        """The refunds of the order, of all its payments, the oldest first."""
        with self.services.database.reading() as session:
            of_order = (
                select(Refund)
                .join(Payment, Payment.id == Refund.payment_id)
                .join(Order, Order.id == Payment.order_id)
                .where(Order.reference == reference)
                .order_by(Refund.id)
            )
            return list(session.scalars(of_order))

    def history(self, reference: str) -> list[str]:
        return [entry.type for entry in self.read(reference).history]

    def browser_with_order(self) -> tuple[Browser, str]:
        """A browser that has placed an order through the pages, and the order's reference."""
        browser = self.browser()
        browser.post("/cart/lines", {"slug": "cedar-pencil", "quantity": "1"}, page="/products/cedar-pencil")
        placed = browser.post("/checkout", FORM, page="/checkout")
        return browser, placed.location.split("/")[2]

    def charge_when_shipped(self) -> None:
        """From now on cards are authorised first, as with CAPTURE=on_shipping."""
        settings = self.services.settings.model_copy(update={"capture": "on_shipping"})
        self.services = replace(self.services, settings=settings)
        self.app.extensions["services"] = self.services

    def close(self) -> None:
        """Close every connection and file."""
        self.services.database.engine.dispose()
        self.sandbox.extensions["sandbox"].stop()

    def browser(self) -> Browser:
        return Browser(self.app)


def token_on(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    return found.group(1) if found else ""


class Browser:
    """A browser without a screen: keeps cookies, sends forms with their CSRF token."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._client = app.test_client()

    def get(self, path: str, **more: Any) -> TestResponse:
        return self._client.get(path, **more)

    def session(self) -> AbstractContextManager[SessionMixin]:
        """What the store keeps in this browser's cookie."""
        return self._client.session_transaction()

    @contextmanager
    def staff_session(self) -> Iterator[SessionMixin]:
        """What the admin keeps in this browser's cookie, to be changed."""
        admin: Flask = self._app.extensions["admin"].application
        client = admin.test_client()
        with client.session_transaction("/admin") as cookie:
            yield cookie
        kept = client.get_cookie(admin.config["SESSION_COOKIE_NAME"], path="/admin")
        if kept is not None:
            self._client.set_cookie(kept.key, kept.value, path="/admin")

    def post(self, path: str, form: Mapping[str, Any], page: str = "/cart") -> TestResponse:
        """Send a form as the page at `page` would."""
        return self._client.post(path, data={**form, "csrf_token": self.token(page)})

    def token(self, page: str) -> str:
        """The token of the first form on a page, or nothing where there is no form."""
        return token_on(self.get(page))

    def open(self, method: str, path: str, **more: Any) -> TestResponse:
        """Send anything at all."""
        return self._client.open(path, method=method, **more)

    def cookie(self, name: str, path: str = "/") -> str:
        cookie = self._client.get_cookie(name, path=path)
        return cookie.value if cookie else ""

    def set_cookie(self, name: str, value: str, path: str = "/") -> None:
        self._client.set_cookie(name, value, path=path)


def open_shop(
    database_url: str, folder: Path, *, mailer: Mailer | None = None, clock: Clock | None = None, **settings: Any
) -> Shop:
    """A shop on an empty, migrated database, its catalogue filled, its webhook endpoint known to the sandbox."""
    clock = clock or Clock()
    webhooks = WebhookRecorder()
    stand_in = create_sandbox(folder / "sandbox.sqlite3", clock=clock, send=webhooks)
    transport = InProcessStripe(stand_in)
    configured = Settings.load(
        _env_file=None,
        **{
            "secret_key": "a-secret-for-the-tests-only",
            "database_url": database_url,
            "stripe_secret_key": SECRET_KEY,
            "stripe_publishable_key": PUBLISHABLE_KEY,
            "stripe_webhook_secret": WEBHOOK_SECRET,
            "stripe_api_base": "http://127.0.0.1:4242",
            **settings,
        },
    )
    app = create_app(
        configured, http_client=transport, mailer=mailer, clock=clock, stopwatch=clock.stopwatch, instance=folder
    )
    services: Services = app.extensions["services"]
    if services.database.engine.dialect.name == "sqlite":
        event.listen(services.database.engine, "connect", _skip_disk_sync)
    transport.open_transactions = lambda: services.database.open_here
    app.wsgi_app = transport.watch(app.wsgi_app)  # type: ignore[assignment, method-assign]
    with services.database.transaction() as session:
        catalogue.seed(session, configured.store_currency)
    accounts.ask(services)  # once, and before a test counts what was asked
    transport.requests.clear()
    stand_in.extensions["sandbox"].forward(SECRET_KEY, "http://store.test" + WEBHOOK_PATH, [WEBHOOK_SECRET])
    return Shop(app, services, stand_in, transport, clock, webhooks, folder / "mail", services)


def _skip_disk_sync(connection: Any, _record: Any) -> None:
    """No test cuts the power, so nothing has to be on the disk when a transaction ends."""
    connection.execute("PRAGMA synchronous = OFF")
