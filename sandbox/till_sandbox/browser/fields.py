"""What the card fields are made of: the inputs of each kind of Element, named as Stripe names them.

Tests of any Stripe integration find the inputs by these names, and browsers fill them in by these hints.
"""

from functools import cache

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
