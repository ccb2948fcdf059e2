"""Puts the merchant's pages together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect

from config import ROOT, Settings
from store.admin import (
    PATH,
    account,
    charges,
    coupons,
    disputes,
    documents,
    endpoints,
    errors,
    guard,
    home,
    money,
    navigation,
    order_export,
    orders,
    pictures,
    products,
    programs,
    signing_in,
    team,
    uploads,
    webhooks,
)
from store.gateway.deadline import RequestDeadline
from store.services.services import Services
from store.web import context, request_log
from store.web.security import protect_forms, security_headers, send_headers

COOKIE = "till_staff"


def create(shop: Flask, request_deadline: RequestDeadline) -> Flask:
    """The application behind `/admin`, which serves the store of `shop`."""
    services: Services = shop.extensions["services"]
    settings = services.settings
    app = Flask(__name__, root_path=str(ROOT), static_folder=None, instance_path=shop.instance_path)
    app.extensions["services"] = services
    app.config.update(
        SECRET_KEY=_key(settings),
        APPLICATION_ROOT=shop.config["APPLICATION_ROOT"],
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_PATH=settings.path_prefix + PATH,
        RATELIMIT_STORAGE_URI=settings.rate_limit_storage,
    )
    app.before_request(request_deadline.begin)
    app.teardown_request(request_deadline.end)
    request_log.register(app)
    uploads.register(app)
    protect_forms(app, settings, CSRFProtect())
    app.after_request(_keep_nothing)
    app.after_request(_see_other)
    send_headers(app, security_headers(settings, takes_cards=False))
    context.register(app)
    static_url: Callable[[str], str] = shop.jinja_env.globals["static_url"]  # type: ignore[assignment]  # as the web adds it
    app.add_template_global(static_url, "static_url")
    navigation.register(app)
    errors.register(app)
    signing_in.register(app, settings)
    for part in (
        *(home, orders, disputes, order_export, products, pictures, charges, coupons, webhooks, programs, endpoints),
        *(documents, money, account, team),
    ):
        app.register_blueprint(part.blueprint, url_prefix=f"{PATH}{part.blueprint.url_prefix or ''}")
    _slow_down(app)
    guard.register(app)
    return app


def _key(settings: Settings) -> str:
    """A key of the admin's own: what the shop signs is not taken here."""
    return hashlib.sha256(b"admin:" + settings.signing_keys[-1].encode()).hexdigest()


def _keep_nothing(response: Response) -> Response:
    """Every page has names and addresses on it, or is about to."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _see_other(response: Response) -> Response:
    """A form posts, then redirects. Flask-Security says 302 there, which leaves the method open."""
    if response.status_code == 302 and request.method == "POST":
        response.status_code = 303
    return response


def _slow_down(app: Flask) -> None:
    """One network address tries a few passwords a minute, of whatever accounts; an account is locked besides."""
    limiter = Limiter(
        get_remote_address,
        swallow_errors=True,
        in_memory_fallback_enabled=True,
        storage_options={"wrap_exceptions": True},
    )
    limiter.init_app(app)
    per_minute: Any = limiter.limit(f"{signing_in.TRIES_PER_MINUTE} per minute", methods=["POST"])
    for endpoint in (f"security.{name}" for name in signing_in.GUESSED_AT):
        app.view_functions[endpoint] = per_minute(app.view_functions[endpoint])
    app.extensions["sign_in_limiter"] = limiter
