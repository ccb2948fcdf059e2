"""With a slow mail server and many workers each email is sent once, and none delays another."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from models import Mail
from store.gateway.port import Email
from store.services import mail
from store.services.operations import worker
from tests.support.concurrency import at_once
from tests.support.shop import Clock, Shop


@dataclass
class SlowMailer:
    """Takes so many seconds of the shop's time for each email; `meanwhile` is called while it sends the email of that
    number.
    """

    clock: Clock
    seconds: float
    meanwhile: dict[int, Callable[[], object]] = field(default_factory=dict)
    emails: list[Email] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self) -> None:
        """It is always reachable."""

    def send(self, email: Email) -> None:
        with self._lock:
            self.emails.append(email)
            self.clock.forward(seconds=self.seconds)
            number = len(self.emails)
        self.meanwhile.get(number, lambda: None)()

    def times(self) -> set[int]:
        """How often emails were sent."""
        return set(Counter(email.message_id for email in self.emails).values())


def shop_and_mailer(shop_with: Callable[..., Shop], seconds: float) -> tuple[Shop, SlowMailer]:
    clock = Clock()
    mailer = SlowMailer(clock, seconds)
    return shop_with(mailer=mailer, clock=clock), mailer


def queue_emails(shop: Shop, many: int) -> None:
    order = shop.order()
    with shop.services.database.transaction() as session:
        for number in range(many):
            mail.write(session, order, mail.Kind.REFUNDED, shop.clock(), dedupe_key=f"{number}", amount=100)


def unsent(shop: Shop) -> int:
    with shop.services.database.reading() as session:
        return session.execute(select(func.count()).where(Mail.sent_at.is_(None))).scalar_one()


@pytest.mark.on_both_databases
def test_a_second_worker_sends_what_the_slow_first_has_not_claimed(
    shop_with: Callable[..., Shop],
) -> None:
    shop, mailer = shop_and_mailer(shop_with, seconds=20)
    queue_emails(shop, 12)
    mailer.meanwhile[5] = lambda: worker.run(shop.services, shop.clock())

    first = mail.send_due(shop.services, shop.clock())

    assert (len(mailer.emails), mailer.times()) == (12, {1})
    assert first == 5
    assert unsent(shop) == 0


def test_a_slow_email_stays_with_the_worker_that_claimed_it(shop_with: Callable[..., Shop]) -> None:
    shop, mailer = shop_and_mailer(shop_with, seconds=130)
    queue_emails(shop, 1)
    others: list[int] = []
    mailer.meanwhile[1] = lambda: others.append(mail.send_due(shop.services, shop.clock()))

    assert mail.send_due(shop.services, shop.clock()) == 1

    assert others == [0]
    assert len(mailer.emails) == 1


def test_an_email_of_a_crashed_worker_is_sent_by_another(shop_with: Callable[..., Shop]) -> None:
    shop, mailer = shop_and_mailer(shop_with, seconds=1)
    queue_emails(shop, 1)

    def crash() -> None:
        raise SystemExit

    mailer.meanwhile[1] = crash
    with pytest.raises(SystemExit):
        mail.send_due(shop.services, shop.clock())
    shop.clock.forward(minutes=4)
    early = mail.send_due(shop.services, shop.clock())
    shop.clock.forward(minutes=2)

    assert (early, mail.send_due(shop.services, shop.clock())) == (0, 1)
    assert len({email.message_id for email in mailer.emails}) == 1


def test_a_worker_that_fails_after_its_claim_leaves_the_email_to_the_next(
    shop_with: Callable[..., Shop],
) -> None:
    shop, mailer = shop_and_mailer(shop_with, seconds=1)
    queue_emails(shop, 1)

    def meanwhile() -> None:
        shop.clock.forward(minutes=6)
        mail.send_due(shop.services, shop.clock())
        raise ValueError

    mailer.meanwhile[1] = meanwhile
    mail.send_due(shop.services, shop.clock())
    shop.clock.forward(hours=2)

    assert mail.send_due(shop.services, shop.clock()) == 0
    with shop.services.database.reading() as session:
        email = session.scalars(select(Mail)).one()
    assert email.attempts == 2
    assert email.sent_at is not None


@pytest.mark.on_both_databases
def test_many_workers_at_once_send_each_email_once(shop_with: Callable[..., Shop]) -> None:
    """Fifty emails at two seconds each: longer than a minute, shorter than the claim on one email."""
    shop, mailer = shop_and_mailer(shop_with, seconds=2)
    queue_emails(shop, 50)

    def run_forever(_number: int) -> int:
        taken = 0
        while unsent(shop):
            taken += mail.send_due(shop.services, shop.clock())
        return taken

    taken = at_once(4, run_forever)

    assert not [failure for failure in taken if isinstance(failure, Exception)]
    assert sum(number for number in taken if isinstance(number, int)) == 50
    assert (len(mailer.emails), mailer.times()) == (50, {1})


@pytest.mark.on_both_databases
@pytest.mark.parametrize("failure", [ValueError, UnicodeError, LookupError, RuntimeError])
def test_an_email_that_fails_delays_no_other_and_is_retried(
    shop_with: Callable[..., Shop], failure: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    shop, mailer = shop_and_mailer(shop_with, seconds=1)
    queue_emails(shop, 3)

    def fail() -> None:
        raise failure("Invalid address ada@example.com")

    mailer.meanwhile[1] = fail
    done = worker.run(shop.services, shop.clock())
    shop.clock.forward(minutes=2)
    again = mail.send_due(shop.services, shop.clock())

    assert (done, again) == (2, 1)
    assert unsent(shop) == 0
    logged = "".join(capsys.readouterr())
    assert failure.__name__ in logged
    assert "ada@example.com" not in logged
    with shop.services.database.reading() as session:
        assert sorted(session.scalars(select(Mail.attempts))) == [1, 1, 2]


def test_an_email_that_failed_is_not_due_again_in_the_same_round(shop_with: Callable[..., Shop]) -> None:
    """A caller that passes a later time, as `make chaos` does, must not get the same email again in that round."""
    shop, mailer = shop_and_mailer(shop_with, seconds=1)
    queue_emails(shop, 1)

    def fail() -> None:
        raise ValueError

    mailer.meanwhile[1] = fail
    later = shop.clock() + timedelta(hours=3)

    assert [mail.send_due(shop.services, later) for _ in range(2)] == [0, 0]
    assert len(mailer.emails) == 1
