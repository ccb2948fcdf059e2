"""Links in mail: whoever holds one may see the order, in any browser."""

from __future__ import annotations

from itsdangerous import BadSignature, URLSafeSerializer

from store.services.services import Services


def order_link(services: Services, reference: str) -> str:
    """The full address of an order, signed. It does not expire: it is the shopper's only way from another browser.
    After a change of SECRET_KEY it is valid while SECRET_KEY_FALLBACKS has the old value.
    """
    path = services.link_path.format(reference=reference, key=key_for(services, reference))
    return f"{services.settings.store_url}{path}"


def key_for(services: Services, reference: str) -> str:
    """The signed part of an order's link."""
    return str(_serializer(services).dumps(reference))


def opens(services: Services, reference: str, key: str) -> bool:
    """Whether `key` was signed for this order by this store."""
    try:
        return bool(_serializer(services).loads(key) == reference)
    except BadSignature:
        return False


def _serializer(services: Services) -> URLSafeSerializer:
    return URLSafeSerializer(services.settings.signing_keys, salt="order-link")
