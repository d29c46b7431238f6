"""One call around the guarded parts: a real mask over a detector that knows a table, a door, and one who keeps what is told."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.adapters.conversation.turns import CallTurns
from gateway.adapters.detectors.masker import CallMasker
from gateway.adapters.telemetry.null import NullSpan, NullTelemetry
from gateway.errors import NoPermittedRoute, SordinoError
from gateway.evidence.entries import Json
from gateway.policy.egress import Grant
from gateway.ports import TurnShown
from gateway.redaction.mask import Replacement
from gateway.values import CallId, DataCategory, EntityType, Hop, Placeholder, Private, ProcessorId, Span, TenantId

NAME = "Jonathan Miller"
CARD = "4532118096612345"
KNOWN: Mapping[str, str] = {
    r"Jonathan Miller|Ada Lovelace": "PERSON",
    r"\b\d{16}\b": "CREDIT_CARD",
    r"\+?\d{11,13}\b": "PHONE_NUMBER",
}


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class TableDetector:
    """Finds what stands in the table. ``asked`` holds every text that it was given."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.previous: list[str] = []
        self.broken: SordinoError | None = None

    async def detect(self, text: Private[str], *, language: str, previous: str = "") -> Sequence[Span]:
        if self.broken is not None:
            raise self.broken
        self.asked.append(text.reveal())
        self.previous.append(previous)
        return [
            Span(found.start(), found.end(), EntityType(entity), 0.9, "table")
            for pattern, entity in KNOWN.items()
            for found in re.finditer(pattern, text.reveal())
        ]

    async def replace(self, text: Private[str], replacements: Sequence[Replacement]) -> Private[str]:
        whole = text.reveal()
        for each in reversed(replacements):
            whole = whole[: each.start] + each.token + whole[each.end :]
        return Private(whole)


class MemoryVault:
    def __init__(self) -> None:
        self.values: dict[Placeholder, Private[str]] = {}

    async def remember(self, values: Mapping[Placeholder, Private[str]]) -> None:
        self.values |= values

    async def recall(self) -> dict[Placeholder, Private[str]]:
        return dict(self.values)

    async def destroy(self) -> None:
        self.values.clear()


@dataclass(slots=True)
class Told:
    """Implements ``gateway.ports.ConversationEvents``: what a call was told, in order."""

    failures: list[str] = field(default_factory=list)
    ended: int = 0
    records: list[tuple[str, Mapping[str, Json]]] = field(default_factory=list)
    shown: list[TurnShown] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def failed(self, code: str) -> None:
        self.failures.append(code)
        self.changed.set()

    def finished(self) -> None:
        self.ended += 1
        self.changed.set()

    async def record(self, kind: str, body: Mapping[str, Json]) -> None:
        self.records.append((kind, body))
        self.changed.set()

    def show(self, turn: TurnShown) -> None:
        self.shown.append(turn)
        self.changed.set()

    def of(self, kind: str) -> list[TurnShown]:
        return [turn for turn in self.shown if turn.kind == kind]

    async def until(self, true: Callable[[], bool], within_s: float = 10) -> None:
        async with asyncio.timeout(within_s):
            while not true():
                self.changed.clear()
                await self.changed.wait()


class Door:
    """Implements ``gateway.ports.Egress``: grants each hop to its first processor that is not excluded; keeps every question."""

    def __init__(self, route: Mapping[Hop, Sequence[str]], *, dialect: str = "test") -> None:
        self.route = route
        self.dialect = dialect
        self.asked: list[tuple[Hop, frozenset[DataCategory], frozenset[ProcessorId]]] = []
        self.about: list[frozenset[DataCategory]] = []
        self.given: list[Grant] = []

    async def grant(
        self,
        hop: Hop,
        categories: frozenset[DataCategory],
        *,
        purpose: str = "conversation",
        excluding: frozenset[ProcessorId] = frozenset(),
        model: str = "",
        about: frozenset[DataCategory] = frozenset(),
    ) -> Grant:
        self.about.append(about)
        self.asked.append((hop, categories, excluding))
        for name in self.route.get(hop, ()):
            if name not in excluding:
                self.given.append(granted(hop, name, categories, number=len(self.given) + 1, dialect=self.dialect))
                return self.given[-1]
        raise NoPermittedRoute(f"nobody may receive it for {hop.value}", reasons=("nobody is left",))


def granted(hop: Hop, name: str, categories: frozenset[DataCategory], *, number: int = 1, dialect: str = "test") -> Grant:
    return Grant(
        id=f"grant_{number}",
        tenant=TenantId("acme"),
        call=CallId("call_1"),
        hop=hop,
        processor=ProcessorId(name),
        processor_name=name,
        dialect=dialect,
        base_url="",
        host="in-process",
        region="local",
        model="m-1",
        purpose="conversation",
        categories=categories,
        masked=hop is Hop.LLM,
        issued_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


HEAR = granted(Hop.STT, "ear", frozenset({DataCategory.VOICE}))
SPEAK = granted(Hop.TTS, "mouth", frozenset({DataCategory.TRANSCRIPT}))


@dataclass(slots=True)
class Measured:
    """Telemetry that keeps what was observed and which spans failed."""

    observed: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    counted: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)

    def span(self, name: str, **attributes: str | int | float | bool) -> NullSpan:
        return KeptSpan(name, self)

    def begin(self, name: str, parent: object = None, **attributes: str | int | float | bool) -> NullSpan:
        return KeptSpan(name, self)

    def count(self, name: str, value: int = 1, **labels: str) -> None:
        self.counted.append((name, value, labels))

    def gauge(self, name: str, change: int, **labels: str) -> None:
        self.counted.append((name, change, labels))

    def observe(self, name: str, value: float, **labels: str) -> None:
        self.observed.append(labels["stage"])


class KeptSpan(NullSpan):
    __slots__ = ("_kept", "_name")

    def __init__(self, name: str, kept: Measured) -> None:
        self._name = name
        self._kept = kept

    def fail(self, code: str) -> None:
        self._kept.failed.append((self._name, code))


class Call:
    """What the guarded parts of one call share, and everything that they told."""

    def __init__(
        self, *models: str, route: Mapping[Hop, Sequence[str]] | None = None, dialect: str = "test", default: str = "pseudonym"
    ) -> None:
        self.detector = TableDetector()
        self.vault = MemoryVault()
        self.masker = CallMasker(self.detector, self.vault, default=default)
        self.told = Told()
        self.door = Door(route or {Hop.LLM: models or ("first",), Hop.STT: ("ear",), Hop.TTS: ("mouth",)}, dialect=dialect)
        self.telemetry = Measured()
        self.failures: list[SordinoError] = []
        self.turns = CallTurns(
            masker=self.masker,
            egress=self.door,
            events=self.told,
            telemetry=self.telemetry,
            clock=WallClock(),
            call_span=NullTelemetry().begin("sordino.call"),
            on_failure=self.failures.append,
        )

    @property
    def codes(self) -> list[str]:
        return [error.code for error in self.failures]
