"""The `Stripe-Signature` header: https://docs.stripe.com/webhooks#verify-manually"""

import hashlib
import hmac
from collections.abc import Iterable


def signature_header(payload: bytes, secrets: Iterable[str], timestamp: int) -> str:
    """`t=…,v1=…,v0=…`, with one v1 for each secret: the HMAC-SHA256 of `<timestamp>.<payload>` under the whole secret.

    Nobody checks the v0. Test mode sends one so that programs learn to look for v1.
    """
    signed = f"{timestamp}.".encode() + payload
    parts = [f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}" for secret in secrets]
    return ",".join([f"t={timestamp}", *parts, f"v0={hashlib.sha256(signed).hexdigest()}"])
