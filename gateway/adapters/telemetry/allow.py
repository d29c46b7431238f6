"""What telemetry may say: the allow-list of span names, attribute keys, metric names and, for each, the shape of its values.

The lists hold the names of the public contract and of OpenTelemetry's semantic conventions for generative AI
(https://opentelemetry.io/docs/specs/semconv/gen-ai/). A key that is not listed, and a value that does not have the shape of
its key, never reach an exporter: what is not known to be safe is taken for private (law 4). No shape admits a space, an ``@``
or a long run of digits, so a sentence, an e-mail address, a card number or a telephone number fits none of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeGuard

from gateway.values import DataClass

Value = str | int | float | bool
Check = Callable[[object], TypeGuard[Value]]

OTHER = "other"
"""Stands for a metric's label value, or a span's name, that was not let through: the count itself is kept."""

LONGEST = 64
LARGEST = 9_999_999
"""No count and no duration in ms of ours is larger (a call of 2 h 46 min); a telephone or card number written as a number is."""


def _shape(pattern: str) -> Check:
    whole = re.compile(pattern)

    def check(value: object) -> TypeGuard[Value]:
        if not isinstance(value, str) or len(value) > LONGEST or whole.fullmatch(value) is None:
            return False
        return _LONG_DIGITS.search(_DATE.sub("", value)) is None

    return check


def _id_shape(pattern: str) -> Check:
    """Like ``_shape``, for random ids of our own, in which digits may stand in any number."""
    whole = re.compile(pattern)

    def check(value: object) -> TypeGuard[Value]:
        return isinstance(value, str) and whole.fullmatch(value) is not None

    return check


def _one_of(*words: str) -> Check:
    known = frozenset(words)

    def check(value: object) -> TypeGuard[Value]:
        return isinstance(value, str) and str(value) in known

    return check


def _number(value: object) -> TypeGuard[Value]:
    return isinstance(value, int | float) and math.isfinite(value) and abs(value) <= LARGEST


def _flag(value: object) -> TypeGuard[Value]:
    return isinstance(value, bool)


_LONG_DIGITS = re.compile(r"\d(?:[-_./:]?\d){8,}")
_DATE = re.compile(r"(?<=[a-z\d]-)20\d\d-?[01]\d-?[0-3]\d$")
"""A model's name may end in its date: ``claude-opus-4-1-20250805``."""
_WORD = _shape(r"[a-z][a-z0-9]*(?:[_.-][a-z0-9]+){0,7}")
"""Names that we or the operator gave: ``policy_refused``, ``mistral``, ``eu-west-1``. Small letters, at most eight parts."""
_ENTITY = _shape(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+){0,5}")
_MODEL = _shape(r"[A-Za-z][A-Za-z0-9]*(?:[._:/-][A-Za-z0-9]+){0,9}|\*")
_OWN_ID = _id_shape(r"[a-z]{2,12}_[0-9a-z]{16,40}")
_DIGEST = _id_shape(r"(?:sha256:)?[0-9a-f]{64}")
_CURRENCY = _shape(r"[A-Z]{3}")
_LANGUAGE = _shape(r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?")
_HOP = _one_of("telephony", "stt", "llm", "tts", "realtime", "storage", "telemetry", "payment")
_STAGE = _one_of(
    "announce",
    "chat",
    "first_audio",
    "first_token",
    "listen",
    "mask",
    "model",
    "route",
    "speak",
    "total",
    "unmask",
)

ATTRIBUTES: Mapping[str, Check] = MappingProxyType(
    {
        "announcement": _WORD,
        "attempt": _number,
        "call": _OWN_ID,
        "candidates": _number,
        "carrier": _WORD,
        "code": _WORD,
        "count": _number,
        "dialect": _WORD,
        "durable": _one_of("fsync", "memory"),
        "entities": _number,
        "entity": _ENTITY,
        "first_audio_ms": _number,
        "first_token_ms": _number,
        "frames": _number,
        "grant": _OWN_ID,
        "hop": _HOP,
        "interrupted": _flag,
        "kind": _WORD,
        "language": _LANGUAGE,
        "masked": _number,
        "milliseconds": _number,
        "model": _MODEL,
        "outcome": _WORD,
        "permitted": _flag,
        "played_ms": _number,
        "policy": _DIGEST,
        "processor": _WORD,
        "reason": _WORD,
        "refused": _number,
        "region": _WORD,
        "restored": _number,
        "retryable": _flag,
        "speech_ms": _number,
        "stage": _STAGE,
        "tenant": _WORD,
        "tools": _number,
        "total_ms": _number,
        "turn": _number,
        "turn.number": _number,
        "turns": _number,
        "gen_ai.operation.name": _one_of("chat", "text_completion", "execute_tool"),
        "gen_ai.provider.name": _WORD,
        "gen_ai.request.model": _MODEL,
        "gen_ai.response.model": _MODEL,
        "gen_ai.usage.input_tokens": _number,
        "gen_ai.usage.output_tokens": _number,
        "error.type": _WORD,
    }
)
"""Attribute keys of spans. Our own may be given with or without the prefix ``sordino.`` that exporters see."""

SPANS = frozenset(
    {
        "sordino.call",
        "sordino.announce",
        "sordino.turn",
        "sordino.listen",
        "sordino.mask",
        "sordino.route",
        "sordino.unmask",
        "sordino.speak",
    }
)


class Instrument(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


METRICS: Mapping[str, tuple[Instrument, str, Mapping[str, Check]]] = MappingProxyType(
    {
        "sordino_turn_seconds": (Instrument.HISTOGRAM, "Time that one stage of a caller's turn took.", {"stage": _STAGE}),
        "sordino_masked_total": (Instrument.COUNTER, "Private values masked.", {"entity": _ENTITY}),
        "sordino_refusals_total": (Instrument.COUNTER, "Egress that was refused.", {"reason": _WORD}),
        "sordino_calls_active": (Instrument.GAUGE, "Calls in progress.", {}),
        "sordino_announcement_total": (Instrument.COUNTER, "Required announcements by how they ended.", {"outcome": _WORD}),
        "sordino_egress_total": (Instrument.COUNTER, "Data sent out under a Grant.", {"processor": _WORD, "region": _WORD}),
        "sordino_tokens_total": (
            Instrument.COUNTER,
            "Tokens that processors counted for the model proxy.",
            {"tenant": _WORD, "processor": _WORD, "kind": _one_of("input", "output")},
        ),
        "sordino_cost_micros_total": (
            Instrument.COUNTER,
            "What those tokens cost by the registry's prices, in millionths of the currency.",
            {"tenant": _WORD, "processor": _WORD, "currency": _CURRENCY},
        ),
        "sordino_sweeps_total": (
            Instrument.COUNTER,
            "Looks for conversations of the model proxy that nobody uses any more.",
            {"outcome": _one_of("done", "failed")},
        ),
        "sordino_anchors_total": (
            Instrument.COUNTER,
            "Heads of chains that were shown to witnesses outside.",
            {"outcome": _one_of("seen", "failed")},
        ),
        "sordino_deletions_total": (
            Instrument.COUNTER,
            "Things that were deleted and certified, by class of data.",
            {"data_class": _one_of(*(each.value for each in DataClass))},
        ),
        "sordino_retention_failures_total": (
            Instrument.COUNTER,
            "Places of a tenant's data that retention could not read to their end, by holding.",
            {"holding": _WORD},
        ),
        "sordino_sweeper_last_run_timestamp": (Instrument.GAUGE, "When retention was last looked after, in Unix seconds.", {}),
        "sordino_holds_overdue": (Instrument.GAUGE, "Legal holds whose review is past due.", {"tenant": _WORD}),
        "sordino_offboardings_overdue": (Instrument.GAUGE, "Ends of tenants that are past a deadline.", {"tenant": _WORD}),
        "sordino_cases_open": (Instrument.GAUGE, "Requests and incidents that are open.", {"kind": _WORD}),
        "sordino_cases_overdue": (Instrument.GAUGE, "Those of them with a deadline that is past.", {"kind": _WORD}),
        "sordino_chain_verified_total": (
            Instrument.COUNTER,
            "Entries of the evidence that the gateway has verified while it runs.",
            {"outcome": _one_of("whole", "broken")},
        ),
        "sordino_idle_receipts_total": (Instrument.COUNTER, "Conversations that ended because nobody used them.", {}),
        "sordino_access_total": (
            Instrument.COUNTER,
            "Requests of the control interface by how they were judged.",
            {"outcome": _one_of("allowed", "break_glass", "refused", "unauthenticated"), "right": _WORD},
        ),
        "sordino_carrier_faults_total": (Instrument.COUNTER, "Carriers' frames that broke their protocol.", {"kind": _WORD}),
        "sordino_telemetry_dropped_total": (
            Instrument.COUNTER,
            "Names, keys and values that telemetry did not let through.",
            {"what": _one_of("span", "key", "value", "metric", "label", "export")},
        ),
    }
)
"""Every metric: how it counts, what it says, and its labels with the shapes of their values."""


def span_name(name: str) -> str | None:
    """The name when it may be shown: one of the contract's, or ``chat`` with a model's name. Otherwise None."""
    if name in SPANS:
        return name
    operation, _, model = name.partition(" ")
    return name if operation == "chat" and _MODEL(model) else None


def wire_key(key: str) -> str:
    """The key as an exporter sees it."""
    return key if key.startswith(("sordino.", "gen_ai.", "error.")) else f"sordino.{key}"


WIRE: Mapping[str, Check] = MappingProxyType({wire_key(key): check for key, check in ATTRIBUTES.items()})
"""The same allow-list by the keys that exporters see."""
