"""The cart of an ordinary order and the declines of who orders it, read in one statement of PostgreSQL.

The same as `placement.read` and `card_testing.check` find, for an order without a coupon.
"""

from __future__ import annotations

from datetime import datetime

from store.domain.money import Money
from store.domain.pictures import Picture, thumbnail
from store.domain.pricing import QuoteLine, TaxClass
from store.services import card_testing
from store.services.card_testing import REMEMBERED, Shopper
from store.services.orders.drafting import CartLineToOrder, CartToOrder
from store.services.scripts import Script, ScriptRefused
from store.services.services import Services


def read(services: Services, cart_id: str | None, shopper: Shopper | None, now: datetime) -> CartToOrder | None:
    """What is in the cart, if there is anything. None is for the readable path to look at. Raises TooManyDeclines and
    StoreBusy.
    """
    known = shopper or Shopper(None, None)
    values = {
        "cart": cart_id,
        "browser": known.browser_id,
        "address": known.address_digest,
        "email": known.email_digest,
        "since": now - REMEMBERED,
    }
    try:
        rows = services.database.run(_SCRIPT, values)
    except ScriptRefused:
        return None
    if not rows:
        return None
    card_testing.refuse(rows[0][0], services.settings.declines_per_hour)
    return CartToOrder(cart_id, [_line(*row[1:]) for row in rows])


def _line(
    product_id: int,
    slug: str,
    name: str,
    image: str,
    pictures: list[dict[str, object]],
    price_minor: int,
    currency: str,
    available: int,
    weight_grams: int,
    shippable: bool,
    tax_class: str,
    quantity: int,
) -> CartLineToOrder:
    price = Money(price_minor, currency)
    line = QuoteLine(product_id, price, quantity, weight_grams, shippable, TaxClass(tax_class))
    shown = thumbnail([Picture.from_json(picture) for picture in pictures], image)
    return CartLineToOrder(line, slug, name, shown, quantity <= available)


# What the cart's own open order has reserved counts as taken: with one, no order is ordinary. By what each shopper is
# known again has an index of its own. When an order was placed is looked at last: by that, or by all three at once, the
# planner of an empty database would go through more with each order.
_SCRIPT = Script(
    {"cart": "text", "browser": "text", "address": "text", "email": "text", "since": "timestamptz"},
    """
    SELECT
        (
            SELECT coalesce(sum(payments.declines) FILTER (WHERE declined.placed_at > :since), 0)::integer
            FROM (
                SELECT id, placed_at FROM orders WHERE declined_at IS NOT NULL AND browser_id = :browser
                UNION
                SELECT id, placed_at FROM orders WHERE declined_at IS NOT NULL AND address_digest = :address
                UNION
                SELECT id, placed_at FROM orders WHERE declined_at IS NOT NULL AND email_digest = :email
            ) AS declined JOIN payments ON payments.order_id = declined.id
        ),
        products.id, products.slug, products.name, products.image, products.pictures, products.price_minor,
        products.currency, products.stock - products.reserved, products.weight_grams, products.shippable,
        products.tax_class, cart_lines.quantity
    FROM cart_lines JOIN products ON products.id = cart_lines.product_id
    WHERE cart_lines.cart_id = :cart
    ORDER BY products.id
    """,
)
