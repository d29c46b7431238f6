"""Wiring of what listens: every path of the one HTTP port, and the model proxy behind some of them."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import hmac
import logging
import random
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

import aiohttp
from aiohttp import web

from gateway.adapters.detectors.cache import RememberingDetector
from gateway.adapters.detectors.masker import CallMasker, ReplacingDetector
from gateway.adapters.providers.exchange import Limits
from gateway.adapters.providers.negotiated import Negotiated
from gateway.adapters.providers.openai_speech import DIALECT, OpenAISpeech
from gateway.adapters.providers.outbound import outbound_session
from gateway.adapters.stores.conversations import RedisConversations
from gateway.adapters.stores.idle import IdleConversations
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.errors import Misconfigured
from gateway.http.access import check_served
from gateway.http.answers import typed_errors
from gateway.http.api import Check, ListCalls, call_routes, console_routes, health_routes
from gateway.http.guard import Guard
from gateway.http.headers import add_headers
from gateway.http.proxy.audio import audio_routes
from gateway.http.proxy.chat import chat_routes
from gateway.http.proxy.door import Door
from gateway.http.proxy.ending import ending_routes
from gateway.http.proxy.keys import key_routes
from gateway.http.proxy.messages import message_routes
from gateway.http.proxy.models import model_routes
from gateway.http.tls import ListenerTls
from gateway.policy.model import TenantPolicy
from gateway.policy.registry import Price, Registry, is_loopback
from gateway.ports import (
    CallVault,
    ChatModel,
    Clock,
    Ids,
    Ledger,
    Policy,
    Secrets,
    SpeechToText,
    Telemetry,
    TextToSpeech,
)
from gateway.runner.children import ChildCalls
from gateway.runner.notices import NoticesNow
from gateway.runner.proxy.child import ProxyChildren
from gateway.runner.proxy.conversations import Conversations
from gateway.runner.proxy.ending import Endings, ReadEntries, Seal
from gateway.runner.proxy.idle import IdleSweep
from gateway.runner.proxy.proxy import Proxy
from gateway.runner.proxy.record import ProxyParts
from gateway.runner.proxy.speech import MakeVoice, Speech
from gateway.runner.rights_callers import Callers
from gateway.runner.rights_spoken import SpokenPersons
from gateway.settings import Settings
from gateway.tasks import TaskOwner
from gateway.values import Hop, Private, ProcessorId

log = logging.getLogger(__name__)

PAUSE_S = (0.05, 0.25)
"""Between two tries at one processor: long enough for a restarted worker, short enough for somebody at the telephone."""
SMALLEST_TTL_S = 60
HEAD_WITHIN_S = 75.0
COLLECT_AFTER = (20_000, 10, 20)
"""New objects before the collector looks at them, and how many looks go before one at older ones (``gc.set_threshold``)."""
"""How long a connection may take for a request's head, and be idle between two requests."""


@dataclass(frozen=True, slots=True)
class SpeechNeeds:
    """What hears and speaks on this machine, by dialect, and the keys of those who do it elsewhere."""

    stt: Mapping[str, SpeechToText]
    tts: Mapping[str, TextToSpeech]
    secrets: Secrets
    limits: Limits | None = None
    """How long those elsewhere may take; None for the usual bounds."""

    def over(self, session: aiohttp.ClientSession) -> tuple[dict[str, SpeechToText], dict[str, MakeVoice]]:
        """Every dialect that we hear and speak by, those over the wire included. ``session`` is an ``outbound_session``."""
        line = OpenAISpeech.over(session, self.secrets, limits=self.limits)
        voices: dict[str, MakeVoice] = {dialect: partial(_only, voice) for dialect, voice in self.tts.items()}
        return {**self.stt, DIALECT: line.ear()}, {**voices, DIALECT: line.voice}


def _only(voice: TextToSpeech, _: str) -> TextToSpeech:
    return voice


@dataclass(frozen=True, slots=True)
class ProxyNeeds:
    """What the model proxy takes over from the gateway."""

    store: Store
    keys: RedisKeyShelf
    name_key: bytes
    ledger: Ledger
    detector: ReplacingDetector
    policy: Policy
    tenant: Callable[[str], TenantPolicy]
    models: Mapping[str, ChatModel]
    clock: Clock
    ids: Ids
    telemetry: Telemetry
    registry: Callable[[], Registry]
    instructions: Callable[[TenantPolicy, Registry], Awaitable[None]]
    operator: Private[str]
    negotiated: Negotiated = field(default_factory=Negotiated)
    notices: NoticesNow | None = None
    price: Callable[[ProcessorId], Price | None] = lambda processor: None
    speech: SpeechNeeds | None = None
    entries: ReadEntries | None = None
    seal: Seal | None = None
    """Makes and keeps a conversation's receipt."""
    tenants: Callable[[], Iterable[str]] = tuple
    """Those whose conversations end by themselves when nobody uses them."""
    callers: Callers | None = None
    """Who knows whom programs speak for."""
    spoken: SpokenPersons | None = None
    """Who knows whom callers say that they are."""
    children: ChildCalls | None = None
    """What becomes of conversations with a child in them; None: nobody looks for children."""


async def open_proxy(needs: ProxyNeeds, running: AsyncExitStack) -> list[web.RouteDef]:
    """The proxy's paths. What it leaves running is closed with ``running``."""
    tasks = await running.enter_async_context(TaskOwner("proxy-door", on_failure=_report))

    def open_store(tenant: TenantPolicy) -> RedisConversations:
        ttl_s = max(SMALLEST_TTL_S, int(tenant.retention.vault.total_seconds()))
        return RedisConversations(needs.store, needs.keys, ttl_s=ttl_s)

    detector = RememberingDetector(needs.detector)

    def make_masker(tenant: TenantPolicy, vault: CallVault) -> CallMasker:
        return masker_of(tenant, detector, vault)

    name_key = hmac.digest(needs.name_key, b"sordino conversation names", hashlib.sha256)
    conversations = Conversations(open_store, make_masker, needs.ledger, needs.clock, needs.ids, name_key=name_key)
    parts = ProxyParts(
        policy=needs.policy,
        conversations=conversations,
        models=needs.models,
        clock=needs.clock,
        ids=needs.ids,
        telemetry=needs.telemetry,
        pause=_pause,
        registry=needs.registry,
        instructions=needs.instructions,
        price=needs.price,
        notices=needs.notices,
        negotiated=needs.negotiated,
        callers=needs.callers,
        spoken=needs.spoken,
    )
    proxy = await running.enter_async_context(Proxy(parts))
    keys = TenantKeys(needs.store)
    ending = Endings(parts, needs.entries, needs.seal) if needs.entries and needs.seal else None
    children = ProxyChildren(parts, ending, needs.children) if needs.children is not None else None
    door = Door(keys, needs.tenant, proxy, needs.clock, tasks, needs.callers, children)
    operators = key_routes(needs.operator, keys, needs.tenant, needs.clock)
    speech = await _speech_routes(door, parts, needs, running, tasks)
    endings = []
    if ending is not None and needs.entries and needs.seal:
        endings = ending_routes(door, ending)
        idle = IdleConversations(needs.store)
        tasks.start(IdleSweep(parts, idle, needs.ledger, needs.entries, needs.seal, needs.tenants).run(), name="idle")
    return [*chat_routes(door), *message_routes(door), *model_routes(door), *speech, *endings, *operators]


async def _speech_routes(
    door: Door, parts: ProxyParts, needs: ProxyNeeds, running: AsyncExitStack, tasks: TaskOwner
) -> list[web.RouteDef]:
    if needs.speech is None:
        return []
    stt, tts = needs.speech.over(await running.enter_async_context(outbound_session(needs.negotiated.saw)))
    return audio_routes(door, Speech(parts, stt, tts, tasks))


def masker_of(tenant: TenantPolicy, detector: ReplacingDetector, vault: CallVault) -> CallMasker:
    """The mask that the tenant's policy asks for towards a model."""
    masks = {entity: mask.value for entity, mask in tenant.masks(Hop.LLM).items()}
    default = masks.pop("default")
    return CallMasker(detector, vault, operators=masks, default=default, language=tenant.language)


@dataclass(frozen=True, slots=True)
class Listening:
    """What the paths that are not the proxy's stand on."""

    checks: dict[str, Check]
    notes: dict[str, Check]
    """What the readiness tells beside: calls go on."""
    prometheus: Callable[[], bytes]
    operator: Private[str]
    receipts: Receipts
    calls: ListCalls


def routes(parts: Listening) -> list[web.RouteDef]:
    """Health, the operator's paths and the console."""
    return [
        *health_routes(parts.checks, parts.prometheus, parts.notes),
        *call_routes(parts.operator, parts.receipts.load, parts.calls),
        *console_routes(),
    ]


async def listen(
    settings: Settings,
    port: int,
    paths: list[web.RouteDef],
    running: AsyncExitStack,
    *,
    tls: ListenerTls | None = None,
    guard: Guard | None = None,
) -> str:
    """Serve those paths until ``running`` is closed; the address that they are at.

    Raises:
        Misconfigured: a path is served of which nobody has said who may ask it.
    """
    app = web.Application(middlewares=[typed_errors, *([guard.middleware] if guard else [])], client_max_size=64 * 1024)
    app.add_routes(paths)
    check_served(app)
    add_headers(app, tls=tls is not None)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=3, keepalive_timeout=HEAD_WITHIN_S)
    await runner.setup()
    running.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, settings.host, port, ssl_context=tls.context if tls else None).start()
    return f"{'https' if tls else 'http'}://{settings.host}:{port}"


def listener_tls(settings: Settings) -> ListenerTls | None:
    """What the listener speaks TLS with; None: it speaks plain HTTP, to this machine or to a proxy (promise 24).

    Raises:
        Misconfigured: a file cannot be used, or plain HTTP would be spoken to other machines.
    """
    if settings.tls_cert is None or settings.tls_key is None:
        if not (settings.behind_proxy or is_loopback(settings.host)):
            raise Misconfigured(
                f"at {settings.host} other machines would be spoken to in plain text",
                hint="set SORDINO_TLS_CERT and SORDINO_TLS_KEY; or SORDINO_BEHIND_PROXY=1 where a proxy in front speaks TLS",
            )
        return None
    return ListenerTls(settings.tls_cert, settings.tls_key, minimum=settings.tls_minimum)


def settle_memory() -> None:
    """Call it once, when all is wired: what lives as long as the process is not looked at again for garbage.

    A round through all of it holds the event loop up for tens of milliseconds (``gc.freeze`` of the standard library). What a
    request leaves is nearly all freed by counting, so that looking for circles after each few hundred objects found next to
    nothing and took a fourteenth of the gateway's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def free_port(host: str) -> int:
    """A port that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


async def _pause() -> None:
    await asyncio.sleep(random.uniform(*PAUSE_S))  # noqa: S311  (nothing secret hangs on it)


def _report(name: str, failure: BaseException) -> None:
    log.warning("the task %s ended with %s", name, type(failure).__name__)
