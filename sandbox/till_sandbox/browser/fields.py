"""What the card fields are made of: the inputs of each kind of Element, named as Stripe names them.

Tests of any Stripe integration find the inputs by these names, and browsers fill them in by these hints.
"""

from functools import cache
from typing import Any

from till_sandbox.data import load

PARTS = {
    "card": ("number", "expiry", "cvc", "postal"),
    "cardNumber": ("number",),
    "cardExpiry": ("expiry",),
    "cardCvc": ("cvc",),
}

TITLES = {
    "card": "Secure card payment input frame",
    "cardNumber": "Secure card number input frame",
    "cardExpiry": "Secure expiration date input frame",
    "cardCvc": "Secure CVC input frame",
}

INPUTS = {
    "number": {
        "name": "cardnumber",
        "data-elements-stable-field-name": "cardNumber",
        "autocomplete": "cc-number",
        "inputmode": "numeric",
        "aria-label": "Credit or debit card number",
        "placeholder": "Card number",
    },
    "expiry": {
        "name": "exp-date",
        "data-elements-stable-field-name": "cardExpiry",
        "autocomplete": "cc-exp",
        "inputmode": "numeric",
        "aria-label": "Credit or debit card expiration date",
        "placeholder": "MM / YY",
    },
    "cvc": {
        "name": "cvc",
        "data-elements-stable-field-name": "cardCvc",
        "autocomplete": "cc-csc",
        "inputmode": "numeric",
        "aria-label": "Credit or debit card CVC/CVV",
        "placeholder": "CVC",
    },
    "postal": {
        "name": "postal",
        "data-elements-stable-field-name": "postalCode",
        "autocomplete": "postal-code",
        "inputmode": "numeric",
        "aria-label": "ZIP",
        "placeholder": "ZIP",
    },
}

#: Digits of a test card's number that tell its country: the issuer's six, and in most of them the country's ISO number.
COUNTRY_DIGITS = 9


@cache
def card_countries() -> dict[str, str]:
    """ISO codes of the countries of test cards, by the first digits of their numbers; the United States left out."""
    cards = [row for row in load("test-cards")["cards"] if "card" in row]
    american = {row["number"][:COUNTRY_DIGITS] for row in cards if row["card"]["country"] == "US"}
    countries = {row["number"][:COUNTRY_DIGITS]: row["card"]["country"] for row in cards}
    return {prefix: country for prefix, country in countries.items() if prefix not in american}


#: The forms that other Elements show, by the name of their page, with the titles of their frames.
FORM_TITLES = {
    "address": "Secure address input frame",
    "contact-details": "Secure email input frame",
    "currency-selector": "Secure currency selector frame",
    "express-checkout": "Secure express checkout frame",
    "link-authentication": "Secure email input frame",
    "payment": "Secure payment input frame",
}


def _field(
    name: str, label: str, autocomplete: str, columns: int = 12, inputmode: str = "text", placeholder: str = ""
) -> dict[str, Any]:
    return {
        "autocomplete": autocomplete,
        "columns": columns,
        "id": name,
        "inputmode": inputmode,
        "label": label,
        "name": name,
        "placeholder": placeholder,
    }


def form_fields(kind: str) -> list[dict[str, Any]]:
    """The fields of a form in their order; its script leaves out what is not asked for."""
    if kind == "payment":
        return [
            _field("number", "Card number", "cc-number", 12, "numeric", "1234 1234 1234 1234"),
            _field("expiry", "Expiration date", "cc-exp", 6, "numeric", "MM / YY"),
            _field("cvc", "Security code", "cc-csc", 6, "numeric", "CVC"),
            {**_field("country", "Country", "billing country", 6), "options": load("countries")["names"]},
            _field("postalCode", "ZIP code", "billing postal-code", 6, "numeric", "12345"),
        ]
    if kind == "address":
        return [
            _field("name", "Full name", "name"),
            _field("firstName", "First name", "given-name", 6),
            _field("lastName", "Last name", "family-name", 6),
            {**_field("country", "Country or region", "country"), "options": load("countries")["names"]},
            _field("addressLine1", "Address line 1", "address-line1"),
            _field("addressLine2", "Address line 2", "address-line2"),
            _field("locality", "City", "address-level2", 6),
            {**_field("administrativeArea", "State", "address-level1", 6), "options": {"": "Select"}},
            _field("administrativeArea", "State or province", "address-level1", 6),
            _field("postalCode", "ZIP code", "postal-code", 6),
            {**_field("phone", "Phone number", "tel", 12, "tel"), "type": "tel"},
        ]
    if kind in ("contact-details", "link-authentication"):
        return [_field("email", "Email", "email", 12, "email", "you@example.com")]
    return []
