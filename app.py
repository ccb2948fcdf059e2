"""create_app(): puts the parts together; the only file that knows them all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
import structlog
from flask import Flask
from sqlalchemy import make_url

from config import ROOT, STRIPE_API_VERSION, ConfigurationError, Settings
from models import db
from store import admin, api, cli, logs, testmode, web
from store.gateway.deadline import RequestDeadline
from store.gateway.endpoint_sender import EndpointSender
from store.gateway.on_demand import GatewayOnDemand
from store.gateway.port import Mailer, PaymentGateway, Sender
from store.gateway.smtp_mailer import FolderMailer, MailServer, SmtpMailer
from store.services import idle_connections
from store.services.database import Database
from store.services.services import Services
from store.services.tariffs import TariffCache
from store.services.taxes import AnswerCache

if TYPE_CHECKING:
    from store.gateway.stripe import HTTPClient

log = structlog.get_logger()

# A database server that goes away without a word is noticed within half a minute, where Linux would wait for two hours.
GONE_SERVER = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}


def now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: Settings | None = None,
    *,
    http_client: HTTPClient | None = None,
    mailer: Mailer | None = None,
    endpoint_sender: Sender | None = None,
    clock: Callable[[], datetime] = now,
    stopwatch: Callable[[], float] = time.monotonic,
    instance: Path = ROOT / "instance",
) -> Flask:
    """The store as a WSGI application. Raises ConfigurationError when the settings do not work.

    What a test wants to replace is an argument: the settings, the HTTP client for Stripe, the mailer, what
    sends to endpoints of other programs, the clock, what
    counts the seconds of a request, and the folder for what stays on this machine.
    """
    settings = settings or _settings()
    logs.configure()
    for warning in settings.warnings:
        log.warning("setting", problem=warning)
    os.umask(0o077)  # the database and the mails hold names and addresses: nobody but the store's user reads them
    app = Flask(__name__, root_path=str(ROOT), static_folder=None, instance_path=str(instance))
    app.config.update(
        SECRET_KEY=settings.signing_keys[-1],
        SECRET_KEY_FALLBACKS=settings.signing_keys[:-1],
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings.database_url),
        MAIL_FILE_PATH=str(instance / "mail"),
    )
    instance.mkdir(exist_ok=True)
    if instance.stat().st_uid == os.getuid():
        instance.chmod(0o700)
    db.init_app(app)
    with app.app_context():
        database = Database(db.engine)
        if db.engine.dialect.name != "sqlite":
            idle_connections.check(db.engine, stopwatch)
    request_deadline = RequestDeadline(stopwatch)
    on_demand = GatewayOnDemand(lambda: stripe_gateway(settings, http_client, request_deadline))
    app.extensions["import_later"] = on_demand.get
    app.extensions["services"] = Services(
        settings=settings,
        database=database,
        # Whoever brings a client of Stripe's library has imported it already.
        gateway=on_demand.get() if http_client else cast(PaymentGateway, on_demand),
        mailer=mailer or mailer_for(app, settings),
        endpoint_sender=endpoint_sender or EndpointSender(live=settings.live),
        clock=clock,
        link_path=web.LINK_PATH,
        tariffs=TariffCache(own_taxes=settings.taxes == "own"),
        tax_answers=AnswerCache(),
    )
    # First: what the web wraps the application in is for these, too.
    admin.register(app, request_deadline)
    api.register(app, request_deadline)
    web.register(app, request_deadline)
    testmode.register(app, settings)
    cli.register(app)
    return app


def _settings() -> Settings:
    """A command prints what is wrong with them as sentences; a server raises ConfigurationError."""
    try:
        return Settings.load()
    except ConfigurationError as failure:
        if click.get_current_context(silent=True) is None:
            raise
        raise click.ClickException(str(failure)) from None


def stripe_gateway(
    settings: Settings, http_client: HTTPClient | None = None, request_deadline: RequestDeadline | None = None
) -> PaymentGateway:
    """Stripe as the settings describe it, through `http_client` where one is given; a web request waits no longer
    than `request_deadline`.
    """
    from store.gateway.stripe import StripeGateway  # and with it Stripe's library

    return StripeGateway(
        settings.stripe_secret_key.get_secret_value(),
        settings.stripe_api_base,
        STRIPE_API_VERSION,
        settings.webhook_secrets,
        account_id=settings.stripe_account_id,
        receipts=settings.stripe_receipts,
        request_deadline=request_deadline,
        http_client=http_client,
    )


def mailer_for(app: Flask, settings: Settings) -> Mailer:
    """The mail server that the settings name, or else a folder where a developer finds the mails."""

    def render(template: str, facts: Mapping[str, object]) -> str:
        with app.app_context():
            return app.jinja_env.get_template(template).render(facts)

    if not settings.mail_server:
        return FolderMailer(Path(app.config["MAIL_FILE_PATH"]), settings.mail_from, render)
    server = MailServer(
        settings.mail_server,
        settings.mail_port,
        settings.mail_username,
        settings.mail_password.get_secret_value(),
        settings.mail_use_tls,
    )
    return SmtpMailer(server, settings.mail_from, render)


def _engine_options(database_url: str) -> dict[str, object]:
    """Nobody waits for a connection for ever. The one that was used last is taken first: its server process has at hand
    what the next transaction needs.

    The values of a failed statement stay out of the exception, and so out of the logs: they hold names and addresses.
    """
    if make_url(database_url).get_backend_name() == "sqlite":
        return {"hide_parameters": True}
    return {
        "hide_parameters": True,
        "pool_size": 20,
        "pool_use_lifo": True,
        "max_overflow": 0,
        "pool_timeout": 5,
        "connect_args": {"connect_timeout": 5, **GONE_SERVER},
    }
