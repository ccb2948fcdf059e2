"""What the staff reads about signing in, about accounts, and where an address is not answered."""

from __future__ import annotations

from collections.abc import Mapping

from store.domain.errors import SignInRefusal, StaffRefusal, StaffRefused
from store.domain.staff import LONGEST_PASSWORD, SHORTEST_PASSWORD, PasswordFlaw

SIGN_IN_REFUSED: Mapping[SignInRefusal, str] = {
    SignInRefusal.WRONG: (
        "Address and password do not belong together, or the account is locked for now. "
        "After five wrong ones it is locked for a quarter of an hour."
    ),
    SignInRefusal.CODE_WRONG: "This is not the code of now, or it was used before. Wait for the next one.",
    SignInRefusal.TOO_LATE: "That took too long, or there were too many wrong codes. Sign in again.",
}

_PASSWORD_FLAWS: Mapping[PasswordFlaw, str] = {
    PasswordFlaw.TOO_SHORT: f"Take at least {SHORTEST_PASSWORD} characters: a few words do.",
    PasswordFlaw.TOO_LONG: f"Take at most {LONGEST_PASSWORD} characters.",
    PasswordFlaw.LIKE_THE_EMAIL: "Take a password without the name of the e-mail address in it.",
    PasswordFlaw.TOO_PLAIN: "These are the same few characters again and again. Take others, too.",
}

_STAFF_REFUSED: Mapping[StaffRefusal, str] = {
    StaffRefusal.EMAIL_INVALID: "This is not an e-mail address, or it is longer than 80 characters.",
    StaffRefusal.EXISTS: "There is an account with this address.",
    StaffRefusal.UNKNOWN: "There is no account with this address.",
    StaffRefusal.LAST_OWNER: "This is the only owner. Make somebody else an owner first.",
    StaffRefusal.PASSWORD_WRONG: "This is not your password.",
    StaffRefusal.CODE_WRONG: "This is not the code of now. Is the clock of your authenticator right?",
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
    return _PASSWORD_FLAWS[refused.flaw] if refused.flaw is not None else _STAFF_REFUSED[refused.reason]
