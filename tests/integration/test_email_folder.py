"""The folder of emails: each is complete or absent, and nothing in it breaks the page that shows it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from models import Mail
from store.gateway import smtp_mailer
from store.services import mail
from tests.support.shop import Shop


def with_an_email(shop: Shop) -> str:
    order = shop.order()
    shop.pay(order)
    shop.deliver()
    mail.send_due(shop.services, shop.clock())
    return f"Your order {order.reference} is paid"


def prefixes(content: bytes) -> Iterator[bytes]:
    for length in range(0, len(content), 7):
        yield content[:length]


def test_a_half_written_email_does_not_break_the_page(shop: Shop) -> None:
    subject = with_an_email(shop)
    (file,) = shop.mail_folder.iterdir()

    for part in prefixes(file.read_bytes()):
        (shop.mail_folder / "half.log").write_bytes(part)
        page = shop.browser().get("/dev/mail")
        assert page.status_code == 200
        assert subject in page.text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no email",
        b"\xff\xfe\x00",
        b"Date: some day\nTo: a@b.c\nSubject: x\n\nx",
        b"Date: Sat, 21 Nov 2026 11:00:00 +0100\nTo: a@b.c\nSubject: x\nContent-Type: text/plain; charset=none\n\nx",
        b"Date: Sat, 21 Nov 2026 11:00:00 +0100\nTo: a@b.c\nSubject: x\nContent-Type: image/png\n\nx",
        b"Date: Sat, 21 Nov 2026 11:00:00 +0100\nTo: a@b.c\nSubject: x\nContent-Type: multipart/mixed\n\nx",
        b"Date: Sat, 21 Nov 2026 11:00:00 +0100\nTo: a@b.c\nSubject: x\n\nfrom elsewhere",
    ],
)
def test_other_files_in_the_folder_do_not_break_the_page(shop: Shop, content: bytes) -> None:
    subject = with_an_email(shop)
    (shop.mail_folder / "other.log").write_bytes(content)
    (shop.mail_folder / "folder.log").mkdir()
    (shop.mail_folder / "gone.log").symlink_to(shop.mail_folder / "nowhere")

    page = shop.browser().get("/dev/mail")

    assert page.status_code == 200
    assert subject in page.text
    assert ("from elsewhere" in page.text) == (b"from elsewhere" in content)


def test_an_email_file_gets_its_name_only_when_it_is_complete(shop: Shop) -> None:
    """A folder in the place of the unfinished file, so that an email is not even started: no file has its name."""
    subject = with_an_email(shop)
    (file,) = shop.mail_folder.iterdir()
    content = file.read_bytes()
    (shop.mail_folder / "next.part").mkdir()

    with pytest.raises(OSError, match=r"next\.part"):
        smtp_mailer.put(content, shop.mail_folder, "next")
    (shop.mail_folder / "next.part").rmdir()
    before = (shop.mail_folder / "next.log").exists()
    smtp_mailer.put(content, shop.mail_folder, "next")

    assert not before
    assert (shop.mail_folder / "next.log").read_bytes() == content
    assert not (shop.mail_folder / "next.part").exists()
    assert subject.encode() in content


def test_an_email_sent_twice_is_one_file(shop: Shop) -> None:
    """As with mail programs, which show a Message-ID once."""
    with_an_email(shop)
    with shop.services.database.transaction() as session:
        session.execute(update(Mail).values(sent_at=None, due_at=shop.clock()))

    assert mail.send_due(shop.services, shop.clock()) == 1

    assert len(list(shop.mail_folder.iterdir())) == 1
