"""What the floors below the rim need from it, as Protocols. The rim implements them; ``app.py`` joins the two.

Every method that sends data out of the machine takes a Grant (law 1). Every method that cannot answer raises a typed error
of ``gateway.errors`` within its bound, and then the data stays in (law 2).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol, runtime_checkable

from gateway.evidence.entries import Draft, Entry, Json
from gateway.policy.egress import Ask, Decision, Grant
from gateway.redaction.audio_spans import HeardSpeech
from gateway.redaction.mask import Masked
from gateway.redaction.surrogate import Dressed
from gateway.values import (
    CallId,
    DataCategory,
    Hop,
    MaskedText,
    Pcm,
    Placeholder,
    Private,
    ProcessorId,
    Span,
    TenantId,
    Transcribed,
)


class Clock(Protocol):
    """Time as an argument. ``now`` is aware UTC; ``monotonic`` is in seconds and only good for differences."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...


class Ids(Protocol):
    """Randomness as an argument."""

    def new(self, prefix: str) -> str:
        """A fresh id that nobody can guess and that sorts by time: ``call_01j…``."""
        ...


class Detector(Protocol):
    """Finds private data in a text, off the event loop."""

    async def detect(self, text: Private[str], *, language: str, previous: str = "") -> Sequence[Span]:
        """Spans in ``text``, possibly overlapping. ``previous`` is the other side's last turn, already masked.

        Raises:
            RedactionUnavailable: no answer within the bound, or the worker is broken.
        """
        ...


class Masker(Protocol):
    """The mask of one call. Placeholders are stable within it; every new one is in the vault before the text is returned."""

    async def mask(self, text: Private[str], *, previous: str = "", from_model: bool = False, said: bool = True) -> Masked:
        """``previous``: the other side's last turn, masked. ``from_model``: the placeholders in ``text`` are ours and stay.

        ``said`` false: nobody said it (a tool's result, instructions), so it is no turn of the conversation.

        Raises RedactionUnavailable or StoreUnavailable: then there is no masked text, and nothing may be sent.
        """
        ...

    async def ahead(self, text: Private[str], *, previous: str = "") -> None:
        """Read what the caller has said so far, so that the ``mask`` of the very same text has nothing left to do.

        It decides nothing and never raises one of our errors; cancel it when newer words come.
        """
        ...

    def current(self, text: MaskedText) -> MaskedText:
        """A masked text of this call as it is to be sent now: a later turn may have told that words in it were private."""
        ...

    def dress(self, texts: Sequence[str]) -> Dressed:
        """The masked texts of one request as its recipient sees them: with stand-ins where the policy says ``surrogate``.

        Pass all of its texts, also those that were never masked (instructions, tools): a stand-in that one of them holds is not
        used. What comes back in the answer goes through ``Dressed.back`` first, and is then masked text as ever.
        """
        ...

    def restore(self, placeholder: Placeholder) -> Private[str] | None:
        """The value behind a placeholder of this call, or None for one that this call never gave out."""
        ...


class CallVault(Protocol):
    """The encrypted memory of one call: placeholder to value."""

    async def remember(self, values: Mapping[Placeholder, Private[str]]) -> None:
        """Raises StoreUnavailable unless the store has confirmed the write."""
        ...

    async def recall(self) -> dict[Placeholder, Private[str]]: ...
    async def destroy(self) -> None:
        """Delete the values and the call's key: every copy becomes unreadable."""
        ...


class Vault(Protocol):
    async def open(self, tenant: TenantId, call: CallId) -> CallVault:
        """Raises StoreUnavailable."""
        ...


class Ledger(Protocol):
    """The append-only chain of one gateway's evidence, in one stream per tenant."""

    async def append(self, draft: Draft) -> Entry:
        """Seal and store one entry. Returns when the store has confirmed it (and its fsync, where the server can).

        Raises:
            EvidenceUnavailable: not confirmed within the bound. What the entry was to record must not happen.
        """
        ...


class Policy(Protocol):
    """The tenant's instructions as they are now."""

    def decide(self, ask: Ask) -> Decision:
        """Raises PolicyUnavailable when there is no valid policy for the tenant."""
        ...


class SpeechToText(Protocol):
    async def transcribe(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Private[str]:
        """One stretch of speech (mono PCM, any rate) to text. Raises UpstreamFailed or UpstreamTimeout."""
        ...


@runtime_checkable
class TimedSpeechToText(SpeechToText, Protocol):
    """A recogniser that may know when each word was said. Ask with ``isinstance``."""

    async def transcribe_words(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Transcribed:
        """As ``transcribe``, with the times of the words where the processor gives them."""
        ...


class TextToSpeech(Protocol):
    @property
    def rate(self) -> int:
        """Sample rate of what ``speak`` yields, in Hz."""
        ...

    def speak(self, grant: Grant, text: Private[str], *, language: str) -> AsyncIterator[Pcm]:
        """Speech for one sentence or more, in pieces as they are ready. Raises UpstreamFailed or UpstreamTimeout."""
        ...


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to call a tool. ``arguments`` is JSON that may hold placeholders, never private values."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message towards a model: only masked text fits in."""

    role: str
    text: MaskedText
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class ToolSpec:
    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How an answer is wished for. None: the processor's own default. Each dialect says what it can of this."""

    most_tokens: int | None = None
    top_p: float | None = None
    stop: tuple[MaskedText, ...] = ()
    tool_choice: str | None = None
    """``auto``, ``none``, ``required``, or ``tool:`` and the name of the tool that must be called."""
    parallel_tools: bool | None = None
    response_format: Mapping[str, object] | None = None
    """JSON to answer in, as OpenAI writes it: ``{"type": "json_object"}`` or a masked ``json_schema``."""
    choices: int = 1
    more: Mapping[str, int | float | str] = field(default_factory=dict)
    """Other fields of the OpenAI dialect that hold numbers or known words only: ``seed``, ``top_k``, ``reasoning_effort``."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    messages: tuple[ChatMessage, ...]
    tools: tuple[ToolSpec, ...] = ()
    temperature: float | None = None
    options: ChatOptions = ChatOptions()
    stream: bool = True
    """False: the processor is asked for the whole answer at once, and it still comes as deltas."""


class ChatDelta(NamedTuple):
    """One piece of an answer, still with placeholders. Tool calls come whole, in the last pieces."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    choice: int = 0
    """Which of several answers this belongs to, from 0."""
    refusal: bool = False
    """``text`` is the model's own way to say no."""
    finish: str = ""
    """Why this choice has ended: ``stop``, ``length``, ``tool_calls`` or ``content_filter``; empty while it goes on."""


class ChatModel(Protocol):
    def stream(self, grant: Grant, request: ChatRequest) -> AsyncIterator[ChatDelta]:
        """Raises UpstreamFailed or UpstreamTimeout, also in the middle; a cut stream is never taken for a whole one."""
        ...


class Secrets(Protocol):
    def read(self, name: str) -> Private[str]:
        """The secret of that name from the environment or the secrets folder. Raises Misconfigured."""
        ...


class Telemetry(Protocol):
    """Spans and metrics through the allow-list of attribute keys. A key that is not on it is dropped and counted."""

    def span(self, name: str, **attributes: str | int | float | bool) -> AbstractContextManager[SpanHandle]:
        """A span that is current inside the ``with``, below the current one."""
        ...

    def begin(self, name: str, parent: SpanHandle | None = None, **attributes: str | int | float | bool) -> SpanHandle:
        """A span that does not become current: for work that begins in one task and ends in another. ``end()`` it."""
        ...

    def count(self, name: str, value: int = 1, **labels: str) -> None: ...
    def gauge(self, name: str, change: int, **labels: str) -> None: ...
    def observe(self, name: str, value: float, **labels: str) -> None: ...


class SpanHandle(Protocol):
    def set(self, **attributes: str | int | float | bool) -> None: ...
    def fail(self, code: str) -> None:
        """Mark the span as failed with one of our error codes: never with a message."""
        ...

    def end(self) -> None:
        """Only for spans made by ``begin``. Safe to call twice."""
        ...


@dataclass(frozen=True, slots=True)
class TurnShown:
    """What an on-machine observer (the demo's terminal) sees of one turn. Never leaves the process."""

    kind: str
    """``heard``, ``masked``, ``answered``, ``announced``, ``routed``, ``latency``, ``ended``"""
    text: Private[str] | None = None
    masked: MaskedText | None = None
    facts: Mapping[str, str | int | float | bool] = field(default_factory=dict)


class Observer(Protocol):
    """Someone in this process who watches a call. The default watches nothing."""

    def saw(self, call: CallId, turn: TurnShown) -> None: ...


class Egress(Protocol):
    """The one door of a call: asks the policy, writes the answer down, and only then hands out the Grant."""

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
        """``model``: the one that a client asked for; it counts where the tenant's route leaves the choice to clients.

        ``about``: what the data speaks of, also where it is masked (``gateway.policy.categories``).

        Raises NoPermittedRoute (with every reason), PolicyUnavailable, or EvidenceUnavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class Played:
    """How much of a segment the caller heard, in ms, and who says so: ``mark`` (carrier), ``clock`` (our own), ``cleared``."""

    ms: float
    how: str


class Segment(Protocol):
    """One stretch of speech towards the caller."""

    async def push(self, pcm: Pcm, *, private: bool = False) -> None:
        """Any rate; waits when more than some seconds lie ready. ``private``: it may hold restored words."""
        ...

    def end(self) -> None:
        """No more audio comes."""
        ...

    async def played(self) -> Played:
        """Returns when the caller has heard the end, or the segment was cleared. Always returns: a carrier that never
        acknowledges is outwaited."""
        ...


class Playout(Protocol):
    """The way to the caller's ear: paces what is said, knows what was heard."""

    def begin(self, name: str) -> Segment:
        """A new segment, to be played after those before it."""
        ...

    def clear(self) -> None:
        """Stop at once (barge-in): what was not played is gone, and each open segment learns how far it got."""
        ...


class Tape(Protocol):
    """A recorder that hides what is private: told by the ear what it may keep. Nothing here waits or raises."""

    def understood(self, speech: HeardSpeech) -> None:
        """A stretch of the caller's speech, with its words and where they may not stay."""
        ...

    def settled(self, until_ms: float) -> None:
        """Nothing that the ear heard before ``until_ms`` is going to be understood any more."""
        ...


class ConversationEvents(Protocol):
    """What a conversation tells the one who runs the call."""

    def failed(self, code: str) -> None:
        """Something it stands on cannot answer: one of our error codes."""
        ...

    def finished(self) -> None:
        """The agent has said its last word."""
        ...

    async def record(self, kind: str, body: Mapping[str, Json]) -> None:
        """Write evidence of this call. Raises EvidenceUnavailable."""
        ...

    def show(self, turn: TurnShown) -> None: ...


class Conversation(Protocol):
    """An agent that hears, thinks and speaks, behind guards."""

    async def start(self) -> None:
        """Raises any of our errors when it cannot be started: then nothing was heard."""
        ...

    def hear(self, pcm: Private[Pcm]) -> None: ...

    async def aclose(self) -> None:
        """Stop hearing, thinking and speaking. Safe to call twice."""
        ...
