"""What a shopper reads when a card is refused: what happened, that nothing was charged, and what to do next.

Keyed by Stripe's `decline_code`, or by `code` where there is none (docs.stripe.com/declines/codes, read April 2026; the
endive error codes). Lost, stolen, fraudulent, blocked and kept-back cards must not be told apart from a plain decline,
so they are not listed at all: every code without a row reads as `PLAIN`, also those that Stripe adds tomorrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_NOTHING_CHARGED = "Nothing was charged."


@dataclass(frozen=True, slots=True)
class DeclineMessage:
    """`keep_card` says that the typed card can be corrected; otherwise the field is emptied for another one."""

    happened: str
    next_step: str
    charged: str = _NOTHING_CHARGED
    keep_card: bool = False

    @property
    def text(self) -> str:
        """The three parts as one paragraph."""
        return f"{self.happened} {self.charged} {self.next_step}"


PLAIN = DeclineMessage("Your card was declined.", "Try another card, or ask your bank about this payment.")

_INSUFFICIENT = DeclineMessage(
    "Your card has insufficient funds for this payment.", "Use another card, or try again when there is enough on it."
)
_EXPIRED = DeclineMessage("Your card has expired.", "Use another card, or check the expiry date you typed.")
_SECURITY_CODE = DeclineMessage(
    "Your card’s security code is incorrect.",
    "Check the 3 digits on the back (4 on the front for American Express) and try again.",
    keep_card=True,
)
_NUMBER = DeclineMessage(
    "Your card number is incorrect.", "Check the number and try again, or use another card.", keep_card=True
)
_EXPIRY = DeclineMessage("The expiry date is incorrect.", "Check the month and year and try again.", keep_card=True)
_POSTAL_CODE = DeclineMessage(
    "Your bank knows this card under another postal code or address.",
    "Check the postal code beside the card number and try again, or use another card.",
    keep_card=True,
)
_PASSING_TROUBLE = DeclineMessage(
    "There was an error while your card was being processed.",
    "Try again in a minute, or use another card.",
    keep_card=True,
)
_LIMIT = DeclineMessage(
    "Your card was declined because it was tried too often or this payment goes over its limit.",
    "Wait a while before trying it again, or use another card.",
)
_RESTED = DeclineMessage(
    "This card was declined too often.", "Please use another card. This one can be tried again after a day."
)
_NOT_SUPPORTED = DeclineMessage("Your card does not support this kind of payment.", "Please use another card.")
_CURRENCY = DeclineMessage("Your card does not take payments in this currency.", "Please use another card.")
_AUTHENTICATION = DeclineMessage(
    "Your bank could not confirm that it was you.",
    "Try again and finish the check your bank shows you, or use another card.",
    keep_card=True,
)
_PIN = DeclineMessage("This card asks for a PIN, which cannot be typed on a web page.", "Please use another card.")
_TEST_CARD = DeclineMessage("This is a test card, and this store takes real cards.", "Please use a real card.")
_REAL_CARD = DeclineMessage(
    "This is a real card, and this store is in test mode.", "Use a test card, such as 4242 4242 4242 4242."
)
_TWICE = DeclineMessage(
    "Your bank saw a payment of the same amount a moment ago and refused this one.",
    "Look at “Your orders” for an earlier payment before you try again.",
    charged="This attempt charged nothing.",
)

DECLINES: Mapping[str, DeclineMessage] = {
    "generic_decline": PLAIN,
    "card_declined": PLAIN,
    "insufficient_funds": _INSUFFICIENT,
    "expired_card": _EXPIRED,
    "expired_payment_method": _EXPIRED,
    "incorrect_cvc": _SECURITY_CODE,
    "invalid_cvc": _SECURITY_CODE,
    "incorrect_number": _NUMBER,
    "invalid_number": _NUMBER,
    "invalid_expiry_month": _EXPIRY,
    "invalid_expiry_year": _EXPIRY,
    "incorrect_zip": _POSTAL_CODE,
    "incorrect_postal_code": _POSTAL_CODE,
    "incorrect_address": _POSTAL_CODE,
    "processing_error": _PASSING_TROUBLE,
    "issuer_not_available": _PASSING_TROUBLE,
    "try_again_later": _PASSING_TROUBLE,
    "reenter_transaction": _PASSING_TROUBLE,
    "approve_with_id": _PASSING_TROUBLE,
    "card_velocity_exceeded": _LIMIT,
    "withdrawal_count_limit_exceeded": _LIMIT,
    "card_decline_rate_limit_exceeded": _RESTED,
    "payment_intent_rate_limit_exceeded": _LIMIT,
    "card_not_supported": _NOT_SUPPORTED,
    "currency_not_supported": _CURRENCY,
    "authentication_required": _AUTHENTICATION,
    "authentication_failure": _AUTHENTICATION,
    "authentication_not_handled": _AUTHENTICATION,
    "mobile_device_authentication_required": _AUTHENTICATION,
    "payment_intent_authentication_failure": _AUTHENTICATION,
    "incorrect_pin": _PIN,
    "invalid_pin": _PIN,
    "pin_try_exceeded": _PIN,
    "offline_pin_required": _PIN,
    "online_or_offline_pin_required": _PIN,
    "duplicate_transaction": _TWICE,
    "testmode_decline": _TEST_CARD,
    "live_mode_test_card": _TEST_CARD,
    "test_mode_live_card": _REAL_CARD,
}


# Every message, the plain one first, with the codes that it is for.
DECLINE_CODES: Mapping[DeclineMessage, Sequence[str]] = {
    message: [code for code, other in DECLINES.items() if other is message] for message in (PLAIN, *DECLINES.values())
}


def decline_message(code: str | None) -> DeclineMessage:
    """The words for a decline; a code without a row, or none at all, reads as a plain decline."""
    return DECLINES.get(code or "", PLAIN)
