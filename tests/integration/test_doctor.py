"""The doctor says what will not work before a shopper finds out: what is wrong, and what to do about it."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import stripe
from click.testing import CliRunner
from flask.cli import FlaskGroup
from sqlalchemy import func, select, text
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from app import create_app
from config import STRIPE_API_VERSION, ConfigurationError, Settings
from models import Base, InboxEvent, Product
from store.cli import doctor
from store.cli.doctor import WebhookSetup
from store.domain.errors import MailUnavailable
from store.gateway.port import Email, MailServerProblem, SignedEvent
from store.services import tariffs
from store.webhooks.handlers import HANDLERS
from tests.support.shop import WEBHOOK_PATH, NoAnswer, Shop, signed

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


ADDRESS = "http://store.test/webhooks/stripe"


class NotAllowedYet(stripe.InvalidRequestError):
    """What the SDK raises for Stripe's 400 to an account that may not take payments."""

    def __init__(self) -> None:
        super().__init__("not allowed yet", None, http_status=400)  # type: ignore[no-untyped-call]  # the SDK has no types for it


class NotPermitted(stripe.PermissionError):
    """What the SDK raises for Stripe's 403 to a restricted key."""

    def __init__(self) -> None:
        super().__init__("not permitted", http_status=403)


SETUP = WebhookSetup(WEBHOOK_PATH, frozenset(HANDLERS), STRIPE_API_VERSION)


def no_wait(_seconds: float) -> None:
    """Do not wait."""


def diagnosis(
    shop: Shop,
    send: Callable[[str, SignedEvent], int] | None = None,
    *,
    setup: WebhookSetup = SETUP,
    ahead: timedelta = timedelta(),
    wait: Callable[[float], None] = no_wait,
) -> list[str]:
    found = doctor.run(shop.services, setup, shop.clock() + ahead, send or to(shop), wait)
    return [str(finding) for finding in found]


def to(shop: Shop) -> Callable[[str, SignedEvent], int]:
    """The way to a store in the same process, by the path of the address."""

    def send(url: str, event: SignedEvent) -> int:
        headers = {"Stripe-Signature": event.signature, "Content-Type": "application/json"}
        path = urlsplit(url).path
        return shop.app.test_client().post(path, data=event.body, headers=headers).status_code

    return send


def test_a_seller_without_an_address_or_a_vat_number_is_noticed(shop: Shop) -> None:
    settings = shop.services.settings
    with_address = Settings.load(**{**settings.model_dump(exclude_unset=True), "seller_address": "1 Street; Town"})
    nowhere, no_number = (
        diagnosis(replace(shop, services=replace(shop.services, settings=each)))
        for each in (settings.model_copy(update={"seller_address": ""}), with_address)
    )
    with shop.services.database.transaction() as session:
        tariffs.seed(session, "usd")
    taxed = diagnosis(replace(shop, services=replace(shop.services, settings=with_address)))

    issued_later = "Set it; the worker then issues those that are missing."
    assert nowhere == [f"invoices: SELLER_ADDRESS is not set, so no invoice is issued. {issued_later}"]
    assert no_number == []  # nothing is taxed
    assert taxed == [
        "invoices: SELLER_VAT_NUMBER is not set, while taxes are charged. "
        "Set it: an invoice with a tax on it names the number of who collects it."
    ]


def test_it_finds_nothing_wrong_with_a_good_set_up(shop: Shop) -> None:
    assert diagnosis(shop) == []


def test_its_test_webhooks_change_nothing_in_the_store(shop: Shop) -> None:
    def rows() -> dict[str, int]:
        with shop.services.database.reading() as session:
            tables = Base.metadata.sorted_tables
            return {
                table.name: session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables
            }

    shop.order()
    before, sent = rows(), list[SignedEvent]()

    def send(url: str, event: SignedEvent) -> int:
        sent.append(event)
        return to(shop)(url, event)

    diagnosis(shop, send)

    assert len(sent) == 2
    assert rows() == before
    with shop.services.database.reading() as session:
        assert session.scalars(select(InboxEvent)).all() == []


def test_a_wrong_webhook_secret_is_found_by_the_stores_answer(shop: Shop, shop_with: Callable[..., Shop]) -> None:
    """The running store was started with another secret than the one that is set by now."""
    answers = to(shop)
    newer = shop_with(stripe_webhook_secret="whsec_of_another_endpoint")

    assert diagnosis(newer, answers) == [
        f"webhooks: {ADDRESS} answered 400 to a signed event. Copy the endpoint's signing secret into "
        "STRIPE_WEBHOOK_SECRET, and start the store again."
    ]


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (300, "Stripe follows no redirect: give it the address that this one leads to."),
        (301, "Stripe follows no redirect: give it the address that this one leads to."),
        (308, "Stripe follows no redirect: give it the address that this one leads to."),
        (401, "Let everybody send to it: the signature says who it is."),
        (403, "Let everybody send to it: the signature says who it is."),
        (404, "The store takes webhooks at /webhooks/stripe: correct the endpoint's address."),
        (405, "The store takes webhooks at /webhooks/stripe: correct the endpoint's address."),
        (418, "Have it lead to this store."),
        (500, "Look into the store's log."),
        (503, "The store's database does not answer: start it, then ask the doctor again."),
    ],
)
def test_every_answer_but_a_good_one_has_its_remedy(shop: Shop, status: int, remedy: str) -> None:
    assert diagnosis(shop, lambda _url, _event: status) == [
        f"webhooks: {ADDRESS} answered {status} to a signed event. {remedy}"
    ]


def test_an_address_that_accepts_any_signature_is_not_this_store(shop: Shop) -> None:
    (finding,) = diagnosis(shop, lambda _url, _event: 200)

    assert finding == (
        f"webhooks: {ADDRESS} answered 200 to a forged event; this store answers 400. Something else answers there: "
        "have the address lead to this store."
    )


def test_an_address_that_does_not_answer_is_found(shop: Shop) -> None:
    def nobody(_url: str, _event: SignedEvent) -> int:
        raise ConnectionRefusedError

    assert diagnosis(shop, nobody) == [
        f"webhooks: {ADDRESS} does not answer. Start the store; check the address, its certificate, and what stands in "
        "front of it."
    ]


def test_a_silent_server_is_waited_for_a_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SEND_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as caller:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/webhooks/stripe"
        answer = caller.submit(doctor.over_http, url, SignedEvent(b"{}", "t=1,v1=x"))
        try:
            failure = answer.exception(timeout=10)
        finally:
            silent.accept()[0].close()

    assert isinstance(failure, OSError)


def without_endpoint(shop: Shop) -> None:
    endpoint = shop.stripe("GET", "/v1/webhook_endpoints")["data"][0]["id"]
    shop.stripe("POST", f"/v1/webhook_endpoints/{endpoint}", {"disabled": "true"})


def test_without_an_endpoint_the_stores_own_address_is_tried(shop: Shop) -> None:
    without_endpoint(shop)
    tried: list[str] = []

    def send(url: str, event: SignedEvent) -> int:
        tried.append(url)
        return to(shop)(url, event)

    findings = diagnosis(shop, send)

    assert findings == [
        "webhooks: Stripe knows no enabled endpoint that ends in /webhooks/stripe, and forwards no event to this "
        "store. Run `stripe listen --latest --forward-to http://127.0.0.1:8000/webhooks/stripe` with the secret that "
        "it prints, or `flask webhooks --create`."
    ]
    assert set(tried) == {"http://127.0.0.1:8000/webhooks/stripe"}


def test_a_developers_stripe_listen_is_recognised_by_what_it_forwards(shop: Shop) -> None:
    """It is no endpoint that Stripe lists. It signs what it forwards, and takes a second or two."""
    without_endpoint(shop)
    waited: list[float] = []

    def forward(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            for event in shop.stripe("GET", "/v1/events")["data"]:
                shop.receive(signed(event))

    assert diagnosis(shop, wait=forward) == []
    assert len(waited) == 3


def test_old_events_do_not_show_that_a_listener_runs(shop: Shop) -> None:
    shop.pay(shop.order())
    shop.deliver()
    without_endpoint(shop)

    assert len(diagnosis(shop)) == 1


def test_a_publishable_key_of_another_account_is_found(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(stripe_publishable_key="pk_test_another")

    assert diagnosis(shop) == [
        "keys: STRIPE_PUBLISHABLE_KEY is not of the account of STRIPE_SECRET_KEY: no browser could pay with it. Copy "
        "both keys again from the dashboard, from the same account."
    ]


def test_the_payment_that_the_keys_are_tried_with_is_cancelled(shop_with: Callable[..., Shop]) -> None:
    for publishable_key in ("pk_test_shop", "pk_test_another"):
        diagnosis(shop_with(stripe_publishable_key=publishable_key))

    tried = shop_with().stripe("GET", "/v1/payment_intents")["data"]
    assert {intent["status"] for intent in tried} == {"canceled"}


@pytest.mark.parametrize("currency", ["usd", "jpy", "huf", "isk", "kwd"])
def test_the_keys_are_tried_in_the_currency_of_the_store(shop_with: Callable[..., Shop], currency: str) -> None:
    assert diagnosis(shop_with(store_currency=currency)) == []


def test_all_missing_permissions_of_a_restricted_key_are_named(shop: Shop) -> None:
    def refuse(_method: str, path: str) -> None:
        if "refunds" in path or "events" in path or "cancel" in path:
            raise NotPermitted

    shop.transport.before = refuse

    assert diagnosis(shop) == [
        "keys: the restricted key STRIPE_SECRET_KEY lacks PaymentIntents (write), Charges and Refunds (write), Events "
        "(read). Add this to it in the dashboard, under API keys."
    ]


def test_an_account_without_payments_yet_is_no_wrong_key(shop: Shop) -> None:
    def refuse(method: str, path: str) -> None:
        if (method, path) == ("POST", "/v1/payment_intents"):
            raise NotAllowedYet

    shop.transport.before = refuse

    assert diagnosis(shop) == [
        "keys: Stripe refuses to create a payment of $5.00. See in the dashboard whether the account may take payments "
        "in this currency yet."
    ]


@dataclass
class BadMailServer:
    """Has this problem."""

    problem: MailServerProblem

    def check(self) -> MailServerProblem:
        return self.problem

    def send(self, email: Email) -> None:
        raise MailUnavailable


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (MailServerProblem.NO_ANSWER, "does not answer. Check MAIL_SERVER and MAIL_PORT."),
        (
            MailServerProblem.NO_TLS,
            "does not encrypt. Use the port that does (587, or 465), or set MAIL_USE_TLS=false for a server on this "
            "machine.",
        ),
        (
            MailServerProblem.CERTIFICATE,
            "has a certificate that cannot be trusted. Check that MAIL_SERVER is the name in its certificate.",
        ),
        (
            MailServerProblem.NO_LOGIN,
            "takes no login. Leave MAIL_USERNAME out, or use the port that takes one, usually 587.",
        ),
        (MailServerProblem.LOGIN_REFUSED, "refuses the login. Check MAIL_USERNAME and MAIL_PASSWORD."),
    ],
)
def test_every_problem_of_the_mail_server_has_its_remedy(
    shop_with: Callable[..., Shop], problem: MailServerProblem, sentence: str
) -> None:
    shop = shop_with(mailer=BadMailServer(problem), mail_server="smtp.till.test")

    assert diagnosis(shop) == [f"mail: smtp.till.test:587 {sentence}"]


def test_an_endpoint_that_lacks_events_is_found(shop: Shop) -> None:
    endpoint = shop.stripe("GET", "/v1/webhook_endpoints")["data"][0]["id"]
    shop.stripe("POST", f"/v1/webhook_endpoints/{endpoint}", {"enabled_events[0]": "payment_intent.succeeded"})

    (finding,) = diagnosis(shop)

    assert finding.startswith(f"webhooks: {ADDRESS} does not get charge.dispute.closed, ")
    assert finding.endswith("Run `flask webhooks --create`, or add these events to it.")


def test_an_endpoint_of_another_api_version_is_found(shop: Shop) -> None:
    form = {"url": ADDRESS, "enabled_events[0]": "*", "api_version": STRIPE_API_VERSION}
    shop.stripe("POST", "/v1/webhook_endpoints", form)

    found = diagnosis(shop, setup=replace(SETUP, api_version="2030-01-01.later"))

    assert found == [
        f"webhooks: {ADDRESS} speaks API version {STRIPE_API_VERSION}, the store 2030-01-01.later. Run `flask webhooks "
        "--create`: a version cannot be changed later."
    ]


def test_a_missing_webhook_secret_is_found(shop_with: Callable[..., Shop]) -> None:
    assert diagnosis(shop_with(stripe_webhook_secret="")) == [
        "webhooks: STRIPE_WEBHOOK_SECRET is not set. Take it from `flask webhooks --create`, or from `stripe listen`."
    ]


def test_a_wrong_clock_is_found(shop: Shop) -> None:
    (finding, *_) = diagnosis(shop, ahead=timedelta(minutes=10))

    assert finding.startswith("clock: this machine's clock is ")
    assert finding.endswith(" Run a time service: webhooks are refused when their time is too far off.")


def test_a_small_clock_skew_is_accepted(shop: Shop) -> None:
    assert diagnosis(shop, ahead=timedelta(seconds=30)) == []


def test_a_missing_migration_is_found(shop: Shop) -> None:
    with shop.services.database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    (finding,) = diagnosis(shop)

    assert finding.startswith("database: The database is at revision 0000, the code needs ")
    assert finding.rstrip().endswith(": run `flask db upgrade`.")


def test_an_unreachable_mail_server_is_found(shop_with: Callable[..., Shop]) -> None:
    shop = shop_with(mail_server="127.0.0.1", mail_port=9)

    assert diagnosis(shop) == ["mail: 127.0.0.1:9 does not answer. Check MAIL_SERVER and MAIL_PORT."]


def test_an_unreachable_stripe_is_found(shop: Shop) -> None:
    def away(_method: str, _path: str) -> None:
        raise NoAnswer

    shop.transport.before = away

    assert diagnosis(shop) == [
        "stripe: http://127.0.0.1:4242 does not answer. Check the network, or start the sandbox with `make run`."
    ]


def test_a_key_that_stripe_refuses_is_found(shop_with: Callable[..., Shop]) -> None:
    """The sandbox refuses keys that are not of its kind, as Stripe refuses those that were revoked."""
    shop = shop_with(stripe_secret_key="rk_test_" + "x" * 300)

    assert "keys: Stripe refuses STRIPE_SECRET_KEY. Copy both keys again from the dashboard, from the same mode." in (
        diagnosis(shop)
    )


def test_keys_of_two_modes_stop_the_start(shop: Shop) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.load(
            _env_file=None,
            secret_key="a-secret-for-the-tests-only",
            stripe_secret_key="sk_test_one",
            stripe_publishable_key="pk_live_other",
        )

    assert refused.value.problems == [
        "STRIPE_PUBLISHABLE_KEY is a live key while STRIPE_SECRET_KEY is a test key; take both from one mode."
    ]


def test_a_key_that_may_not_list_the_endpoints_is_not_a_wrong_key(shop: Shop) -> None:
    """As a restricted key may; what can be tried without the list still is."""

    def refuse(_method: str, path: str) -> None:
        if "webhook_endpoints" in path:
            raise NotPermitted

    shop.transport.before = refuse
    tried: list[str] = []

    def send(url: str, event: SignedEvent) -> int:
        tried.append(url)
        return to(shop)(url, event)

    assert diagnosis(shop, send) == [
        "keys: the restricted key STRIPE_SECRET_KEY lacks Webhook Endpoints (read). Add this to it in the dashboard, "
        "under API keys."
    ]
    assert set(tried) == {"http://127.0.0.1:8000/webhooks/stripe"}


def test_products_in_another_currency_than_the_stores_are_found(shop_with: Callable[..., Shop]) -> None:
    shop_with(store_currency="usd")
    shop = shop_with(store_currency="eur")
    with shop.services.database.reading() as session:
        many = len(session.scalars(select(Product)).all())

    assert diagnosis(shop) == [
        "catalogue: STORE_CURRENCY is eur, but there are products with prices in another currency: "
        f"{many} in usd. Set STORE_CURRENCY back, or change the products."
    ]


def test_a_live_store_that_sends_mail_from_localhost_is_found(shop_with: Callable[..., Shop]) -> None:
    live = {"stripe_secret_key": "sk_live_made_up", "stripe_publishable_key": "pk_live_made_up"}
    mail = {"mail_server": "127.0.0.1", "mail_port": 9, "merchant_email": "owner@example.com"}
    mail |= {"seller_address": "1 Street; Town"}
    shop = shop_with(
        **live, **mail, stripe_api_base="https://api.stripe.com", store_url="https://till.example.com", proxy_hops=1
    )

    assert diagnosis(shop)[:2] == [
        "mail: MAIL_FROM is an address at localhost, which few mail servers accept. Name an address at the store's own "
        "domain.",
        "mail: 127.0.0.1:9 does not answer. Check MAIL_SERVER and MAIL_PORT.",
    ]


def test_a_setting_that_is_probably_a_mistake_is_found(shop_with: Callable[..., Shop]) -> None:
    """A live shop with an https address has something in front of it."""
    shop = shop_with(
        stripe_secret_key="sk_live_made_up",
        stripe_publishable_key="pk_live_made_up",
        stripe_api_base="https://api.stripe.com",
        store_url="https://till.example.com",
        mail_server="smtp.till.test",
        mailer=BadMailServer(MailServerProblem.NO_ANSWER),
        merchant_email="owner@example.com",
    )

    (finding, *_) = diagnosis(shop)

    assert finding.startswith("settings: PROXY_HOPS is not set while STORE_URL is https")


@contextmanager
def listening(application: "WSGIApplication") -> Iterator[str]:
    """A store, or what stands in its place, behind a real socket; the address of its webhooks."""
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/webhooks/stripe"
    finally:
        server.shutdown()
        thread.join()


def test_it_sends_as_stripe_does(shop: Shop) -> None:
    """A redirect is an answer like any other: Stripe does not go where it leads to."""
    seen: list[Request] = []

    @Request.application
    def moved(request: Request) -> Response:
        seen.append(request)
        return Response(status=307, headers={"Location": "/elsewhere"})

    with listening(moved) as address:
        status = doctor.over_http(address, shop.services.gateway.sign_test_event(shop.clock(), forged=False))

    (request,) = seen
    assert status == 307
    assert (request.method, request.mimetype) == ("POST", "application/json")
    assert "t=" in request.headers["Stripe-Signature"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("STRIPE_SECRET_KEY", "pk_test_mixed_up"), ("STORE_PORT", "many"), ("DATABASE_URL", "mysql://localhost/till")],
)
def test_a_setting_that_is_wrong_is_a_sentence_and_no_traceback(setting: str, value: str) -> None:
    """The command line loads the store before it knows what is asked of it."""
    command_line = FlaskGroup(create_app=create_app, load_dotenv=False, set_debug_flag=False)

    result = CliRunner().invoke(command_line, ["doctor"], env={setting: value})

    assert (result.exit_code, result.exception.__class__) == (1, SystemExit)
    assert f"  - {setting} must " in result.output
    assert "Traceback" not in result.output
    assert value not in result.output


def test_the_command_runs_every_check_and_exits_accordingly(shop: Shop) -> None:
    run = shop.app.test_cli_runner().invoke
    endpoint = shop.stripe("GET", "/v1/webhook_endpoints")["data"][0]["id"]
    with listening(shop.app) as address:
        shop.stripe("POST", f"/v1/webhook_endpoints/{endpoint}", {"url": address})
        well = run(args=["doctor"])
        shop.stripe("POST", f"/v1/webhook_endpoints/{endpoint}", {"url": f"{address}?moved"})
    ill = run(args=["doctor"])

    assert (well.output, well.exit_code) == ("All is well.\n", 0)
    assert ill.exit_code == 1
    assert "does not answer" in ill.output
