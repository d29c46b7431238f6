"""An authority that stamps times (RFC 3161 over HTTP): it sees the heads of our chains from outside."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence

import aiohttp
from cryptography.x509 import Certificate
from yarl import URL

from gateway.errors import EvidenceInvalid, Misconfigured, UpstreamFailed, UpstreamTimeout
from gateway.evidence.anchor import LARGEST_STAMP, request, stamped
from gateway.evidence.entries import Json
from gateway.policy.registry import base_url_problem

TIMEOUT_S = 20.0
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"


class Authority:
    """A time stamping authority. ``async with``. It is told a hash and a nonce, and nothing else."""

    def __init__(self, url: str, roots: Sequence[Certificate] = (), *, timeout_s: float = TIMEOUT_S) -> None:
        """``roots``: certificates that its stamps must rest on. Raises Misconfigured for an address that may not be asked."""
        if problem := base_url_problem(url):
            raise Misconfigured(f"SORDINO_TSA_URL: {problem}", hint="name an authority over https")
        self._url = URL(url)
        self._roots = roots
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        return self._url.host or ""

    async def see(self, head: Mapping[str, Json]) -> str:
        """Its stamp over that head.

        Raises:
            UpstreamTimeout, UpstreamFailed: no answer, or one that is no good stamp of this head.
        """
        asked = request(head)
        session = self._session
        if session is None:
            raise UpstreamFailed("the time stamping authority is not open")
        try:
            async with session.post(
                self._url,
                data=asked.as_bytes(),
                headers={"Content-Type": QUERY, "Accept": REPLY},
                allow_redirects=False,
            ) as answer:
                if answer.status != 200 or answer.content_type != REPLY:
                    raise UpstreamFailed(f"the time stamping authority answered with HTTP {answer.status}")
                found = await answer.content.read(LARGEST_STAMP + 1)
                while len(found) <= LARGEST_STAMP and (more := await answer.content.read(LARGEST_STAMP + 1)):
                    found += more
        except TimeoutError:
            raise UpstreamTimeout("the time stamping authority did not answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise UpstreamFailed(f"the time stamping authority cannot be reached ({type(error).__name__})") from None
        try:
            return stamped(asked, found, self._roots)
        except EvidenceInvalid as error:
            raise UpstreamFailed(f"the time stamping authority's answer is refused: {error.message}") from None

    async def __aenter__(self) -> Authority:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
