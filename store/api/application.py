"""Puts the API together."""

from __future__ import annotations

from flask import Flask, Response

from config import ROOT
from store.api import PATH, document, errors, guard, orders, stock
from store.gateway.deadline import RequestDeadline
from store.services.services import Services
from store.web import request_log
from store.web.context import ReferenceConverter, SlugConverter
from store.web.security import LARGEST_FORM, no_nul_in_a_path, only_so_much, security_headers, send_headers


def create(shop: Flask, request_deadline: RequestDeadline) -> Flask:
    """The application behind `/api`, which serves the store of `shop`. It has no key to sign with: nothing of it needs
    a session.
    """
    services: Services = shop.extensions["services"]
    app = Flask(__name__, root_path=str(ROOT), static_folder=None, instance_path=shop.instance_path)
    app.extensions["services"] = services
    app.config.update(
        APPLICATION_ROOT=shop.config["APPLICATION_ROOT"],
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        RATELIMIT_STORAGE_URI=services.settings.rate_limit_storage,
    )
    app.url_map.converters.update(slug=SlugConverter, reference=ReferenceConverter)
    app.url_map.strict_slashes = False  # a program gets an answer, and no redirect
    app.before_request(request_deadline.begin)
    app.teardown_request(request_deadline.end)
    request_log.register(app)
    app.before_request(no_nul_in_a_path)
    app.before_request(only_so_much)
    app.after_request(_keep_nothing)
    send_headers(app, security_headers(services.settings, takes_cards=False))
    errors.register(app)
    for part in (orders, stock, document):
        app.register_blueprint(part.blueprint, url_prefix=f"{PATH}{part.blueprint.url_prefix or ''}")
    guard.register(app)
    return app


def _keep_nothing(response: Response) -> Response:
    """Orders have names and addresses in them."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
