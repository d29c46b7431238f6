"""What a carrier's webhook is to us: somebody calls, is it really the carrier that asks, and what do we answer. No I/O.

One file a carrier implements ``Webhook``; ``gateway.http.voice`` asks it. What the carriers' files share stands here too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from gateway.errors import Misconfigured
from gateway.values import Private

TOKEN_PARAMETER = "token"  # noqa: S105 - the name of the parameter, no secret
FORM, JSON, QUERY = "form", "json", "query"
"""How a carrier writes what it asks: a form, a JSON object, or the query of a GET."""
XML = "application/xml"
FRESH_S = 300
"""How old a request with a time stamp may be, or how far ahead of our clock."""

_DEFAULT_PORTS = {"https": 443, "http": 80}
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_DIGITS = re.compile(r"[1-9][0-9]{6,14}")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a carrier. ``url`` is the one it called, with its query; ``fields`` what it says, decoded."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """The request is the carrier's. ``once`` names this very request, where something in it tells it from its repetition."""

    once: str = ""
    within_s: int = 2 * FRESH_S
    """How long a repetition would still be taken for the carrier's."""


@dataclass(frozen=True, slots=True)
class Ringing:
    """A call that waits for our answer. ``carrier_call`` is the name that the media stream will give too."""

    carrier_call: str
    from_number: Private[str]
    to_number: Private[str]
    country: str = ""
    """Where the carrier says that the caller is; empty: it does not say."""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    text: str
    content_type: str
    status: int = HTTPStatus.OK


class Webhook(Protocol):
    """A carrier's way to ask what to do with a call."""

    @property
    def carrier(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def takes(self) -> str:
        """``FORM``, ``JSON`` or ``QUERY``."""
        ...

    @property
    def proven_by(self) -> str:
        """What shows that it is the carrier, in words for whoever is refused."""
        ...

    @property
    def max_token_chars(self) -> int:
        """The longest token that comes back from this carrier unharmed."""
        ...

    def called(self, fields: Mapping[str, str]) -> str:
        """The called number in E.164 form, or something that is none."""
        ...

    def proven(self, secret: Private[str], asked: Asked, now: datetime) -> Proof | None:
        """Whether the holder of the secret made this request, in constant time; None: not, too long ago, or not to be known."""
        ...

    def ringing(self, fields: Mapping[str, str]) -> Ringing:
        """Raises InvalidRequest: the call is not named as this carrier names calls."""
        ...

    def connect(self, socket: str, ringing: Ringing, token: str) -> Answer:
        """Connect the call to our media socket in both directions; the token comes back in its first messages."""
        ...

    def busy(self) -> Answer:
        """Turn the call away."""
        ...

    def then(self, answer: Answer, url: str) -> Answer:
        """``answer``, and ask at ``url`` what next as soon as our stream has ended and the caller is still there."""
        ...

    def dial(self, number: Private[str]) -> Answer:
        """Connect the caller with that number (E.164), and us with nobody any more."""
        ...

    def hang_up(self) -> Answer:
        """End the call."""
        ...


def xml_then(answer: Answer, url: str) -> Answer:
    """``Webhook.then`` for carriers whose XML goes on behind the stream with the next verb, and has ``Redirect`` for one."""
    verb = f'<Redirect method="POST">{escape(url)}</Redirect></Response>'
    return replace(answer, text=answer.text.removesuffix("</Response>") + verb)


def xml_dial(number: Private[str]) -> Answer:
    """``Webhook.dial`` in the XML that these carriers share."""
    return Answer(xml_response(f"<Dial><Number>{escape(number.reveal())}</Number></Dial>"), XML)


def xml_hang_up() -> Answer:
    """``Webhook.hang_up`` in the XML that these carriers share."""
    return Answer(xml_response("<Hangup/>"), XML)


def xml_response(inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'


def once_of(*parts: str) -> str:
    """A name for a request that says nothing of it."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def fresh(stamp: int, now: datetime) -> bool:
    """Whether a Unix time is about now."""
    return abs(now.timestamp() - stamp) <= FRESH_S


def with_plus(number: str) -> str:
    """A number that the carrier writes without its plus, in E.164 form; anything else as it is."""
    return f"+{number}" if _DIGITS.fullmatch(number) else number


def spellings(url: str) -> tuple[str, ...]:
    """The URL with and without its default port: carriers sign either."""
    parts = urlsplit(url)
    default = _DEFAULT_PORTS.get(parts.scheme)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    if parts.port == default:
        return (url, parts._replace(netloc=host).geturl())
    if parts.port is None:
        return (url, parts._replace(netloc=f"{host}:{default}").geturl())
    return (url,)


def stream_url(public_url: str, path: str) -> str:
    """The WebSocket URL at the public address of the gateway: ``wss``, or ``ws`` on this very machine.

    Raises:
        Misconfigured: no http(s) URL, or a plaintext one of another machine (promise 24).
    """
    parts = urlsplit(public_url)
    try:
        whole = parts.port is None or parts.port > 0
    except ValueError:
        whole = False
    if not whole or parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise Misconfigured("the public URL is not an http(s) URL of a host", hint="set SORDINO_PUBLIC_URL=https://your.host")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise Misconfigured(
            "the public URL is plaintext, and calls would travel in clear", hint="set SORDINO_PUBLIC_URL=https://your.host"
        )
    scheme = "wss" if parts.scheme == "https" else "ws"
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}{path}"
