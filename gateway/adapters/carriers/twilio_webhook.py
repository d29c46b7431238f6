"""Twilio's voice webhook: is it really Twilio that asks, and what do we answer.

Signature: https://www.twilio.com/docs/usage/security#validating-requests. Answer: https://www.twilio.com/docs/voice/twiml/stream.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from gateway.errors import Misconfigured
from gateway.values import Private

SIGNATURE_HEADER = "X-Twilio-Signature"
MAX_PARAMETER_CHARS = 500
"""Twilio takes a ``<Parameter>`` only when name and value together are shorter than this."""

_DEFAULT_PORTS = {"https": 443, "http": 80}
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Form = Iterable[tuple[str, str]]


def sign(auth_token: Private[str], url: str, form: Form) -> str:
    """The value of ``X-Twilio-Signature``: base64 of HMAC-SHA1 over the URL and the sorted form fields.

    ``url`` is the URL as the carrier called it, with its query; ``form`` the decoded fields of the POST body.
    """
    text = url + "".join(name + value for name, value in sorted(set(form)))
    digest = hmac.new(auth_token.reveal().encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode("ascii")


def is_signed(auth_token: Private[str], url: str, form: Form, signature: str) -> bool:
    """Whether ``signature`` is Twilio's for this request, compared in constant time.

    The default port may stand in the URL that Twilio signed or not, whatever we were configured with: both are tried.
    An empty auth token signs nothing.
    """
    if not auth_token.reveal():
        return False
    fields = tuple(form)
    given = signature.encode("utf-8", "surrogatepass")
    matches = [hmac.compare_digest(sign(auth_token, spelling, fields).encode(), given) for spelling in _spellings(url)]
    return any(matches)


def _spellings(url: str) -> tuple[str, ...]:
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


def connect(url: str, parameters: Mapping[str, str]) -> str:
    """TwiML that connects the call to our media socket in both directions. The parameters come back in ``start``.

    Raises:
        ValueError: a parameter is longer than Twilio takes.
    """
    for name, value in parameters.items():
        if len(name) + len(value) >= MAX_PARAMETER_CHARS:
            raise ValueError(f"the stream parameter {name!r} is too long for Twilio")
    inner = "".join(f"<Parameter name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in parameters.items())
    return _response(f"<Connect><Stream url={quoteattr(url)}>{inner}</Stream></Connect>")


def reject(*, busy: bool = False) -> str:
    """TwiML that turns the call away before it is answered, without a word and without cost for the caller."""
    return _response(f'<Reject reason="{"busy" if busy else "rejected"}"/>')


def _response(inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'
