"""What objects are stored by.

Most ids are random, so no two accounts have the same. Accounts may choose the ids of some kinds themselves, such as
a coupon's: those are stored by the account and the kind with them, and may be used again once they are deleted.
"""

CHOSEN_IDS = frozenset(("coupon", "product"))


def stored_name(account: str, kind: str, object_id: str) -> str:
    """The name of an account's object in the database. A name that is one already stays as it is."""
    if kind not in CHOSEN_IDS:
        return object_id
    prefix = f"{account}/{kind}/"
    return object_id if object_id.startswith(prefix) else prefix + object_id
