"""What the staff reads about signing in, about accounts, and where an address is not answered."""

from __future__ import annotations

from collections.abc import Mapping

from store.domain.errors import StaffRefusal, StaffRefused
from store.domain.staff import LONGEST_PASSWORD, SHORTEST_PASSWORD

# What Flask-Security says, in our words; those that no page of ours leads to are left as they are.
SIGNING_IN: Mapping[str, tuple[str, str]] = {
    "GENERIC_AUTHN_FAILED": (
        "Address and password do not belong together, or the account is locked for now. "
        "After five wrong ones it is locked for a quarter of an hour.",
        "bad",
    ),
    "TWO_FACTOR_INVALID_TOKEN": ("This is not the code of now, or it was used before. Wait for the next one.", "bad"),
    "INVALID_RECOVERY_CODE": ("This is none of your recovery codes, or it was used before.", "bad"),
    "INVALID_PASSWORD": ("This is not your password.", "bad"),
    "PASSWORD_NOT_PROVIDED": ("Type your password.", "bad"),
    "PASSWORD_IS_THE_SAME": ("This is the password that you have already.", "bad"),
    "PASSWORD_INVALID_LENGTH": (f"Take {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters: a few words do.", "bad"),
    "PASSWORD_TOO_SIMPLE": ("This is easy to guess. Take a few words that do not belong together.", "bad"),
    "RETYPE_PASSWORD_MISMATCH": ("This is not the same as above.", "bad"),
    "PASSWORD_CHANGE": ("Your password is changed, and every other browser is signed out.", "good"),
    "REAUTHENTICATION_REQUIRED": ("Type your password again before you change this.", "info"),
    "REAUTHENTICATION_SUCCESSFUL": ("Thank you. You can go on.", "good"),
    "TWO_FACTOR_PERMISSION_DENIED": ("That took too long, or was begun elsewhere. Start again.", "bad"),
    "TWO_FACTOR_LOGIN_SUCCESSFUL": ("You are signed in.", "good"),
    "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": (
        "From now on you are asked for a code when you sign in. Make recovery codes, too.",
        "good",
    ),
    "TWO_FACTOR_DISABLED": ("You are asked for no code any more.", "good"),
    "WEBAUTHN_EXPIRED": ("That took too long. Start again.", "bad"),
    "WEBAUTHN_NAME_REQUIRED": ("Give the passkey a name, such as that of the device.", "bad"),
    "WEBAUTHN_NAME_DISALLOWED_CHARACTERS": ("Take letters, digits, spaces and hyphens.", "bad"),
    "WEBAUTHN_REGISTER_SUCCESSFUL": ("The passkey “%(name)s” is added: it is asked for when you sign in.", "good"),
    "WEBAUTHN_CREDENTIAL_DELETED": ("The passkey “%(name)s” is removed.", "good"),
    "WEBAUTHN_NO_VERIFY": ("The passkey could not be checked. Try again.", "bad"),
    "WEBAUTHN_UNKNOWN_CREDENTIAL_ID": ("This passkey belongs to no account here.", "bad"),
    "API_ERROR": ("That was not complete. Start again.", "bad"),
}
LOCKED = (
    "The account is locked for now: there were too many wrong passwords or codes. Try again in a quarter of an hour."
)

_STAFF_REFUSED: Mapping[StaffRefusal, str] = {
    StaffRefusal.EMAIL_INVALID: "This is not an e-mail address, or it is longer than 80 characters.",
    StaffRefusal.EXISTS: "There is an account with this address.",
    StaffRefusal.UNKNOWN: "There is no account with this address.",
    StaffRefusal.LAST_OWNER: "This is the only owner. Make somebody else an owner first.",
    StaffRefusal.CODE_SPENT: "This recovery code was used a moment ago. Sign in with another one.",
    StaffRefusal.LIVE: "Real money moves in this shop: the account of the local shop is none here.",
}

STATUS_WORDS: Mapping[str, str] = {
    "csrf": "This form was out of date, so nothing was changed. Open the page again.",
    "400": "This request was not complete.",
    "403": "Your role does not reach this far. An owner can change it.",
    "404": "There is no such page.",
    "405": "This address cannot be used that way.",
    "413": "That was more than a form of ours holds.",
    "415": "What was sent was not a form.",
    "429": "That were many tries in a minute. Wait a moment.",
    "500": "Something went wrong on our side. The log has a record of it.",
}


def staff_refused(refused: StaffRefused) -> str:
    """Why an account is not made or changed."""
    return refused.advice or _STAFF_REFUSED[refused.reason]
