"""The one kind of HTTP session that our data leaves by, and what must be true of a place before anything is sent there."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from types import SimpleNamespace

import aiohttp
from yarl import URL

from gateway.errors import Misconfigured, PolicyRefused, UpstreamFailed, UpstreamRefused
from gateway.policy.egress import Grant
from gateway.policy.fields import Tls
from gateway.policy.registry import is_loopback

_VERSIONS = {Tls.V1_2: ssl.TLSVersion.TLSv1_2, Tls.V1_3: ssl.TLSVersion.TLSv1_3}
_NO_SUCH_VERSION = frozenset({"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "SSLV3_ALERT_HANDSHAKE_FAILURE"})
"""How OpenSSL names what comes of it: the alert for it (RFC 8446 section 6.2), an older version in the other's hello, and what
servers say that read a hello for TLS 1.3 as one for TLS 1.2 without a cipher of theirs."""


def tls_context(trusted_ca_pem: str | None = None, *, least: Tls = Tls.V1_2) -> ssl.SSLContext:
    """Certificates and host names are checked, and nothing below ``least`` is spoken (promise 24).

    ``trusted_ca_pem`` is the text of a company's own certificate authority, trusted instead of the public ones.
    """
    context = ssl.create_default_context(cadata=trusted_ca_pem)
    context.minimum_version = _VERSIONS[least]
    return context


@dataclass(frozen=True, slots=True)
class TlsContexts:
    """What processors are reached with: one context for each least version that a Grant may ask for.

    A session keeps connections apart by their context, so one that was made for less never serves a Grant that asks for more.
    """

    at_least_1_2: ssl.SSLContext
    at_least_1_3: ssl.SSLContext

    def to(self, grant: Grant) -> ssl.SSLContext:
        """The context for requests under this Grant."""
        return self.at_least_1_3 if grant.tls is Tls.V1_3 else self.at_least_1_2

    def unreached(self, grant: Grant, error: Exception) -> UpstreamFailed:
        """What to raise where a request under this Grant failed before it was answered.

        UpstreamRefused where the processor cannot speak what the Grant asks for: it would not the next time either.
        """
        if isinstance(error, aiohttp.ClientConnectorError):
            least = grant.tls or Tls.V1_2
            if getattr(getattr(error, "os_error", None), "reason", None) in _NO_SUCH_VERSION:
                message = f"{grant.processor} does not speak TLS {least} or better, and nothing was sent to it"
                return UpstreamRefused(message, hint="`tls` in its entry, its agreement or the policy asks for it")
            if least is Tls.V1_3:
                return UpstreamFailed(f"{grant.processor} could not be reached with TLS {least} or better")
        return UpstreamFailed(f"{grant.processor} could not be reached")


@lru_cache(maxsize=1)
def tls_contexts(trusted_ca_pem: str | None = None) -> TlsContexts:
    """Made once, for reading the trusted authorities takes a while. ``trusted_ca_pem``: as for ``tls_context``."""
    return TlsContexts(*(tls_context(trusted_ca_pem, least=least) for least in (Tls.V1_2, Tls.V1_3)))


Saw = Callable[[Grant, str, str], None]
"""Hears the Grant of a request that was answered over TLS, the version (``TLSv1.3``) and the name of the cipher."""


def outbound_session(saw: Saw | None = None) -> aiohttp.ClientSession:
    """A session without a proxy or password from the environment, without cookies or redirects. Close it when done.

    How many requests go out at once is bounded where they come in; here the hundred-and-first must not wait for another's answer.
    ``saw`` hears of requests that name their Grant as ``trace_request_ctx``.
    """
    staying = aiohttp.TraceConfig()
    staying.on_request_redirect.append(_not_elsewhere)
    if saw is not None:
        staying.on_request_end.append(partial(_answered, saw))
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        raise_for_status=False,
        response_class=_Response,
        trace_configs=[staying],
    )


class _Response(aiohttp.ClientResponse):
    """Keeps what TLS its connection speaks: a short answer is whole, and its connection gone back, before anybody could look."""

    spoken: ssl.SSLObject | None = None

    async def start(self, connection: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        if connection.transport is not None:
            self.spoken = connection.transport.get_extra_info("ssl_object")
        return await super().start(connection)


async def _answered(saw: Saw, _session: object, request: SimpleNamespace, answered: aiohttp.TraceRequestEndParams) -> None:
    grant, response = request.trace_request_ctx, answered.response
    if isinstance(grant, Grant) and isinstance(response, _Response):
        tell(saw, grant, response.spoken)


def tell(saw: Saw, grant: Grant, spoken: ssl.SSLObject | None) -> None:
    """What was negotiated on a connection; nothing for one without TLS, which does not leave this machine."""
    if spoken is not None:
        cipher = spoken.cipher()
        saw(grant, spoken.version() or "", cipher[0] if cipher else "")


async def _not_elsewhere(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, redirect: aiohttp.TraceRequestRedirectParams
) -> None:
    """Where a request says so, redirects are not followed; a WebSocket cannot say so, and would take its key along."""
    redirect.response.close()
    raise aiohttp.ClientError("a redirect is never followed")


def require_safe_session(session: aiohttp.ClientSession) -> None:
    """Raises Misconfigured for a session that ``outbound_session`` did not make, or made otherwise."""
    if session.trust_env or not isinstance(session.cookie_jar, aiohttp.DummyCookieJar):
        raise Misconfigured("this HTTP session may send data elsewhere or keep cookies", hint="make it with outbound_session()")


def require_safe_tls(contexts: TlsContexts) -> None:
    """Raises Misconfigured for contexts of which one checks less than ``tls_contexts`` makes it check."""
    for context, least in ((contexts.at_least_1_2, Tls.V1_2), (contexts.at_least_1_3, Tls.V1_3)):
        checked = context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname
        if not checked or context.minimum_version < _VERSIONS[least]:
            raise Misconfigured("this TLS context checks too little", hint="make it with tls_contexts()")


def endpoint(grant: Grant, path: str) -> URL:
    """The URL of ``path`` below the Grant's base URL, as the HTTP client itself understands it.

    Raises:
        PolicyRefused: the base URL is not the Grant's host, holds a password, a query or a fragment, or would carry data in
            plain text to anywhere but this machine.
    """
    return _endpoint(grant.base_url, grant.host.lower(), grant.processor, path)


@lru_cache(maxsize=256)
def _endpoint(base_url: str, named: str, processor: str, path: str) -> URL:
    """Of one processor's entry: the same for each of its Grants."""
    try:
        url = URL(base_url)
        host, port = url.host or "", url.port
    except ValueError:
        raise PolicyRefused(f"the base URL of {processor} is no URL") from None
    if not host or named not in (host, f"[{host}]", f"{host}:{port}", f"[{host}]:{port}"):
        raise PolicyRefused(f"the base URL of {processor} names another host than its Grant")
    if url.user is not None or url.password is not None or url.query_string or url.fragment:
        raise PolicyRefused(f"the base URL of {processor} holds more than scheme, host, port and path")
    if not (url.scheme == "https" or (url.scheme == "http" and is_loopback(host))):
        raise PolicyRefused(f"{processor} would be reached in plain text", hint="use https, or an address of this machine")
    return url.with_path(url.path.rstrip("/") + path)
