"""Sends mail: to an SMTP server, or to a folder where people and tests can read it.

Independent of invitations. A mail has an id that identifies it in every attempt: the outbox writes one
file per id, and an SMTP server sees the same Message-ID again.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from email.errors import NonASCIILocalPartDefect
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib
import attrs

from redcore_server.settings import Settings

_TIMEOUT_S: Final = 20.0  # of each step of a conversation; the job is tried again after it
_POLICY: Final = SMTPUTF8.clone(max_line_length=250)  # a link fits on its line, unbroken by quoted-printable


class MailUnavailable(Exception):  # noqa: N818 - reads as the state it reports
    """The mail was not accepted; a later retry may succeed."""


class MailRefused(Exception):  # noqa: N818 - as above
    """The mail was permanently refused."""


@attrs.frozen(kw_only=True)
class Mail:
    """A mail to one person.

    Attributes:
        id: Identifies this mail in all attempts; letters, digits and `_` only.
        sender: The From header.
        to: Recipient address.
        subject: One line.
        text: Plain-text body.
        html: HTML body.
    """

    id: str
    sender: str
    to: str
    subject: str
    text: str = attrs.field(repr=False)
    html: str = attrs.field(repr=False)

    def message(self) -> EmailMessage:
        """Return the mail as an RFC 5322 message.

        Raises:
            MailRefused: The address is not valid.
        """
        message = EmailMessage(policy=_POLICY)
        try:
            message["To"] = self.to
            _require_one_address(message)
        except (ValueError, IndexError) as error:  # the standard parser fails with an index error on some
            raise MailRefused("the address is not one mail can be sent to") from error
        message["From"] = self.sender
        message["Subject"] = " ".join(self.subject.split())
        message["Message-ID"] = f"<{self.id}@mail.blueround.com>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic replies
        message.set_content(self.text)
        message.add_alternative(self.html, subtype="html")
        return message


def _require_one_address(message: EmailMessage) -> None:
    """Raise ValueError unless the recipient is exactly one address, in ASCII or, as RFC 6532 allows, beyond it."""
    to = message["To"]
    (address,) = to.addresses
    if not address.domain or not all(isinstance(defect, NonASCIILocalPartDefect) for defect in to.defects):
        raise ValueError(to.defects)


class Mailer(Protocol):
    """Sends mail. Sending the same mail again MUST be harmless: a killed worker's job is run again."""

    async def send(self, mail: Mail) -> None:
        """Send one mail.

        Raises:
            MailUnavailable: It cannot be sent now.
            MailRefused: It was permanently refused.
        """
        ...


@attrs.frozen
class Outbox:
    """A folder with one `.eml` file per mail, for machines without a mail server."""

    folder: Path

    async def send(self, mail: Mail) -> None:
        """Write the mail; atomically, and a second attempt replaces the first."""
        await asyncio.to_thread(self._write, mail)  # a busy disk takes a tenth of a second

    def _write(self, mail: Mail) -> None:
        unfinished = self.folder / f".{mail.id}.new"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished.write_bytes(mail.message().as_bytes())
            unfinished.replace(self.folder / f"{mail.id}.eml")
        except OSError as error:
            raise MailUnavailable(f"cannot write to the outbox {self.folder}: {error.strerror}") from error


@attrs.frozen(kw_only=True)
class Smtp:
    """An SMTP server.

    `security` is the URL's scheme: `smtps` is TLS from the first byte, `smtp+starttls` requires STARTTLS,
    `smtp` uses STARTTLS if it is offered.
    """

    host: str
    port: int
    security: str
    username: str | None
    password: str | None = attrs.field(repr=False)

    @classmethod
    def from_url(cls, url: str) -> Smtp:
        """Read `smtp://user:password@host:port`; the settings have validated it."""
        parts = urlsplit(url)
        return cls(
            host=parts.hostname or "",
            port=parts.port or _PORTS[parts.scheme],
            security=parts.scheme,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    async def send(self, mail: Mail) -> None:
        """Send over a new connection.

        Raises:
            MailUnavailable: No connection, no login, or a temporary refusal (4xx).
            MailRefused: A permanent refusal (5xx) of this mail, or an address beyond ASCII that the server cannot take.
        """
        message = mail.message()
        try:
            await aiosmtplib.send(
                message,
                hostname=self.host,
                port=self.port,
                username=self.username,
                password=self.password,
                use_tls=self.security == "smtps",
                start_tls=_START_TLS[self.security],
                timeout=_TIMEOUT_S,
            )
        except (aiosmtplib.SMTPException, ssl.SSLError, OSError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> MailUnavailable | MailRefused:
        where = f"the mail server {self.host}:{self.port}"
        if _is_refusal_of_this_mail(error):
            return MailRefused(f"{where} refused the mail ({type(error).__name__})")
        return MailUnavailable(f"{where} did not take the mail ({type(error).__name__})")


_PORTS: Mapping[str, int] = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_START_TLS: Mapping[str, bool | None] = {"smtp": None, "smtps": False, "smtp+starttls": True}


def _is_refusal_of_this_mail(error: Exception) -> bool:
    """Distinguish 5xx responses about sender, recipient or content from those about us, such as a wrong password."""
    if isinstance(error, aiosmtplib.SMTPNotSupported):  # RFC 6531: the server does not offer SMTPUTF8
        return True
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(refused.code >= 500 for refused in error.recipients)
    about_the_mail = (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError)
    return isinstance(error, about_the_mail) and error.code >= 500


def mailer_for(settings: Settings) -> Mailer:
    """Return the configured mailer."""
    return Smtp.from_url(settings.smtp_url) if settings.smtp_url else Outbox(settings.outbox)
