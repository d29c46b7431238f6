"""Notices by mail, through the operator's own SMTP server, encrypted except to this machine (RFC 5321, RFC 3207, RFC 8314)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

import aiosmtplib

from gateway.errors import Misconfigured
from gateway.policy.contacts import Contacts
from gateway.policy.notice_message import NoticeMessage, Tried
from gateway.policy.registry import is_loopback
from gateway.tasks import keeping_cancellation
from gateway.values import Private

TIMEOUT_S = 30.0
SUBMISSION_PORT, SUBMISSIONS_PORT = 587, 465


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes out. ``implicit_tls``: the connection begins with TLS (smtps), else STARTTLS must follow."""

    host: str
    port: int
    implicit_tls: bool
    user: str | None
    password: Private[str] | None
    sender: str

    @property
    def local(self) -> bool:
        return is_loopback(self.host)


def mail_server(url: str, sender: str, password: Private[str] | None) -> MailServer:
    """``smtp://user@host:587`` or ``smtps://user@host:465``, and the address that mails come from.

    Raises:
        Misconfigured: it is no such address, holds a password, or there is no sender.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.password or parts.path.strip("/") or parts.query:
        raise Misconfigured(
            "SORDINO_SMTP_URL is not the address of a mail server",
            hint="write smtp://USER@HOST:587 or smtps://USER@HOST:465; the password is the secret SORDINO_SMTP_PASSWORD",
        )
    if sender.count("@") != 1 or any(sign.isspace() or sign in "<>," for sign in sender):
        raise Misconfigured("SORDINO_MAIL_FROM is not a mail address", hint="write the address that notices come from")
    implicit = parts.scheme == "smtps"
    user = unquote(parts.username) if parts.username else None
    default = SUBMISSIONS_PORT if implicit else SUBMISSION_PORT
    return MailServer(parts.hostname, port or default, implicit, user, password, sender)


class MailSender:
    """Delivers to ``contacts.mail``."""

    def __init__(self, server: MailServer, *, timeout_s: float = TIMEOUT_S, context: ssl.SSLContext | None = None) -> None:
        """``context``: for a company's own certificate authority; the public ones otherwise."""
        self._server = server
        self._timeout_s = timeout_s
        self._context = context or ssl.create_default_context()
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2

    async def deliver(self, contacts: Contacts, message: NoticeMessage) -> Tried:
        """Hand it to the server once. Delivered is what it took for at least one address; ``proof`` has the mail's id.

        Raises:
            Misconfigured: the tenant has no mail address.
        """
        if not contacts.mail:
            raise Misconfigured("this tenant has no mail address for notices", hint="add contacts: {mail: [ADDRESS]} to its file")
        mail = as_mail(message, self._server.sender, contacts.mail)
        server, password = self._server, self._server.password
        try:
            with keeping_cancellation():
                refused, _ = await aiosmtplib.send(
                    mail,
                    hostname=server.host,
                    port=server.port,
                    username=server.user if password else None,
                    password=password.reveal() if password else None,
                    use_tls=server.implicit_tls,
                    # Asked for, so that a server without it is refused instead of spoken to in the open.
                    start_tls=None if server.local else not server.implicit_tls,
                    tls_context=self._context,
                    timeout=self._timeout_s,
                )
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return Tried(delivered=False, proof=f"not taken ({type(error).__name__})")
        taken = len(contacts.mail) - len(refused)
        return Tried(taken > 0, f"taken for {taken} of {len(contacts.mail)}, Message-ID {mail['Message-ID']}")


def as_mail(message: NoticeMessage, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """The mail. Its Message-ID is the notice's, so that a repetition is seen as one."""
    mail = EmailMessage()
    mail["From"] = Address("Sordino notices", addr_spec=sender)
    mail["To"] = [Address(addr_spec=each) for each in to]
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = format_datetime(message.at.astimezone(UTC))
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation answers, please
    mail.set_content(message.text)
    return mail
