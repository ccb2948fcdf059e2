"""What a browser may do with our pages."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from config import Settings
from store.web.security import content_security_policy
from tests.support.shop import Browser


def settings(**changes: Any) -> Settings:
    return Settings.load(_env_file=None, **{"secret_key": "a-secret-for-the-tests-only", **changes})


def test_with_real_keys_only_stripes_documented_origins_are_open() -> None:
    policy = content_security_policy(
        settings(stripe_secret_key="sk_test_51Real", stripe_publishable_key="pk_test_51Real")
    )

    assert policy["script-src"] == ["'self'", "https://js.stripe.com", "https://*.js.stripe.com"]
    assert policy["frame-src"] == ["https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"]
    assert policy["connect-src"] == ["'self'", "https://api.stripe.com"]
    assert policy["form-action"] == ["'self'", "https://checkout.stripe.com"]


def test_with_the_sandbox_only_its_origin_is_open() -> None:
    policy = content_security_policy(settings(sandbox_port=4999))

    assert policy["script-src"] == ["'self'", "http://127.0.0.1:4999"]
    assert policy["frame-src"] == ["http://127.0.0.1:4999"]
    assert policy["connect-src"] == ["'self'", "http://127.0.0.1:4999"]
    assert policy["form-action"] == ["'self'", "http://127.0.0.1:4999"]


@pytest.mark.parametrize("path", ["/", "/products/brass-pen", "/cart", "/orders", "/nothing-here", "/healthz"])
def test_every_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "payment=(self" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize("path", ["/", "/products/brass-pen", "/cart", "/orders", "/nothing-here"])
def test_no_page_has_an_inline_script_or_style(client: FlaskClient, path: str) -> None:
    page = client.get(path).text

    assert "style=" not in page
    assert "<style" not in page
    assert " onclick" not in page
    assert page.count("<script") == page.count('<script type="module" src=')


def test_the_session_cookie_is_hidden_from_scripts_and_other_sites(browser: Browser) -> None:
    browser.get("/products/brass-pen")

    cookie = browser.get("/products/brass-pen").headers.get("Set-Cookie")

    assert cookie is None, "an answer that changed nothing sends no cookie"
