"""What a shopper reads about shipping, and about what is added to an order's lines."""

from __future__ import annotations

from store.domain.countries import country_name
from store.domain.errors import NotShippedThere, StoreError
from store.domain.money import Money
from store.domain.pricing import Adjustment, AdjustmentKind
from store.domain.tax_questions import TaxProblem
from store.services.checkout import Preview

BY_EMAIL = "It comes by e-mail, so there is no shipping to pay."
INCLUDED = "Shipping is included."


def price_or_free(price: Money) -> str:
    """An amount, where nothing to pay is good news."""
    return price.text() if price.minor else "Free"


def adjustment_amount(adjustment: Adjustment) -> str:
    """The amount of a line of a receipt that is not a product's."""
    if adjustment.kind is AdjustmentKind.SHIPPING:
        return price_or_free(adjustment.amount)
    return (adjustment.contained or adjustment.amount).text()


def shipping_refusal(refusal: StoreError) -> str:
    """Why no way of shipping can be chosen."""
    if isinstance(refusal, NotShippedThere):
        return f"We do not send to {country_name(refusal.country)}."
    return "Choose another way, please."


def shipping_note(preview: Preview, guessed: str | None = None) -> str:
    """What stands under a price that is not an order's yet. `guessed` is the country that it was made for, where the
    shopper has not said one.
    """
    return " ".join(filter(None, (_of_shipping(preview, guessed), _of_taxes(preview))))


def _of_taxes(preview: Preview) -> str:
    """Why there are no taxes in the price yet."""
    match preview.tax_problem:
        case TaxProblem.ADDRESS_UNKNOWN:
            return "Taxes are added when we know the place: check the address."
        case TaxProblem.UNAVAILABLE:
            return "Taxes are not in this total yet: we cannot calculate them right now."
    return ""


def _of_shipping(preview: Preview, guessed: str | None) -> str:
    if not preview.is_shipped:
        return BY_EMAIL
    if preview.shipping_included:
        return INCLUDED
    if preview.refusal is not None:
        return shipping_refusal(preview.refusal)
    if guessed is not None:
        return f"Shipped to {country_name(guessed)}. The checkout asks where it really goes."
    return "" if preview.chosen is not None else "Shipping is added when you have chosen a country."


def product_note(preview: Preview, guessed: str) -> str:
    """What stands by a product: how it comes, and what that costs for one piece."""
    offer = preview.chosen
    if offer is None:
        return f"{shipping_note(preview, guessed)}{_taxes(preview)}"
    cost = f"for {offer.price.text()}" if offer.price.minor else "free of charge"
    takes = f", in {offer.estimate}" if offer.estimate else ""
    return f"Shipped to {country_name(guessed)} {cost}{takes}.{_taxes(preview)}"


def _taxes(preview: Preview) -> str:
    """Which taxes the price has in it."""
    labels = [each.label.removesuffix(", included") for each in preview.quote.adjustments if each.contained is not None]
    return f" The price includes {' and '.join(labels)}." if labels else ""
