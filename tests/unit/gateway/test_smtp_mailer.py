"""Mail goes to the mail server as the settings say, encrypted where they say so, and the login can be tried."""

import pytest

from store.domain.errors import MailRefused, MailUnavailable
from store.gateway.port import Email, MailServerProblem
from store.gateway.smtp_mailer import MailServer, SmtpMailer, compose
from tests.support.smtp_server import CERTIFICATE, Encryption, SmtpServer

LOGIN = ("till", "hush")
EMAIL = Email("order_paid", "ada@bücher.example", "<1@till>", {"name": "Jörg"})


def render(template: str, facts: object) -> str:
    return f"Your order is paid\nHello {facts}, this is {template}.\n{'x' * 200}\n"


def mailer_for(
    server: SmtpServer, *, user: str = "", password: str = "", use_tls: bool = False, from_the_start: bool | None = None
) -> SmtpMailer:
    address = MailServer("127.0.0.1", server.port, user, password, use_tls, from_the_start)
    return SmtpMailer(address, "Till <till@shop.test>", render)


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate of the tests is one that this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


def test_an_email_arrives_complete() -> None:
    with SmtpServer() as server:
        mailer_for(server).send(EMAIL)

    (message,) = server.taken
    headers = {name: message[name] for name in ("Subject", "From", "To", "Message-ID")}
    assert headers == {
        "Subject": "Your order is paid",
        "From": "Till <till@shop.test>",
        "To": "ada@xn--bcher-kva.example",
        "Message-ID": "<1@till>",
    }
    lines = message.get_content().splitlines()
    assert lines == ["Hello {'name': 'Jörg'}, this is mail/order_paid.txt.", "x" * 200]


def test_a_login_and_the_mail_go_encrypted(trusted: None) -> None:
    with SmtpServer(Encryption.STARTTLS, LOGIN) as server:
        mailer = mailer_for(server, user="till", password="hush", use_tls=True)
        problem = mailer.check()
        mailer.send(EMAIL)

    assert problem is None
    assert len(server.taken) == 1


def test_trying_the_login_sends_no_mail() -> None:
    with SmtpServer(login=LOGIN) as server:
        assert mailer_for(server, user="till", password="hush").check() is None

    assert server.taken == []


@pytest.mark.parametrize("password", ["wrong", "größe"])
def test_a_wrong_password_is_reported(password: str) -> None:
    with SmtpServer(login=LOGIN) as server:
        assert mailer_for(server, user="till", password=password).check() is MailServerProblem.LOGIN_REFUSED


def test_a_server_without_login_is_reported() -> None:
    with SmtpServer() as server:
        assert mailer_for(server, user="till", password="hush").check() is MailServerProblem.NO_LOGIN


def test_a_server_that_does_not_encrypt_gets_no_login_and_no_mail() -> None:
    with SmtpServer(login=LOGIN) as server:
        mailer = mailer_for(server, user="till", password="hush", use_tls=True)
        problem = mailer.check()
        with pytest.raises(MailUnavailable):
            mailer.send(EMAIL)

    assert problem is MailServerProblem.NO_TLS
    assert server.taken == []


@pytest.mark.parametrize("encryption", [Encryption.STARTTLS, Encryption.FROM_THE_START])
def test_an_untrusted_certificate_is_reported(encryption: Encryption) -> None:
    with SmtpServer(encryption) as server:
        mailer = mailer_for(server, use_tls=True, from_the_start=encryption is Encryption.FROM_THE_START)

        assert mailer.check() is MailServerProblem.CERTIFICATE


def test_a_server_with_implicit_tls_gets_encrypted_mail(trusted: None) -> None:
    """As on port 465, where only root may listen."""
    with SmtpServer(Encryption.FROM_THE_START, LOGIN) as server:
        mailer = mailer_for(server, user="till", password="hush", use_tls=True, from_the_start=True)

        assert mailer.check() is None


def test_an_unreachable_server_is_reported() -> None:
    with SmtpServer() as server:
        gone = mailer_for(server)

    assert gone.check() is MailServerProblem.NO_ANSWER
    with pytest.raises(MailUnavailable):
        gone.send(EMAIL)


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_a_permanently_refused_email_is_not_retried(command: str) -> None:
    with SmtpServer(replies={command: "550 no such mailbox"}) as server, pytest.raises(MailRefused):
        mailer_for(server).send(EMAIL)


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_temporarily_refused_email_is_retried(command: str) -> None:
    with SmtpServer(replies={command: "451 not now"}) as server, pytest.raises(MailUnavailable) as failure:
        mailer_for(server).send(EMAIL)

    assert not isinstance(failure.value, MailRefused)


def test_an_address_that_this_server_cannot_encode_is_refused() -> None:
    jorg = Email("order_paid", "jörg@example.com", "<1@till>", {})

    with SmtpServer() as server, pytest.raises(MailRefused):
        mailer_for(server).send(jorg)

    assert server.taken == []


def test_a_line_that_is_too_long_for_mail_is_wrapped_in_its_encoding() -> None:
    message = compose(EMAIL, "till@shop.test", lambda _template, _facts: "Subject\n" + "é" * 600)

    assert max(len(line) for line in message.as_bytes().splitlines()) <= 998
    assert message.get_content().strip() == "é" * 600
