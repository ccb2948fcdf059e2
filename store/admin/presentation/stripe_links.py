"""Where an object is found at Stripe: in its dashboard, or in the sandbox's console."""

from __future__ import annotations

from collections.abc import Callable

from config import STRIPE_API, Settings


def stripe_links(settings: Settings) -> Callable[[str], str]:
    """The address of a payment or a payout, by its id, in the dashboard of the store's mode."""
    if settings.stripe_api_base != STRIPE_API:
        return lambda _name: f"{settings.stripe_api_base}/sandbox/"
    mode = "" if settings.live else "test/"
    return lambda name: f"https://dashboard.stripe.com/{mode}{'payouts' if name[:3] == 'po_' else 'payments'}/{name}"
