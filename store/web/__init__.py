"""The web: a route reads the request, calls one service, answers. `register` puts all of it on the application."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from store.gateway.deadline import RequestDeadline
from store.services.services import Services
from store.web import (
    cart,
    catalogue,
    checkout,
    compiled_templates,
    compression,
    context,
    documents,
    errors,
    health,
    limits,
    orders,
    pictures,
    request_log,
    security,
    static_files,
    webhooks,
)
from store.web.mount import Mount

# Where a signed link leads: see `orders.open_link`.
LINK_PATH = "/orders/{reference}/from-mail/{key}"


def register(app: Flask, request_deadline: RequestDeadline) -> None:
    """Add pages, error pages, security headers, CSRF and what templates use. Needs `app.extensions["services"]`."""
    services: Services = app.extensions["services"]
    static_files.register(app, services.settings)
    app.before_request(request_deadline.begin)
    app.teardown_request(request_deadline.end)
    app.wsgi_app = webhooks.Entry(app, request_deadline)  # type: ignore[method-assign]
    if hops := services.settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    prefix = services.settings.path_prefix
    app.config["APPLICATION_ROOT"] = prefix or "/"
    app.wsgi_app = Mount(app.wsgi_app, prefix)  # type: ignore[method-assign]
    compression.register(app)  # first, so that it comes last: it looks at whole pages
    request_log.register(app)
    security.register(app, services.settings)
    limits.register(app, services.settings)
    context.register(app)
    compiled_templates.register(app)
    errors.register(app)
    for blueprint in (
        catalogue.blueprint,
        cart.blueprint,
        checkout.blueprint,
        orders.blueprint,
        documents.blueprint,
        webhooks.blueprint,
        health.blueprint,
    ):
        app.register_blueprint(blueprint)
    pictures.register(app)
