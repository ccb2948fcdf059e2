"""What the card fields are made of: the inputs of each kind of Element, named as Stripe names them.

Tests of any Stripe integration find the inputs by these names, and browsers fill them in by these hints.
"""

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
        "autocomplete": "cc-number",
        "inputmode": "numeric",
        "aria-label": "Credit or debit card number",
        "placeholder": "Card number",
    },
    "expiry": {
        "name": "exp-date",
        "autocomplete": "cc-exp",
        "inputmode": "numeric",
        "aria-label": "Credit or debit card expiration date",
        "placeholder": "MM / YY",
    },
    "cvc": {
        "name": "cvc",
        "autocomplete": "cc-csc",
        "inputmode": "numeric",
        "aria-label": "Credit or debit card CVC/CVV",
        "placeholder": "CVC",
    },
    "postal": {
        "name": "postal",
        "autocomplete": "postal-code",
        "inputmode": "numeric",
        "aria-label": "ZIP",
        "placeholder": "ZIP",
    },
}
