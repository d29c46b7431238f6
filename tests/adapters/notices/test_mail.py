"""Notices by mail, to a real SMTP server: taken counts as delivered; in the open it speaks to this machine only."""

from __future__ import annotations

import asyncio
import email
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.policy import default

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from gateway.adapters.notices.mail import MailSender, MailServer, mail_server
from gateway.errors import Misconfigured
from gateway.policy.contacts import Contacts
from gateway.policy.notice import Terms
from gateway.policy.notice_message import announcement
from gateway.values import Private, TenantId
from tests.policy.samples import entry

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
MESSAGE = announcement(entry(name="Modell – größer"), TenantId("acme"), Terms(30), at=NOW, objection_days=18)
TO = Contacts(mail=("privacy@acme.example", "dpo@acme.example"))


@dataclass
class Post:
    """The server's side: refuses whom the test names, keeps what it took."""

    refuses: frozenset[str] = frozenset()
    full: bool = False
    taken: list[Envelope] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the server calls it so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuses:
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.full:
            return "452 no room"
        self.taken.append(envelope)
        return "250 taken"


@pytest.fixture
async def post() -> AsyncIterator[tuple[Post, MailServer]]:
    handler = Post()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: SMTP(handler, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield handler, mail_server(f"smtp://127.0.0.1:{port}", "notices@sordino.example", None)


async def test_a_person_can_read_what_arrives(post: tuple[Post, MailServer]) -> None:
    """Who, what for, where, from when on, and how to object; the id is the notice's."""
    handler, server = post
    tried = await MailSender(server).deliver(TO, MESSAGE)
    assert tried.delivered
    assert tried.proof == f"taken for 2 of 2, Message-ID <{MESSAGE.id}@sordino.example>"
    (envelope,) = handler.taken
    assert envelope.rcpt_tos == list(TO.mail)
    assert isinstance(envelope.content, bytes)
    mail = email.message_from_bytes(envelope.content, policy=default)
    assert mail["Subject"] == "New sub-processor: Modell – größer"
    assert mail["Auto-Submitted"] == "auto-generated"
    body = mail.get_body()
    assert body is not None
    text = body.get_content()
    for wanted in ("Modell – größer", "language model", "masked transcript", "from 2027-01-01 on", "18 days", "If you object"):
        assert wanted in text


@pytest.mark.parametrize(
    ("refuses", "full", "delivered", "proof"),
    [
        ({"dpo@acme.example"}, False, True, "taken for 1 of 2"),
        (set(TO.mail), False, False, "not taken (SMTPRecipientsRefused)"),
        (set(), True, False, "not taken (SMTPDataError)"),
    ],
)
async def test_one_address_that_takes_it_is_enough(
    post: tuple[Post, MailServer], refuses: set[str], full: bool, delivered: bool, proof: str
) -> None:
    """The server's own words are not kept as proof."""
    handler, server = post
    handler.refuses, handler.full = frozenset(refuses), full
    tried = await MailSender(server).deliver(TO, MESSAGE)
    assert tried.delivered is delivered
    assert tried.proof.startswith(proof)
    assert "nobody of that name" not in tried.proof


async def test_no_server_is_not_delivered(post: tuple[Post, MailServer]) -> None:
    """It is tried again later."""
    tried = await MailSender(mail_server("smtp://127.0.0.1:9", "a@b.example", None)).deliver(TO, MESSAGE)
    assert (tried.delivered, tried.proof) == (False, "not taken (SMTPConnectError)")


async def test_another_machine_is_never_spoken_to_in_the_open(post: tuple[Post, MailServer]) -> None:
    """A server without STARTTLS gets nothing, as soon as it is not this machine."""
    handler, server = post
    elsewhere = MailServer(
        "localhost.localdomain.invalid", server.port, implicit_tls=False, user=None, password=None, sender="a@b.example"
    )
    assert not elsewhere.local

    class ThisOne(MailServer):
        @property
        def local(self) -> bool:
            return False

    strict = ThisOne("127.0.0.1", server.port, implicit_tls=False, user=None, password=None, sender="a@b.example")
    tried = await MailSender(strict).deliver(TO, MESSAGE)
    assert not tried.delivered
    assert handler.taken == []


async def test_a_tenant_without_an_address_is_told(post: tuple[Post, MailServer]) -> None:
    with pytest.raises(Misconfigured, match="no mail address"):
        await MailSender(post[1]).deliver(Contacts(), MESSAGE)


def test_below_tls_1_2_nothing_is_spoken(post: tuple[Post, MailServer]) -> None:
    """Also with a company's own authorities."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    MailSender(post[1], context=context)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("url", "host", "port", "implicit", "user"),
    [
        ("smtp://mail.example", "mail.example", 587, False, None),
        ("smtps://me%40acme@mail.example", "mail.example", 465, True, "me@acme"),
        ("smtp://me@mail.example:25", "mail.example", 25, False, "me"),
    ],
)
def test_an_address_is_read(url: str, host: str, port: int, implicit: bool, user: str | None) -> None:
    """Submission with STARTTLS, or TLS from the first byte."""
    server = mail_server(url, "a@b.example", Private("secret"))
    assert (server.host, server.port, server.implicit_tls, server.user) == (host, port, implicit, user)


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("", "a@b.example"),
        ("http://mail.example", "a@b.example"),
        ("smtp://", "a@b.example"),
        ("smtp://me:secret@mail.example", "a@b.example"),
        ("smtp://mail.example:port", "a@b.example"),
        ("smtp://mail.example/path", "a@b.example"),
        ("smtp://mail.example", "nobody"),
        ("smtp://mail.example", "a@b.example\nBcc: all@b.example"),
    ],
)
def test_what_is_no_address_is_refused_without_its_password(url: str, sender: str) -> None:
    """And how it is written."""
    with pytest.raises(Misconfigured) as refused:
        mail_server(url, sender, None)
    assert "me:secret" not in str(refused.value)
