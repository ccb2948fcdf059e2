"""Links in mail: whoever holds one may see the order, in any browser."""

from __future__ import annotations

from itsdangerous import BadSignature, URLSafeSerializer

from store.services.till import Till


def order_link(till: Till, reference: str) -> str:
    """The full address of an order, signed. It does not run out: it is the shopper's only way from another browser."""
    return f"{till.settings.store_url}/orders/{reference}/from-mail/{_serializer(till).dumps(reference)}"


def opens(till: Till, reference: str, key: str) -> bool:
    """Whether `key` was signed for this order by this store."""
    try:
        return bool(_serializer(till).loads(key) == reference)
    except BadSignature:
        return False


def _serializer(till: Till) -> URLSafeSerializer:
    return URLSafeSerializer(till.settings.secret_key.get_secret_value(), salt="order-link")
