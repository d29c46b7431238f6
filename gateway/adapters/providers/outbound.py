"""The one kind of HTTP session that our data leaves by, and what must be true of a place before anything is sent there."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import lru_cache, partial
from types import SimpleNamespace

import aiohttp
from yarl import URL

from gateway.errors import Misconfigured, PolicyRefused
from gateway.policy.egress import Grant
from gateway.policy.registry import is_loopback


def tls_context(trusted_ca_pem: str | None = None) -> ssl.SSLContext:
    """Certificates and host names are checked, and nothing below TLS 1.2 is spoken (promise 24).

    ``trusted_ca_pem`` is the text of a company's own certificate authority, trusted instead of the public ones.
    """
    context = ssl.create_default_context(cadata=trusted_ca_pem)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


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
        trace_configs=[staying],
    )


async def _answered(saw: Saw, _session: object, request: SimpleNamespace, answered: aiohttp.TraceRequestEndParams) -> None:
    grant, connection = request.trace_request_ctx, answered.response.connection
    # A short answer may have come whole already, and its connection gone back: the next one on it tells.
    if isinstance(grant, Grant) and connection is not None and connection.transport is not None:
        tell(saw, grant, connection.transport.get_extra_info("ssl_object"))


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


def require_safe_tls(context: ssl.SSLContext) -> None:
    """Raises Misconfigured for a context that checks less than ``tls_context`` does."""
    checked = context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname
    if not checked or context.minimum_version < ssl.TLSVersion.TLSv1_2:
        raise Misconfigured("this TLS context checks too little", hint="make it with tls_context()")


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
