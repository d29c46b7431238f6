"""The small values that every floor shares: ids, kinds of data, and text that hides itself.

Nothing here does I/O, reads a clock or draws randomness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, NewType, NoReturn, TypeVar

TenantId = NewType("TenantId", str)
CallId = NewType("CallId", str)
ProcessorId = NewType("ProcessorId", str)
EntityType = NewType("EntityType", str)
"""A kind of personal data, in Presidio's spelling: ``PERSON``, ``CREDIT_CARD``…"""
Placeholder = NewType("Placeholder", str)
"""What stands for a private value towards a model: ``<PERSON_1>``."""
MaskedText = NewType("MaskedText", str)
"""Text that went through the mask: the only text that a model may receive. Only ``gateway.redaction`` makes it."""

T = TypeVar("T")
U = TypeVar("U")

HIDDEN = "‹private›"


class Private(Generic[T]):
    """A value that came from a caller. It shows itself to nobody who does not ask for it by name.

    ``repr``, ``str``, formatting, pickling and copying into JSON give the hidden form or an error, so that logs, spans,
    metrics, exceptions and crash reports can only ever show that (law 4). ``reveal()`` is the one door; search for it to
    review every place where private data is really used.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """The value itself. Every caller of this method is a place that an auditor will want to read."""
        return self._value

    def map(self, change: Callable[[T], U]) -> Private[U]:
        """The same privacy around a changed value."""
        return Private(change(self._value))

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Private) and bool(self._value == other._value)

    def __hash__(self) -> int:
        return hash((Private, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("private values are not pickled; reveal() what a worker process of ours needs")


class Hop(StrEnum):
    """A kind of processor: one leg of a call's data on its way out of the gateway."""

    TELEPHONY = "telephony"
    STT = "stt"
    LLM = "llm"
    TTS = "tts"
    REALTIME = "realtime"
    STORAGE = "storage"
    TELEMETRY = "telemetry"
    PAYMENT = "payment"


class DataCategory(StrEnum):
    """What kind of data a hop carries (promise 34)."""

    VOICE = "voice"
    TRANSCRIPT = "transcript"
    MASKED_TRANSCRIPT = "masked_transcript"
    CONTACT = "contact"
    PAYMENT = "payment"
    IDENTITY = "identity"
    HEALTH = "health"
    METADATA = "metadata"


class DataClass(StrEnum):
    """A class of kept data with a life of its own (promise 14)."""

    AUDIO = "audio"
    TRANSCRIPT = "transcript"
    VAULT = "vault"
    METADATA = "metadata"
    CONTACT = "contact"
    CONSENT = "consent"
    EVIDENCE = "evidence"
    TRACES = "traces"


@dataclass(frozen=True, slots=True)
class Span:
    """Where something private stands in a text: string offsets, end exclusive, and why we think so."""

    start: int
    end: int
    entity: EntityType
    score: float
    detector: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Pcm:
    """Mono signed 16-bit little-endian audio. ``rate`` in Hz. Its repr shows the length only."""

    samples: bytes
    rate: int

    @property
    def ms(self) -> float:
        return len(self.samples) / 2 / self.rate * 1000

    def __repr__(self) -> str:
        return f"Pcm({self.ms:.0f} ms at {self.rate} Hz)"


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word that was heard, and when: ms from the beginning of the audio that it stands in."""

    text: Private[str]
    start_ms: float
    end_ms: float


_LONGEST_MS = 3_600_000.0


@dataclass(frozen=True, slots=True)
class Transcribed:
    """What was heard. ``words`` is empty where the recogniser gives no times; their texts joined need not be ``text``."""

    text: Private[str]
    words: tuple[TimedWord, ...] = ()

    @staticmethod
    def of(text: str, words: Iterable[tuple[str, float, float]]) -> Transcribed:
        """With each word's beginning and end in ms. If one of them makes no sense, none is taken: who silences by a wrong time
        leaves the word to be heard.
        """
        timed = tuple(TimedWord(Private(word), start, end) for word, start, end in words)
        starts = [word.start_ms for word in timed]
        sane = starts == sorted(starts) and all(0 <= word.start_ms <= word.end_ms <= _LONGEST_MS for word in timed)
        return Transcribed(Private(text), timed if sane else ())


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of a call that was not recorded, in ms from the recording's beginning, and why: a word, never content."""

    start_ms: int
    end_ms: int
    reason: str
