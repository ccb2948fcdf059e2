"""API keys. Every pair sk_test_X / pk_test_X is an account of its own, made when it is first used."""

import base64
import binascii
import re

from till_sandbox import ids
from till_sandbox.api.call import Principal
from till_sandbox.api.http import Request
from till_sandbox.errors import ApiError

#: The key of whoever names none, as long as real ones are: some programs refuse shorter ones.
DEFAULT_KEY = "sk_test_sandboxonyourmachine000001"
#: What the default key was before it was that long. It stays the key of the same account, with all that is in it.
_OLDER_DEFAULT = {"sandboxonyourmachine000001": "sandbox"}

_KEY = re.compile(r"(sk|pk)_test_([A-Za-z0-9_]+)")


def authenticate(request: Request) -> Principal:
    """The caller, by Bearer or Basic authorization or a `key` parameter (as browsers send it). 401 otherwise.

    403 when the request is on another account's behalf (`Stripe-Account`, `Stripe-Context`).
    """
    key = _given(request)
    if not key:
        raise ApiError(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See "
            "https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
            status=401,
        )
    match = _KEY.fullmatch(key)
    if match is None:
        raise ApiError(f"Invalid API Key provided: {_masked(key)}", status=401)
    principal = Principal(account=account_of(key), publishable=match[1] == "pk")
    for header in ("Stripe-Account", "Stripe-Context"):
        check_access(principal.account, request.header(header) or principal.account)
    return principal


def account_of(key: str) -> str:
    """The account id of a test key, secret or publishable."""
    match = _KEY.fullmatch(key)
    if match is None:
        raise ValueError("not a test key: sk_test_… or pk_test_…")
    return ids.derived("acct_1", _OLDER_DEFAULT.get(match[2], match[2]), 15)


def check_access(account: str, asked: str) -> None:
    """A key has access to its own account and to no other; 403."""
    if asked != account:
        raise ApiError(
            f"The provided key does not have access to account '{asked}' (or that account does not exist). Application "
            "access may have been revoked.",
            status=403,
            code="account_invalid",
        )


def _given(request: Request) -> str:
    scheme, _, value = (request.header("Authorization") or "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return next((value for name, value in [*request.form, *request.query] if name == "key"), "")


def _masked(key: str) -> str:
    """The key as Stripe repeats it: its kind and its last four characters."""
    if len(key) <= 12:
        return "*" * len(key)
    prefix = next(
        (p for p in ("sk_live_", "pk_live_", "rk_live_", "rk_test_", "sk_test_", "pk_test_") if key.startswith(p)),
        key[:2],
    )
    return prefix + "*" * (len(key) - len(prefix) - 4) + key[-4:]
