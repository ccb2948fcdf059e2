"""What a browser may do with our pages: a strict Content-Security-Policy, private caching, and forms of known shape."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request, session
from flask_wtf.csrf import CSRFProtect
from secure import (
    ContentSecurityPolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from config import Settings

csrf = CSRFProtect()

# A form of ours is a few hundred bytes, an event of Stripe's some thousand.
LARGEST_FORM, LARGEST_EVENT = 64 * 1024, 1024 * 1024
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
_A_MONTH, _A_YEAR = 31 * 24 * 60 * 60, 365 * 24 * 60 * 60

_STRIPE_SCRIPT = "https://js.stripe.com"
# docs.stripe.com/security/guide#content-security-policy, read mid-2026. hooks.stripe.com shows 3-D Secure.
_STRIPE_SCRIPTS = [_STRIPE_SCRIPT, "https://*.js.stripe.com"]
_STRIPE_PAGE = "https://checkout.stripe.com"
_STRIPE_FRAMES = [*_STRIPE_SCRIPTS, "https://hooks.stripe.com"]


def register(app: Flask, settings: Settings) -> None:
    """Headers on every answer, CSRF on every form, limits on every body."""
    app.config.update(
        PERMANENT_SESSION_LIFETIME=_A_MONTH,
        SESSION_COOKIE_NAME="till",
        # An answer that changed nothing must not bring back the cart of a moment ago: tabs poll while others shop.
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_SECRET_KEY=settings.signing_keys,  # a form that was open while SECRET_KEY changed still works
    )
    protect_forms(app, settings, csrf)
    app.after_request(_keep_private)
    send_headers(app, security_headers(settings))


def protect_forms(app: Flask, settings: Settings, protection: CSRFProtect) -> None:
    """Take forms of ours alone, each with the token of the session, which no other site can have a browser send."""
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_PARTS=50,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.live,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a checkout left open over lunch still works
        # The token and the SameSite cookie suffice. A browser may keep the Referer to itself, and a proxy may pass on
        # another Host than the shopper sees.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.before_request(no_nul_in_a_path)
    app.before_request(only_so_much)
    app.before_request(_only_forms)
    protection.init_app(app)


def send_headers(app: Flask, headers: Secure) -> None:
    """Have every answer carry these."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers.set_headers(response)
        return response


def security_headers(settings: Settings, *, takes_cards: bool = True) -> Secure:
    """What every answer carries; without `takes_cards`, nothing of the payment service's may run, and nothing be paid.
    HTTPS is asked for with live keys only; the proxy in front leads to it.
    """
    csp = ContentSecurityPolicy()
    for directive, sources in content_security_policy(settings).items():
        ours = [source for source in sources if "://" not in source] or ["'none'"]
        csp.custom(directive, *(sources if takes_cards else ours))
    permissions = PermissionsPolicy().camera().geolocation().microphone()
    if takes_cards:
        permissions.payment("self", f'"{_origin(settings.stripe_js_url)}"')
    else:
        permissions.payment()
    return Secure(
        csp=csp,
        hsts=_https_only(settings),
        permissions=permissions,
        referrer=ReferrerPolicy().same_origin(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
    )


def file_headers(settings: Settings, content_type: str) -> Mapping[str, str]:
    """What a static file carries: a picture that is opened by itself runs and loads nothing. A sheet or a script is
    under the policy of the page that uses it; one of its own would mean nothing.
    """
    opened = content_type.startswith("image/")
    csp = ContentSecurityPolicy().default_src("'none'") if opened else None
    return Secure(csp=csp, hsts=_https_only(settings), xcto=XContentTypeOptions().nosniff()).headers


def content_security_policy(settings: Settings) -> dict[str, list[str]]:
    """Only our own files, and the payment service's script, frames and API. Nothing inline but the icon."""
    script = _origin(settings.stripe_js_url)
    real = script == _STRIPE_SCRIPT
    return {
        "default-src": ["'none'"],
        "script-src": ["'self'", *(_STRIPE_SCRIPTS if real else [script])],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'", _origin(settings.stripe_api_base)],
        "frame-src": _STRIPE_FRAMES if real else [script],
        # Chromium and Safari hold a form to this through every redirect: it must lead to the hosted page, too.
        "form-action": ["'self'", _origin(settings.stripe_api_base) if settings.uses_sandbox else _STRIPE_PAGE],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }


def _https_only(settings: Settings) -> StrictTransportSecurity | None:
    return StrictTransportSecurity().max_age(_A_YEAR).include_subdomains() if settings.live else None


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def no_nul_in_a_path() -> None:
    """Before a request: neither a text of PostgreSQL's nor a file's name can hold one, so nothing is there."""
    if "\0" in request.path:
        abort(404)


def only_so_much() -> None:
    """Before a request: the length of a body in chunks is known only at its end. Werkzeug would cut it off and give us
    the rest.
    """
    if request.blueprint == "webhooks":
        request.max_content_length = LARGEST_EVENT
    largest = request.max_content_length or LARGEST_FORM
    if "Transfer-Encoding" in request.headers and len(request.get_data()) >= largest:
        raise RequestEntityTooLarge


def _only_forms() -> None:
    """What is not sent as a form is refused with 415, before anybody looks for a CSRF token in it."""
    if request.method == "POST" and request.blueprint != "webhooks" and request.mimetype not in ("", *_FORM_TYPES):
        raise UnsupportedMediaType("This address takes what a form on our pages sends, and nothing else.")


def _keep_private(response: Response) -> Response:
    """Pages about an order or with an address on them are never kept; the rest belong to one browser."""
    personal = request.path.startswith(("/orders", "/checkout", "/cart", "/webhooks")) or response.status_code >= 400
    if personal or "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store" if personal else "private, no-cache"
    # Whatever looks at the session has it count as accessed; what is for all looks at none.
    if not response.cache_control.public and session.accessed:
        response.vary.add("Cookie")
    return response
