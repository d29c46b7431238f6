"""A line for one request of a vendor's own client: what it sends is compared with its Grant before a byte of it leaves.

The client believes that it has an ``aiohttp.ClientSession``. It has two methods of it, for one request in all, and each request
is read field by field: host, path, key, the Grant's flags, the model. What is not as the Grant says, or was never looked at, is
refused. Answers are bounded, and a client never sees one that is not what it asked for.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import aiohttp
from yarl import URL

from gateway.adapters.providers.exchange import Limits, Patience, check_status, secret_key
from gateway.adapters.providers.outbound import (
    Saw,
    TlsContexts,
    endpoint,
    require_safe_session,
    require_safe_tls,
    tell,
    tls_contexts,
)
from gateway.adapters.providers.sent import Sent, fields_of, flags_of
from gateway.errors import PolicyRefused, SordinoError, UpstreamFailed, UpstreamRefused, UpstreamTimeout
from gateway.outgoing import RequestShape
from gateway.policy.egress import Grant
from gateway.ports import Secrets

SPEECH_LIMITS = Limits(connect_s=2.0, first_byte_s=10.0, between_chunks_s=5.0, whole_s=30.0, most_bytes=32 << 20)
_HEADERS = frozenset({"accept", "accept-encoding", "content-type", "user-agent"})
_SOCKET_BYTES = 1 << 20
_NO_KEY = "none"
"""For a processor without a key. An empty one would make a client look for another in the environment."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where lines begin: one session for all of them."""

    session: aiohttp.ClientSession
    secrets: Secrets
    limits: Limits
    tls: TlsContexts
    saw: Saw | None = None
    """Hears what TLS was spoken with a WebSocket; of other requests the session tells."""

    @staticmethod
    def over(
        session: aiohttp.ClientSession,
        secrets: Secrets,
        *,
        limits: Limits = SPEECH_LIMITS,
        tls: TlsContexts | None = None,
        saw: Saw | None = None,
    ) -> Outlet:
        """``session`` must come from ``outbound_session``. Raises Misconfigured otherwise."""
        require_safe_session(session)
        tls = tls or tls_contexts()
        require_safe_tls(tls)
        return Outlet(session, secrets, limits, tls, saw)

    def line(self, grant: Grant, shape: RequestShape) -> GrantedLine:
        """Implements ``gateway.outgoing.OpenLine``."""
        return GrantedLine(self, grant, shape)


class GrantedLine:
    """Implements ``gateway.outgoing.Line``; ``session`` is itself."""

    closed = False
    """A client may ask."""

    def __init__(self, outlet: Outlet, grant: Grant, shape: RequestShape) -> None:
        """Raises PolicyRefused: the Grant's address may not be used."""
        self._outlet = outlet
        self._grant = grant
        self._shape = shape
        self._url = endpoint(grant, shape.path)
        self.used = False
        self.failure: SordinoError | None = None

    @property
    def base_url(self) -> str:
        return self._grant.base_url.rstrip("/")

    @property
    def session(self) -> GrantedLine:
        return self

    def key(self) -> str:
        return secret_key(self._outlet.secrets, self._grant.secret) if self._grant.secret is not None else _NO_KEY

    @asynccontextmanager
    async def post(self, url: str | URL, *, headers: Any = None, **body: Any) -> AsyncGenerator[Answer, None]:
        """One POST of ``json`` or ``data``. What is sent is the very copy that was compared."""
        with self._kept():
            asked, own = URL(url), {name.lower(): value for name, value in (headers or {}).items()}
            body.pop("timeout", None)  # not the client's to say
            sent, data = body.pop("json", None), body.pop("data", None)
            self._look_at("post", asked, own, body)
            found = fields_of(asked, json=sent, data=data, raw=self._shape.raw)
            self._compare(found.fields)
            async with self._posted(self._grant, asked, own, found) as answer:
                yield answer

    async def ws_connect(self, url: str | URL, *, headers: Any = None, **more: Any) -> aiohttp.ClientWebSocketResponse:
        """One WebSocket. A client that asks for more of it (a heartbeat, another size) is refused."""
        with self._kept():
            asked, own = URL(url), {name.lower(): value for name, value in (headers or {}).items()}
            self._look_at("ws_connect", asked, own, more)
            self._compare(fields_of(asked).fields)
            return await self._connected(self._grant, asked, own)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        with self._kept():
            raise PolicyRefused(f"the client of {self._grant.processor} asks for {name}, which it may not do")

    @contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except SordinoError as error:
            self.failure = self.failure or error
            raise

    # --- what it is compared with -----------------------------------------------------------------------------------

    def _look_at(self, verb: str, asked: URL, headers: Mapping[str, str], more: Mapping[str, Any]) -> None:
        who, shape = self._grant.processor, self._shape
        if self.used:
            raise PolicyRefused(f"the client of {who} sends a second request for one Grant")
        self.used = True
        if more or (verb == "ws_connect") is not shape.socket:
            raise PolicyRefused(f"the client of {who} connects in a way that nobody looked at")
        secure = {"ws": "http", "wss": "https"} if shape.socket else {}
        plain = asked.with_scheme(secure.get(asked.scheme, asked.scheme)) if asked.host else asked
        if not plain.host or plain.with_query(None) != self._url or asked.user is not None or asked.fragment:
            raise PolicyRefused(f"the client of {who} would send to another address than the Grant's", hint="nothing was sent")
        self._look_at_headers(headers)

    def _look_at_headers(self, headers: Mapping[str, str]) -> None:
        who, shape = self._grant.processor, self._shape
        named = shape.key_header.lower()
        if shape.signed:
            right = not named or headers.get(named, "").startswith(shape.key_prefix)
        else:
            right = headers.get(named) == shape.key_prefix + self.key()
        if not right:
            raise PolicyRefused(f"the client of {who} uses another key than the Grant's")
        if surplus := sorted(headers.keys() - {named} - _HEADERS - shape.headers):
            raise PolicyRefused(f"the client of {who} sends headers that nobody looked at: {', '.join(surplus)}")

    def _compare(self, sent: list[tuple[str, str]]) -> None:
        """Every flag and every value that must stand in it does, and nothing else that was not looked at."""
        who, shape = self._grant.processor, self._shape
        flags = flags_of(self._grant.send)
        if touched := sorted(flags.keys() & (shape.must.keys() | shape.may)):
            raise PolicyRefused(f"the flags of {who} may not set {', '.join(touched)}")
        wanted = {**shape.must, **flags}
        for name, value in sent:
            if name in wanted and value != wanted[name]:
                raise PolicyRefused(f"the client of {who} sends another {name} than its Grant says", hint="nothing was sent")
        names = {name for name, _ in sent}
        if missing := sorted(wanted.keys() - names):
            raise PolicyRefused(
                f"the client of {who} does not send {', '.join(missing)}, which its Grant asks for", hint="nothing was sent"
            )
        if surplus := sorted(names - wanted.keys() - shape.may):
            raise PolicyRefused(f"the client of {who} sends fields that nobody looked at: {', '.join(surplus)}")

    # --- what it does -----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _posted(self, grant: Grant, asked: URL, headers: dict[str, str], sent: Sent) -> AsyncGenerator[Answer, None]:
        limits = self._outlet.limits
        patience = Patience(grant.processor, limits.whole_s)
        headers["accept-encoding"] = "identity"
        if sent.is_json:
            headers["content-type"] = "application/json"
        timeout = aiohttp.ClientTimeout(total=None, connect=limits.connect_s, sock_connect=limits.connect_s)
        url = self._url.with_query(asked.query)
        sending = self._outlet.session.post(
            url,
            data=sent.body,
            headers=headers,
            timeout=timeout,
            ssl=self._outlet.tls.to(grant),
            allow_redirects=False,
            trace_request_ctx=grant,
        )
        try:
            response = await patience.wait(sending, limits.whole_s, "did not answer")
        except (aiohttp.ClientError, OSError, RuntimeError, ValueError) as error:
            raise self._outlet.tls.unreached(grant, error) from None
        try:
            check_status(response, grant.processor)
            kind, packed = response.content_type, response.headers.get("Content-Encoding", "identity") != "identity"
            if packed or not kind.startswith(self._shape.answers):
                raise UpstreamFailed(f"{grant.processor} did not answer with {' or '.join(self._shape.answers)}")
            yield Answer(response, patience, limits, grant.processor)
        finally:
            response.release() if response.content.at_eof() else response.close()

    async def _connected(self, grant: Grant, asked: URL, headers: dict[str, str]) -> aiohttp.ClientWebSocketResponse:
        limits = self._outlet.limits
        patience = Patience(grant.processor, limits.whole_s)
        url = self._url.with_query(asked.query)
        connecting = self._outlet.session.ws_connect(
            url, headers=headers, ssl=self._outlet.tls.to(grant), max_msg_size=_SOCKET_BYTES, compress=0
        )
        try:
            connected = await patience.wait(connecting, limits.first_byte_s, "did not answer")
        except aiohttp.WSServerHandshakeError as error:
            broken = UpstreamRefused if 400 <= error.status < 500 else UpstreamFailed
            raise broken(f"{grant.processor} answered with status {error.status // 100}xx, not with a WebSocket") from None
        except (aiohttp.ClientError, OSError, RuntimeError, ValueError) as error:
            raise self._outlet.tls.unreached(grant, error) from None
        socket: aiohttp.ClientWebSocketResponse = connected
        if self._outlet.saw is not None:
            tell(self._outlet.saw, grant, socket.get_extra_info("ssl_object"))
        return socket


class Answer:
    """What a client may read of an answer: within the bounds, and nothing once it was broken off."""

    status = 200

    def __init__(self, response: aiohttp.ClientResponse, patience: Patience, limits: Limits, processor: str) -> None:
        self._response = response
        self._patience = patience
        self._limits = limits
        self._processor = processor
        self.content_type = response.content_type
        self.headers: Mapping[str, str] = {}
        """A client needs none, and it might log one."""

    @property
    def content(self) -> Answer:
        return self

    def raise_for_status(self) -> None:
        """It was 200."""

    async def json(self) -> Any:
        body = b"".join([piece async for piece in self._pieces()])
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise UpstreamFailed(f"the answer of {self._processor} is no JSON") from None

    async def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        async for piece in self._pieces():
            yield piece, True

    async def _pieces(self) -> AsyncIterator[bytes]:
        taken, limits = 0, self._limits
        limit_s = limits.first_byte_s
        try:
            while piece := await self._patience.wait(self._response.content.readany(), limit_s, "did not go on"):
                taken += len(piece)
                if taken > limits.most_bytes:
                    raise UpstreamFailed(f"{self._processor} sent more than {limits.most_bytes} bytes")
                yield piece
                limit_s = limits.between_chunks_s
        except UpstreamTimeout:
            raise
        except (aiohttp.ClientError, OSError, ValueError):
            raise UpstreamFailed(f"the answer of {self._processor} was cut before its end") from None
