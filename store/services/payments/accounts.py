"""Which account and mode of the payment service a payment belongs to: `test:acct_…` or `live:acct_…`.

With the keys of another account, or of the other mode, the service cannot be asked about a payment. What is recorded
with it says so beforehand. Empty text is a payment from before this was recorded.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, and_, func, select, text
from sqlalchemy.orm import Session

from models import Order, Payment
from store.domain.errors import PaymentMisconfigured, PaymentUnavailable
from store.services import history, transitions
from store.services.history import Origin
from store.services.orders import reviews
from store.services.services import Services

# Of a payment that the service does not have under the store's own keys, whatever was recorded before.
UNKNOWN = "unknown"
# In the words of the index that has payments by their account.
NAMED = text("account <> ''")
REVIEW = "payment_of_another_account"


def ask(services: Services) -> str:
    """The account and mode of the store's own keys. The payment service is asked once, where the key does not tell; no
    account follows the mode while it does not answer.
    """
    try:
        account = services.gateway.account_id()
    except (PaymentUnavailable, PaymentMisconfigured):
        account = ""
    return _named(services, account)


def known(services: Services) -> str:
    """The same, as far as it is known by now: the payment service is not asked."""
    return _named(services, services.gateway.known_account_id())


def is_foreign(payment: Payment, ours: str) -> bool:
    """Whether the payment is known to belong to another account or mode than `ours`."""
    return _is_another(payment.account, ours)


def is_unpaid_test(payment: Payment) -> bool:
    """Whether the payment is known to be of test mode and unpaid, and so about no money."""
    return payment.account.startswith("test:") and not payment.received_minor


def foreign(ours: str) -> ColumnElement[bool]:
    """Whether a payment is known to belong to another account or mode than `ours`: `is_foreign` in SQL."""
    mode, _, account = ours.partition(":")
    if account:
        return Payment.account.not_in(("", f"{mode}:", ours))
    return and_(Payment.account != "", ~Payment.account.startswith(f"{mode}:"))


def count_foreign(session: Session, ours: str) -> int:
    """How many payments belong to another account or mode. Only those are read: an index has them by their account."""
    counted = select(func.count(Payment.account)).where(NAMED)
    theirs = [account for account in _recorded(session) if _is_another(account, ours)]
    return sum(session.scalars(counted.where(Payment.account == account)).one() for account in theirs)


def confirm(session: Session, services: Services, payment: Payment) -> None:
    """Note that the payment service has just answered about a payment, which is ours, then."""
    ours = known(services)
    if payment.account != ours and (not payment.account or not ours.endswith(":")):
        transitions.write(session, payment, {"account": ours})


def note_unreachable(session: Session, order: Order, payment: Payment, origin: Origin, *, missing: bool) -> None:
    """Note in the history that a payment cannot be asked about any more: it is of another account, or, where it is
    `missing`, the service does not have it. A person looks at it, for money could still come, or go back, over there.
    """
    recorded, no_money = payment.account, is_unpaid_test(payment)
    if missing:
        transitions.write(session, payment, {"account": UNKNOWN})
    subject = payment.provider_payment_id or ""
    data = {"payment": subject, "account": recorded or UNKNOWN}
    history.add_once(session, order, "payment.unreachable", origin, f"unreachable:{subject}", data)
    if not no_money:
        reviews.open_review(session, order, REVIEW, origin, subject=subject, lasting=True, account=data["account"])


def _is_another(account: str, ours: str) -> bool:
    """Whether a payment of this account is known to belong to another one, or another mode, than `ours`."""
    mode, _, name = account.partition(":")
    our_mode, _, our_name = ours.partition(":")
    if not account or mode != our_mode:
        return bool(account)
    return bool(name and our_name and name != our_name)


def _recorded(session: Session) -> Iterator[str]:
    """Each account that a payment is recorded with: a step in the index for each, over all of its payments."""
    after = ""
    while True:
        following = select(Payment.account).where(NAMED, Payment.account > after).order_by(Payment.account).limit(1)
        found = session.scalars(following).one_or_none()
        if found is None:
            return
        yield found
        after = found


def _named(services: Services, account: str) -> str:
    return f"{'live' if services.settings.live else 'test'}:{account}"
