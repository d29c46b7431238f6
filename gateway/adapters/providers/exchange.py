"""One exchange with a processor over HTTP, whatever its dialect: bounded in time and size, never repeated, never redirected.

A dialect is a ``Wire``: how a request is written and how an answer is read. Sockets, bounds and errors are here alone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from yarl import URL

from gateway.adapters.providers.outbound import TlsContexts, require_safe_session, require_safe_tls, tls_contexts
from gateway.adapters.providers.sse import SseBroken, SseDecoder
from gateway.errors import (
    Misconfigured,
    PolicyRefused,
    UpstreamBusy,
    UpstreamFailed,
    UpstreamRefused,
    UpstreamTimeout,
)
from gateway.policy.egress import Grant
from gateway.ports import ChatDelta, ChatRequest, Secrets
from gateway.values import Hop

_KEY = re.compile(r"[\x21-\x7e]{1,4096}")
_LONGEST_RETRY_S = 3600.0
_AGAIN = frozenset({408, 409, 425})
"""Statuses of the 4xx class that another attempt may mend (RFC 9110 sections 15.5.9 and 15.5.10, RFC 8470 section 5.2)."""


class AnswerBroken(ValueError):
    """An answer that is not in its dialect, or beyond a bound. Holds nothing of the answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long we wait for a processor, in seconds, and how much we take. ``whole_s`` counts only time spent waiting."""

    connect_s: float = 2.0
    first_byte_s: float = 5.0
    between_chunks_s: float = 5.0
    whole_s: float = 60.0
    most_bytes: int = 4 << 20


class Reader(Protocol):
    """One answer as its dialect writes it. Both methods raise AnswerBroken."""

    whole: bool
    """The model said that it has finished."""
    done: bool
    """Nothing follows."""

    def take(self, data: str) -> list[ChatDelta]:
        """What the data of one event adds."""
        ...

    def take_whole(self, body: str) -> list[ChatDelta]:
        """An answer that came at once."""
        ...

    def ends(self, data: str) -> bool:
        """Whether an event that was not closed by an empty line is the end mark all the same."""
        ...


class Wire(Protocol):
    """A dialect: how a request is written and its answer read."""

    @property
    def dialects(self) -> frozenset[str]:
        """The names of ``subprocessors.yaml`` that it stands for."""
        ...

    def url(self, grant: Grant) -> URL: ...
    def body(self, grant: Grant, request: ChatRequest) -> bytes: ...
    def key_headers(self, key: str) -> dict[str, str]: ...
    def more_headers(self) -> dict[str, str]: ...
    def reader(self) -> Reader: ...


class Patience:
    """Bounds single waits and their sum."""

    def __init__(self, processor: str, whole_s: float) -> None:
        self._processor = processor
        self._left_s = whole_s

    async def wait(self, something: Any, limit_s: float, what: str) -> Any:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(min(limit_s, self._left_s)):
                return await something
        except TimeoutError:
            raise UpstreamTimeout(f"{self._processor} {what} in time") from None
        finally:
            self._left_s = max(0.0, self._left_s - (loop.time() - began))


class ProviderChat:
    """Implements ``gateway.ports.ChatModel`` over a ``Wire``.

    ``session`` must come from ``outbound_session``. One request per ``stream``, never repeated: a second try needs a new Grant.
    Neither bodies nor a processor's own words are logged or put into an error.
    """

    def __init__(
        self,
        wire: Wire,
        session: aiohttp.ClientSession,
        secrets: Secrets,
        *,
        limits: Limits | None = None,
        tls: TlsContexts | None = None,
    ) -> None:
        """Raises Misconfigured when the session or a TLS context is less strict than ours."""
        require_safe_session(session)
        self._tls = tls or tls_contexts()
        require_safe_tls(self._tls)
        self._wire = wire
        self._session = session
        self._secrets = secrets
        self._limits = limits or Limits()

    async def stream(self, grant: Grant, request: ChatRequest) -> AsyncGenerator[ChatDelta, None]:
        """The answer as it comes: text in pieces, then tool calls whole, then the token counts where the processor tells them.

        Closing the generator ends the request at once.

        Raises:
            PolicyRefused: the Grant is for another hop, dialect or host, names no model, or its flags touch the words.
            Misconfigured: the key cannot be read or sent.
            UpstreamBusy: it answered 429; ``retry_after_s`` says when, if it said so.
            UpstreamTimeout: a bound of ``Limits`` passed.
            UpstreamRefused: it answered with a status of 400 to 499, or cannot speak the TLS that the Grant asks for.
            UpstreamFailed: no connection, another status than 200, a redirect, no event stream, too much, or a stream that was
                cut before its end (also in the middle of the answer).
        """
        async with aclosing(self.batches(grant, request)) as batches:
            async for batch in batches:
                for delta in batch:
                    yield delta

    async def batches(self, grant: Grant, request: ChatRequest) -> AsyncGenerator[Sequence[ChatDelta], None]:
        """The same answer, and what came at once comes at once: never nothing. Errors as ``stream``."""
        self._check_grant(grant)
        url, body = self._wire.url(grant), self._wire.body(grant, request)
        patience = Patience(grant.processor, self._limits.whole_s)
        response = await self._post(url, body, grant, patience, stream=request.stream)
        whole = False
        try:
            check_status(response, grant.processor)
            check_kind(response, grant.processor, "text/event-stream" if request.stream else "application/json")
            answer = _Answer(response, grant.processor, patience, self._limits, self._wire.reader())
            if not request.stream:
                yield await answer.at_once()
            while not answer.over:
                if batch := await answer.more():
                    yield batch
            whole = True
        finally:
            # A connection goes back to the pool only after a whole answer; in any other case the processor is cut off.
            response.release() if whole and response.content.at_eof() else response.close()

    def _check_grant(self, grant: Grant) -> None:
        if grant.hop is not Hop.LLM or grant.dialect not in self._wire.dialects:
            wanted = " or ".join(sorted(self._wire.dialects))
            raise PolicyRefused(f"this Grant is for {grant.hop}/{grant.dialect}, not for {Hop.LLM}/{wanted}")
        if grant.model in ("", "*"):
            raise PolicyRefused(f"this Grant for {grant.processor} names no model")

    async def _post(self, url: URL, body: bytes, grant: Grant, patience: Patience, *, stream: bool) -> aiohttp.ClientResponse:
        timeout = aiohttp.ClientTimeout(total=None, connect=self._limits.connect_s, sock_connect=self._limits.connect_s)
        sending = self._session.post(
            url,
            data=body,
            headers=self._headers(grant, stream=stream),
            timeout=timeout,
            ssl=self._tls.to(grant),
            allow_redirects=False,
            trace_request_ctx=grant,
        )
        # Who is asked for the whole answer at once begins to speak when he has thought it to its end.
        first = self._limits.first_byte_s if stream else self._limits.whole_s
        try:
            response: aiohttp.ClientResponse = await patience.wait(sending, self._limits.connect_s + first, "did not answer")
        except (aiohttp.ClientError, OSError, RuntimeError, ValueError) as error:
            raise self._tls.unreached(grant, error) from None
        return response

    def _headers(self, grant: Grant, *, stream: bool) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream" if stream else "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "sordino",
            **self._wire.more_headers(),
        }
        if grant.secret is not None:
            headers.update(self._wire.key_headers(secret_key(self._secrets, grant.secret)))
        return headers


class _Answer:
    """One answer as it is read."""

    def __init__(
        self, response: aiohttp.ClientResponse, processor: str, patience: Patience, limits: Limits, reader: Reader
    ) -> None:
        self._content = response.content
        self._processor = processor
        self._patience = patience
        self._limits = limits
        self._decoder = SseDecoder()
        self._reader = reader
        self._taken = 0
        self._broken: UpstreamFailed | None = None
        """What came behind the last good words, to be said when those are passed on."""
        self.over = False

    async def more(self) -> list[ChatDelta]:
        """What the next bytes add. Raises UpstreamFailed or UpstreamTimeout, never after the answer was whole."""
        if self._broken is not None:
            raise self._broken
        piece = await self._piece(self._limits.between_chunks_s)
        found = self._understood(piece)
        self.over = self._reader.done or not piece
        if self.over and not self._reader.whole:
            raise self._cut()
        return found

    async def at_once(self) -> list[ChatDelta]:
        """All of an answer that does not come as a stream. Raises UpstreamFailed or UpstreamTimeout."""
        pieces: list[bytes] = []
        while piece := await self._piece(self._limits.whole_s):
            pieces.append(piece)
        self.over = True
        try:
            return self._reader.take_whole(b"".join(pieces).decode("utf-8"))
        except (UnicodeDecodeError, AnswerBroken):
            raise UpstreamFailed(f"the answer of {self._processor} cannot be understood") from None

    async def _piece(self, limit_s: float) -> bytes:
        """The next bytes; none at the end, and none when a whole answer's connection does not end well."""
        try:
            # What has come already is taken without a clock beside it.
            piece: bytes = self._content.read_nowait()
            if not piece:
                piece = await self._patience.wait(self._content.readany(), limit_s, "did not go on")
        except (UpstreamTimeout, aiohttp.ClientError, OSError, ValueError) as error:
            if self._reader.whole:
                return b""
            raise error if isinstance(error, UpstreamTimeout) else self._cut() from None
        self._taken += len(piece)
        if self._taken > self._limits.most_bytes:
            raise UpstreamFailed(f"{self._processor} sent more than {self._limits.most_bytes} bytes")
        return piece

    def _understood(self, piece: bytes) -> list[ChatDelta]:
        found: list[ChatDelta] = []
        try:
            if piece:
                for data in self._decoder.feed(piece):
                    found += self._reader.take(data)
            elif (last := self._decoder.finish()) is not None and self._reader.ends(last):
                found = self._reader.take(last)
        except (SseBroken, AnswerBroken) as broken:
            self._broken = UpstreamFailed(f"the answer of {self._processor} cannot be understood: {broken}")
            if not found:
                raise self._broken from None
        return found

    def _cut(self) -> UpstreamFailed:
        return UpstreamFailed(f"the answer of {self._processor} was cut before its end")


def secret_key(secrets: Secrets, name: str) -> str:
    """A processor's key, as it can stand in a header. Raises Misconfigured, which names the secret and never shows it."""
    key = secrets.read(name).reveal().strip()
    if not _KEY.fullmatch(key):
        raise Misconfigured(f"the secret {name} is empty or cannot stand in a header", hint="set it again")
    return key


def check_status(response: aiohttp.ClientResponse, processor: str) -> None:
    """Raises UpstreamBusy, UpstreamRefused or UpstreamFailed for any status but 200. The body is never read."""
    status = response.status
    if status == 429:
        raise UpstreamBusy(f"{processor} has no room for this request now", retry_after_s=_retry_after(response))
    if 300 <= status < 400:
        raise UpstreamRefused(f"{processor} answered with a redirect, which is never followed", hint="correct its base_url")
    if 400 <= status < 500 and status not in _AGAIN:
        raise UpstreamRefused(f"{processor} answered with status 4xx", hint="check its key, model and base_url")
    if status != 200:
        raise UpstreamFailed(f"{processor} answered with status {status // 100}xx", hint="its side has a fault")


def check_kind(response: aiohttp.ClientResponse, processor: str, kind: str) -> None:
    """Raises UpstreamFailed when the answer is not of that media type, or is packed."""
    if response.content_type != kind or response.headers.get("Content-Encoding", "identity") != "identity":
        what = "an event stream" if kind == "text/event-stream" else f"{kind}"
        raise UpstreamFailed(f"{processor} did not answer with {what}", hint="it may not stream this model")


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Seconds, when it said a number (RFC 9110 section 10.2.3); a date would need our clock and theirs to agree."""
    value = response.headers.get("Retry-After", "").strip()
    return min(float(value), _LONGEST_RETRY_S) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII) else None
