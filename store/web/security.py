"""What a browser may do with our pages: a strict Content-Security-Policy, private caching, and forms of known shape."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, abort, request, session
from flask_talisman import Talisman
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from config import Settings

csrf = CSRFProtect()

# A form of ours is a few hundred bytes, an event of Stripe's some thousand.
LARGEST_FORM, LARGEST_EVENT = 64 * 1024, 1024 * 1024
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
_A_MONTH = 31 * 24 * 60 * 60

_STRIPE_SCRIPT = "https://js.stripe.com"
# docs.stripe.com/security/guide#content-security-policy, read mid-2026. hooks.stripe.com shows 3-D Secure.
_STRIPE_SCRIPTS = [_STRIPE_SCRIPT, "https://*.js.stripe.com"]
_STRIPE_FRAMES = [*_STRIPE_SCRIPTS, "https://hooks.stripe.com"]


def register(app: Flask, settings: Settings) -> None:
    """Headers on every answer, CSRF on every form, limits on every body."""
    live = settings.live
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_PARTS=50,
        PERMANENT_SESSION_LIFETIME=_A_MONTH,
        SESSION_COOKIE_NAME="till",
        SESSION_COOKIE_SAMESITE="Lax",
        # An answer that changed nothing must not bring back the cart of a moment ago: tabs poll while others shop.
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a checkout left open over lunch still works
        WTF_CSRF_SECRET_KEY=settings.signing_keys,  # a form that was open while SECRET_KEY changed still works
        # The token and the SameSite cookie suffice. A browser may keep the Referer to itself, and a proxy may pass on
        # another Host than the shopper sees.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.before_request(_no_nul_in_a_path)
    app.before_request(_only_so_much)
    app.before_request(_only_forms)
    csrf.init_app(app)
    app.after_request(_keep_private)
    Talisman(
        app,
        force_https=False,  # the proxy in front decides; webhooks count a redirect as a failure
        strict_transport_security=live,
        session_cookie_secure=live,
        session_cookie_http_only=True,
        frame_options="DENY",
        referrer_policy="same-origin",
        permissions_policy={
            "camera": "()",
            "geolocation": "()",
            "microphone": "()",
            "payment": f'(self "{_origin(settings.stripe_js_url)}")',
        },
        content_security_policy=content_security_policy(settings),
    )


def content_security_policy(settings: Settings) -> dict[str, list[str]]:
    """Only our own files, and the payment service's script, frames and API. Nothing inline."""
    script = _origin(settings.stripe_js_url)
    real = script == _STRIPE_SCRIPT
    return {
        "default-src": ["'none'"],
        "script-src": ["'self'", *(_STRIPE_SCRIPTS if real else [script])],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'", _origin(settings.stripe_api_base)],
        "frame-src": _STRIPE_FRAMES if real else [script],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _no_nul_in_a_path() -> None:
    """Neither a text of PostgreSQL's nor a file's name can hold one, so nothing is there."""
    if "\0" in request.path:
        abort(404)


def _only_so_much() -> None:
    """A body that comes in chunks tells its length only by its end. Werkzeug would cut it off and give us the rest."""
    if request.blueprint == "webhooks":
        request.max_content_length = LARGEST_EVENT
    largest = request.max_content_length or LARGEST_FORM
    if "Transfer-Encoding" in request.headers and len(request.get_data()) >= largest:
        raise RequestEntityTooLarge


def _only_forms() -> None:
    """A form that is not sent as a form is told so, before anybody looks for a CSRF token in it."""
    if request.method == "POST" and request.blueprint != "webhooks" and request.mimetype not in ("", *_FORM_TYPES):
        raise UnsupportedMediaType("This address takes what a form on our pages sends, and nothing else.")


def _keep_private(response: Response) -> Response:
    """Pages about an order or with an address on them are never kept; the rest belong to one browser."""
    if request.endpoint == "static":
        return response
    personal = request.path.startswith(("/orders", "/checkout", "/cart", "/webhooks")) or response.status_code >= 400
    if personal or "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store" if personal else "private, no-cache"
    if session.accessed:
        response.vary.add("Cookie")
    return response
