"""create_app(): puts the parts together; the only file that knows them all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate
from sqlalchemy import make_url
from stripe import HTTPClient

from config import ROOT, STRIPE_API_VERSION, Settings
from models import db
from store import cli, logs, web
from store.gateway.port import PaymentGateway
from store.gateway.stripe_gateway import StripeGateway
from store.services.till import Till
from store.services.transaction import Database


def now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: Settings | None = None,
    *,
    gateway: PaymentGateway | None = None,
    clock: Callable[[], datetime] = now,
) -> Flask:
    """The store as a WSGI application. Raises ConfigurationError when the settings do not work.

    What a test wants to replace is an argument: the settings, the way to Stripe, the clock.
    """
    settings = settings or Settings.load()
    logs.configure()
    app = Flask(__name__, root_path=str(ROOT), instance_path=str(ROOT / "instance"))
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(settings.database_url),
    )
    Path(app.instance_path).mkdir(exist_ok=True)
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"), render_as_batch=True)
    with app.app_context():
        database = Database(db.engine)
    app.extensions["till"] = Till(
        settings=settings, database=database, gateway=gateway or stripe_gateway(settings), clock=clock
    )
    web.register(app)
    cli.register(app)
    return app


def stripe_gateway(settings: Settings, http_client: HTTPClient | None = None) -> StripeGateway:
    """The way to Stripe that the settings describe, over `http_client` where one is given."""
    return StripeGateway(
        settings.stripe_secret_key.get_secret_value(),
        settings.stripe_api_base,
        STRIPE_API_VERSION,
        settings.webhook_secrets,
        receipts=settings.stripe_receipts,
        http_client=http_client,
    )


def _engine_options(database_url: str) -> dict[str, object]:
    """Connections that went away are noticed before they are used; nobody waits for one, or for a lock, for ever.

    The values of a failed statement stay out of the exception, and so out of the logs: they hold names and addresses.
    """
    if make_url(database_url).get_backend_name() == "sqlite":
        return {"hide_parameters": True}
    options = "-c lock_timeout=8000 -c statement_timeout=15000 -c idle_in_transaction_session_timeout=30000"
    return {
        "hide_parameters": True,
        "pool_pre_ping": True,
        "pool_size": 10,
        "max_overflow": 10,
        "pool_timeout": 5,
        "connect_args": {"connect_timeout": 5, "options": options},
    }
