"""Wiring: the only file that knows everyone. A Gateway is made from Settings, started, asked to take calls, and closed."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from functools import partial
from types import TracebackType
from typing import TextIO

from opentelemetry.sdk.trace.export import SpanExporter

from gateway.accessing import AccessNeeds, Door, open_access
from gateway.adapters.carriers.stream_token import StreamClaims, StreamTokens
from gateway.adapters.conversation import ConversationParts, silence_livekit
from gateway.adapters.detectors.presidio import PresidioDetector, workers_for
from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.providers.all import chat_models
from gateway.adapters.providers.negotiated import Negotiated
from gateway.adapters.providers.outbound import outbound_session, tls_contexts
from gateway.adapters.sounds import Sounds, Spoken, voice_name
from gateway.adapters.speech.local import LocalSpeech
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.once import OnlyOnce
from gateway.adapters.stores.policy_archive import PolicyArchive
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.adapters.system import RandomIds, Secrets, SystemClock
from gateway.adapters.telemetry.otel import OtelTelemetry
from gateway.adapters.telemetry.otlp import Endpoint, endpoint_from_env
from gateway.call.flow import Outcome
from gateway.calling import CallNeeds, Calls
from gateway.desks import DesksNeeds, open_desks
from gateway.errors import Finding, PolicyInvalid, PolicyUnavailable
from gateway.governing import (
    NO_NUMBERS,
    Ends,
)
from gateway.http.media import SocketLeg
from gateway.keeping import open_keys
from gateway.lines import Lines, handing_over
from gateway.paying import open_payments
from gateway.policy.disclosing import all_first_words
from gateway.policy.model import TenantPolicy
from gateway.policy.registry import Price, Registry, with_base_url
from gateway.policy.tracing import collectors
from gateway.ports import Observer
from gateway.runner.gate import all_sounds
from gateway.runner.leg import Leg
from gateway.runner.showing import Nobody
from gateway.serving import Listening, ProxyNeeds, SpeechNeeds, free_port, listen, listener_tls, open_proxy, routes
from gateway.settings import Settings
from gateway.speech import speech_elsewhere
from gateway.talking import TalkNeeds, open_talking
from gateway.tasks import TaskOwner
from gateway.trunk import TrunkNeeds, open_trunk
from gateway.values import ProcessorId

log = logging.getLogger(__name__)

CLOSE_WITHIN_S = 8.0
DEMO_PROCESSOR = "local-demo-llm"


class Gateway:
    """``async with Gateway(settings) as gateway:`` it serves at ``gateway.url`` until the block is left."""

    def __init__(
        self,
        settings: Settings,
        *,
        env: Mapping[str, str] | None = None,
        observer: Observer | None = None,
        console: TextIO | None = None,
        exporters: Sequence[SpanExporter] = (),
        listen: bool = True,
    ) -> None:
        """``observer`` watches calls in this process; ``console`` gets a line a span; ``exporters`` get spans too.

        ``listen`` False: nothing is served over HTTP, calls come by ``run_call`` alone, and the first may begin at once: speech
        and detector warm up while it is announced, and no conversation opens before they are ready.
        """
        self.settings = settings
        self._listens = listen
        self._env = os.environ if env is None else env
        self._observer = observer or Nobody()
        self._clock = SystemClock()
        self._ids = RandomIds()
        self.secrets = Secrets(settings.data / "secrets", self._env)
        self.policies = PolicyFolder(settings.policies, adjust=self._with_demo_model)
        self.policies.reload_if_changed()
        collector = endpoint_from_env(self._env, hosts=self._telemetry_hosts())
        may_trace = None if collector is None else partial(self._may_trace, collector)
        self.telemetry = OtelTelemetry(endpoint=collector, permitted=may_trace, console=console, exporters=exporters)
        told = settings.data / "announcements"
        self._spoken = Spoken(told, lambda words: self.speech.tts.read_out(words), self._warmed, voice=voice_name())
        self._sounds = Sounds(self.policies.announcement, self._spoken.sound)
        self._open = AsyncExitStack()
        self._negotiated = Negotiated()
        self._tasks = TaskOwner("gateway", on_failure=_report)
        self.valkey: EmbeddedValkey | None = None
        """The gateway's own store; None when SORDINO_REDIS_URL names one."""
        self.url = ""
        self.sip_port: int | None = None
        """Where the SIP trunk listens; None where there is none."""

    # --- life -------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Gateway:
        try:
            await self._start()
        except BaseException:
            await self._open.aclose()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.calls.hang_up()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self.calls.idle()
        await self._open.aclose()

    async def _start(self) -> None:
        settings, enter = self.settings, self._open.enter_async_context
        self._open.callback(self.telemetry.close)
        silence_livekit(self._env)
        if self.policies.findings:
            raise PolicyInvalid(self.policies.findings)
        policies = self.policies.policies
        await enter(self._tasks)
        redis_url = settings.redis_url
        if redis_url is None:
            self.valkey = await enter(EmbeddedValkey(settings.data))
            redis_url = self.valkey.url
        self.store = await enter(Store(redis_url))
        await self.store.ping()
        self.ledger = await enter(RedisLedger(self.store))
        self.keys = await open_keys(settings, self.store, self._tasks)
        self._identity = self.keys.identity.reveal()
        self.signing = SigningKey.from_file(settings.data / "keys" / "signing.key", create=True)
        self.receipts = Receipts(self.store, settings.data / "receipts")
        self._instructions = PolicyArchive(settings.data / "instructions")
        self._once = OnlyOnce(self.store)
        self._tokens = StreamTokens(self.keys.identity)
        self.desks = await open_desks(self._desks_needs(), self._open)
        for tenant in policies.tenants.values():
            recorded = [each for each in all_first_words(tenant).announcements if each.asset]
            all_sounds(recorded, self._sounds, tenant.language)
        self.speech = LocalSpeech()
        self.detector = PresidioDetector(workers=workers_for(os.cpu_count() or 1))
        self._open.push_async_callback(self.speech.aclose)
        self._open.push_async_callback(self.detector.aclose)
        self._warm = self._tasks.start(self._warm_up(), name="warm-up")
        self._open.push_async_callback(_cancelled, self._warm)
        speaking = self._tasks.start(self._spoken.keep(lambda: self.policies.policies.announcements), name="announcements")
        self._open.push_async_callback(_cancelled, speaking)
        self.calls = Calls(await self._call_needs())
        if self._listens:
            await self._warm
            await self._listen()
            await self.desks.keep(self._tasks, self._open)
        self._tasks.start(self.policies.watch(_tell_invalid, self._changed), name="policies")

    def _desks_needs(self) -> DesksNeeds:
        return DesksNeeds(
            settings=self.settings,
            policies=self.policies,
            secrets=self.secrets,
            env=self._env,
            store=self.store,
            ledger=self.ledger,
            keys=self.keys,
            signing=self.signing,
            receipts=self.receipts,
            clock=self._clock,
            ids=self._ids,
            telemetry=self.telemetry,
        )

    async def _warm_up(self) -> None:
        await asyncio.gather(self.speech.start(), self.detector.start())

    async def _conversation_parts(self) -> ConversationParts:
        session = await self._open.enter_async_context(outbound_session(self._negotiated.saw))
        threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="vad")
        self._open.callback(threads.shutdown, wait=False, cancel_futures=True)
        tls = tls_contexts()
        elsewhere = speech_elsewhere(session, self.secrets, self.policies.policies, tls, self._negotiated.saw)
        return ConversationParts(
            stt={"moonshine": self.speech.stt, **elsewhere.stt},
            tts={"hibari": self.speech.tts, **elsewhere.tts},
            models=chat_models(session, self.secrets, tls=tls),
            vad_threads=threads,
            telemetry=self.telemetry,
            clock=self._clock,
        )

    async def _call_needs(self) -> CallNeeds:
        return CallNeeds(
            policies=self.policies,
            instructions=self._instructions,
            store=self.store,
            ledger=self.ledger,
            keys=self.keys.shelf,
            signing=self.signing,
            receipts=self.receipts,
            governing=self.desks.governing,
            payments=await open_payments(self.secrets, self._clock, self._open, self._negotiated.saw),
            recordings=self.desks.recordings.needs,
            transcripts=self.desks.transcripts.needs,
            children=self.desks.children,
            detector=self.detector,
            parts=await self._conversation_parts(),
            spoken=self._spoken,
            sounds=self._sounds,
            telemetry=self.telemetry,
            clock=self._clock,
            ids=self._ids,
            observer=self._observer,
            warmed=self._warmed,
            negotiated=self._negotiated,
        )

    async def _listen(self) -> None:
        port = self.settings.port or free_port(self.settings.host)
        over = handing_over(self.store, self._identity)
        parts = (self.policies, self.secrets, self._tokens, self._once, self._clock, self._ids, self.telemetry)
        lines = Lines(*parts, self._take, *over)
        tls = listener_tls(self.settings)
        public_url = self.settings.public_url or f"{'https' if tls else 'http'}://{self.settings.host}:{port}"
        listening = Listening(
            checks={"store": self.store.ping},
            notes={"policies": self._policies_ready, **({"certificate": tls.in_force} if tls else {})},
            prometheus=self.telemetry.prometheus,
            operator=self.secrets.read_or_create("SORDINO_OPERATOR_KEY"),
            receipts=self.receipts,
            calls=self._list_calls,
        )
        paths = [
            *lines.routes(public_url),
            *routes(listening),
            *self.desks.routes(listening.operator),
            *await open_proxy(self._proxy_needs(), self._open),
            *await open_talking(self._talk_needs(), public_url, self._open),
        ]
        door = Door(listening.operator, self.keys.identity, self.telemetry, self.secrets, self._env, public_url)
        guard, paths = await open_access(self._access_needs(), door, paths, self._open)
        self.url = await listen(self.settings, port, paths, self._open, tls=tls, guard=guard)
        if tls is not None:
            self._tasks.start(tls.watch(), name="certificate")
        trunk = TrunkNeeds(self.settings, self.policies, self.calls.run, self._ids, self.telemetry)
        self.sip_port = await open_trunk(trunk, self._open)

    def _access_needs(self) -> AccessNeeds:
        desks = self.desks.governing
        return AccessNeeds(self.store, self.ledger, desks.policies, desks.senders, self._clock, self._ids)

    def _talk_needs(self) -> TalkNeeds:
        return TalkNeeds(
            settings=self.settings,
            key=self._identity,
            keys=TenantKeys(self.store),
            once=self._once,
            secrets=self.secrets,
            tenant=self.policies.tenant,
            run=self.calls.run,
            clock=self._clock,
            ids=self._ids,
            telemetry=self.telemetry,
        )

    def _proxy_needs(self) -> ProxyNeeds:
        return ProxyNeeds(
            store=self.store,
            keys=self.keys.shelf,
            name_key=self._identity,
            ledger=self.ledger,
            detector=self.detector,
            policy=self.policies,
            tenant=self.policies.tenant,
            models=self.calls.needs.parts.models,
            clock=self._clock,
            ids=self._ids,
            telemetry=self.telemetry,
            registry=lambda: self.policies.policies.registry,
            instructions=self._instructions.keep,
            operator=self.secrets.read_or_create("SORDINO_OPERATOR_KEY"),
            notices=self.desks.governing.watch,
            negotiated=self._negotiated,
            callers=self.desks.governing.callers,
            children=self.calls.needs.children,
            speech=SpeechNeeds({"moonshine": self.speech.stt}, {"hibari": self.speech.tts}, self.secrets),
            price=self._price_of,
            entries=self.ledger.entries,
            seal=self.calls.seal_entries,
            tenants=lambda: tuple(self.policies.policies.tenants),
        )

    # --- calls ------------------------------------------------------------------------------------------------------

    async def _take(self, leg: SocketLeg, claims: StreamClaims, carrier: str) -> None:
        ends = Ends(claims.from_number, claims.to_number, claims.caller_place)
        await self.run_call(leg, self.policies.tenant(claims.tenant), carrier=carrier, ends=ends)

    async def run_call(self, leg: Leg, tenant: TenantPolicy, *, carrier: str, ends: Ends = NO_NUMBERS) -> Outcome:
        """Run one call of that tenant on that leg, to its receipt. ``ends``: whose law holds follows from the numbers.

        Raises:
            Misconfigured, PolicyUnavailable: it cannot even begin; nothing was heard and nothing is on record.
        """
        return await self.calls.run(leg, tenant, carrier=carrier, ends=ends)

    async def idle(self) -> None:
        """Wait until no call goes on: every one has its receipt."""
        await self.calls.idle()

    async def _warmed(self) -> None:
        await asyncio.shield(self._warm)

    def _price_of(self, processor: ProcessorId) -> Price | None:
        entry = self.policies.policies.registry.entries.get(processor)
        return entry.price if entry is not None else None

    # --- policies ---------------------------------------------------------------------------------------------------

    def _telemetry_hosts(self) -> Mapping[str, str]:
        if self.policies.findings:
            return {}
        policies = self.policies.policies
        return collectors(policies.registry.entries.values(), policies.tenants.values())

    def _may_trace(self, to: Endpoint) -> bool:
        """Asked before each batch of spans: policies change while we run."""
        policies = self.policies.policies
        hosts = collectors(policies.registry.entries.values(), policies.tenants.values())
        return not hosts.get(to.host, "" if to.local else "it is not in the registry")

    async def _policies_ready(self) -> None:
        if self.policies.findings:
            raise PolicyUnavailable(
                f"the newest policy files have {len(self.policies.findings)} fault(s); the last valid ones are in force",
                hint="run sordino policy check",
            )

    def _changed(self, _: object) -> None:
        log.info("the changed policy files are in force")
        self._spoken.look_again()

    async def _list_calls(self) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = []
        for tenant in self.policies.policies.tenants:
            rows += [{"tenant": tenant, "call": call} for call in await self.receipts.calls(tenant)]
        return rows

    def _with_demo_model(self, registry: Registry) -> Registry:
        url = self.settings.demo_llm
        return with_base_url(registry, DEMO_PROCESSOR, url, "local") if url else registry


def _tell_invalid(findings: tuple[Finding, ...]) -> None:
    log.error("the changed policy files have %d fault(s), so the last valid ones stay in force", len(findings))
    for finding in findings:
        log.error("%s", finding)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _report(name: str, failure: BaseException) -> None:
    log.error("the task %s ended with %s", name, type(failure).__name__)
