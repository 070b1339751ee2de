"""Mail as it is sent by SMTP or written into the outbox, and what becomes of failures."""

from __future__ import annotations

import email
import email.policy
import ssl
import stat
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
import trustme
from aiosmtpd.smtp import AuthResult, LoginPassword
from tests.server.support.inbox import Inbox, listening

from redcore_server.mail.mailer import Mail, MailRefused, MailUnavailable, Outbox, Smtp, mailer_for
from redcore_server.settings import Settings

pytestmark = pytest.mark.anyio

CANARY = "hunter2-canary"


def mail(**changes: str) -> Mail:
    values = {
        "id": "inv_1",
        "sender": "BlueRound <no-reply@blueround.com>",
        "to": "ann@example.com",
        "subject": "Grüße",
        "text": "Hello Ann\n",
        "html": "<p>Hello Ann</p>\n",
    }
    return Mail(**{**values, **changes})


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def smtp(inbox: Inbox) -> AsyncIterator[Smtp]:
    async with listening(inbox) as port:
        yield Smtp.from_url(f"smtp://127.0.0.1:{port}")


def test_message() -> None:
    """The message has one line per header, both forms of the text, and an id that is the same each time."""
    message = mail(subject="Two\r\nBcc: eve@example.com").message()

    assert dict(message.items()) == {
        "To": "ann@example.com",
        "From": "BlueRound <no-reply@blueround.com>",
        "Subject": "Two Bcc: eve@example.com",
        "Message-ID": "<inv_1@mail.blueround.com>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": message["Content-Type"],
    }
    text, html = message.iter_parts()
    assert (text.get_content_type(), text.get_content()) == ("text/plain", "Hello Ann\n")
    assert (html.get_content_type(), html.get_content()) == ("text/html", "<p>Hello Ann</p>\n")


@pytest.mark.parametrize("address", ["", "ann", "a@b@c", "ann@example.com\nBcc: eve@example.com", "<>", "@"])
def test_invalid_address(address: str) -> None:
    """A mail to an invalid address is refused permanently."""
    with pytest.raises(MailRefused):
        mail(to=address).message()


async def test_outbox_writes_one_file(tmp_path: Path) -> None:
    """The same mail sent twice is one file, readable by its owner only."""
    outbox = Outbox(tmp_path / "outbox")

    await outbox.send(mail())
    await outbox.send(mail(text="Hello again\n"))

    assert [path.name for path in outbox.folder.iterdir()] == ["inv_1.eml"]
    assert stat.S_IMODE(outbox.folder.stat().st_mode) == 0o700
    written = email.message_from_bytes((outbox.folder / "inv_1.eml").read_bytes(), policy=email.policy.SMTPUTF8)
    assert written["Subject"] == "Grüße"
    assert written["To"] == "ann@example.com"


async def test_the_outbox_is_written_in_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are answered meanwhile, however slow the disk is."""
    threads, replace = list[int](), Path.replace

    def noted(self: Path, target: Path) -> Path:
        threads.append(threading.get_ident())
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", noted)
    await Outbox(tmp_path / "outbox").send(mail())

    assert len(threads) == 1
    assert threads != [threading.get_ident()]


async def test_outbox_not_writable(tmp_path: Path) -> None:
    """An outbox that cannot be written is a temporary failure."""
    (tmp_path / "outbox").touch()

    with pytest.raises(MailUnavailable, match="cannot write to the outbox"):
        await Outbox(tmp_path / "outbox").send(mail())


async def test_smtp_sends(smtp: Smtp, inbox: Inbox) -> None:
    """An SMTP server gets the mail for its recipient."""
    await smtp.send(mail())

    (envelope,) = inbox.received
    assert envelope.rcpt_tos == ["ann@example.com"]
    assert envelope.mail_from == "no-reply@blueround.com"
    assert isinstance(envelope.content, bytes)
    assert b"Hello Ann" in envelope.content


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"recipient_answer": "550 No such user"}, MailRefused),
        ({"recipient_answer": "450 Busy"}, MailUnavailable),
        ({"data_answer": "554 Spam"}, MailRefused),
        ({"data_answer": "451 Later"}, MailUnavailable),
    ],
)
async def test_smtp_refusals(smtp: Smtp, inbox: Inbox, answers: dict[str, str], error: type[Exception]) -> None:
    """A permanent refusal of the mail is final; a temporary one is not."""
    for name, answer in answers.items():
        setattr(inbox, name, answer)

    with pytest.raises(error):
        await smtp.send(mail())


async def test_smtp_away() -> None:
    """A server that does not answer is a temporary failure, and the message names it without the password."""
    smtp = Smtp.from_url(f"smtp://me:{CANARY}@127.0.0.1:1")

    with pytest.raises(MailUnavailable) as caught:
        await smtp.send(mail())

    assert str(caught.value).startswith("the mail server 127.0.0.1:1 did not take the mail")
    assert CANARY not in str(caught.value) + repr(smtp)


async def test_a_refused_login_is_temporary(inbox: Inbox) -> None:
    """The operator has to correct the login; the mail waits."""

    def refuse(*_: object) -> AuthResult:
        return AuthResult(success=False, handled=False)

    async with listening(inbox, authenticator=refuse, auth_require_tls=False) as port:
        with pytest.raises(MailUnavailable, match="SMTPAuthenticationError") as caught:
            await Smtp.from_url(f"smtp://me:{CANARY}@127.0.0.1:{port}").send(mail())

    assert CANARY not in str(caught.value)


@attrs.frozen
class Guarded:
    """An SMTP server that accepts mail over TLS only, from one user, and records who sent what."""

    port: int
    logins: list[tuple[bytes, bytes]]

    def url(self, host: str = "localhost") -> str:
        """Its address, with user and password."""
        return f"smtp+starttls://me%40x:{CANARY}@{host}:{self.port}"


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """The certificate authority that this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return authority


@pytest.fixture
async def guarded(inbox: Inbox, authority: trustme.CA) -> AsyncIterator[Guarded]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    logins: list[tuple[bytes, bytes]] = []

    def login(*asked: object) -> AuthResult:
        given = asked[-1]
        assert isinstance(given, LoginPassword)
        logins.append((given.login, given.password))
        return AuthResult(success=given == LoginPassword(b"me@x", CANARY.encode()))

    options = {"tls_context": context, "require_starttls": True, "authenticator": login, "auth_required": True}
    async with listening(inbox, **options) as port:
        yield Guarded(port, logins)


async def test_starttls_and_login(inbox: Inbox, guarded: Guarded) -> None:
    """`smtp+starttls` encrypts, checks the certificate, logs in, and sends both forms of the mail."""
    await Smtp.from_url(guarded.url()).send(mail())

    (envelope,) = inbox.received
    assert guarded.logins == [(b"me@x", CANARY.encode())]
    assert isinstance(envelope.content, bytes)
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


async def test_no_password_for_a_server_with_another_name(inbox: Inbox, guarded: Guarded) -> None:
    """A certificate of another host ends the conversation before the login."""
    with pytest.raises(MailUnavailable) as caught:
        await Smtp.from_url(guarded.url("127.0.0.1")).send(mail())

    assert (inbox.received, guarded.logins) == ([], [])
    assert CANARY not in str(caught.value)


async def test_no_password_for_a_server_with_an_untrusted_certificate(
    inbox: Inbox, guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The login is not sent if the certificate's authority is not trusted."""
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(MailUnavailable):
        await Smtp.from_url(guarded.url()).send(mail())

    assert (inbox.received, guarded.logins) == ([], [])


async def test_insists_on_starttls(smtp: Smtp) -> None:
    """`smtp+starttls` sends nothing over a connection that cannot be encrypted."""
    with pytest.raises(MailUnavailable):
        await attrs.evolve(smtp, security="smtp+starttls").send(mail())


def test_urls() -> None:
    """Ports follow from the scheme, and user and password are percent-decoded."""
    assert Smtp.from_url("smtps://me%40x:p%2Fw@mail") == Smtp(
        host="mail", port=465, security="smtps", username="me@x", password="p/w"
    )
    assert Smtp.from_url("smtp+starttls://mail").port == 587
    assert Smtp.from_url("smtp://mail").port == 25


def test_mailer_by_settings(tmp_path: Path) -> None:
    """Without an SMTP server mail goes to the outbox in the data folder."""
    assert mailer_for(Settings(data=tmp_path)) == Outbox(tmp_path / "outbox")
    assert mailer_for(Settings(data=tmp_path, smtp_url="smtp://mail")) == Smtp.from_url("smtp://mail")
