"""How a caller and its carrier behave: well by default, or badly in a named way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Marks(StrEnum):
    PLAYED = "played"
    """Returned when everything before them was played, as Twilio does."""
    NEVER = "never"
    AT_ONCE = "at_once"
    """Returned when they come in, before anything was played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """``…_every``: 0 never, n at every n-th media message. ``speed``: how many times faster than real time the phone runs."""

    marks: Marks = Marks.PLAYED
    hang_up_after_ms: float | None = None
    duplicate_every: int = 0
    """The message is sent twice."""
    skip_every: int = 0
    """The message is numbered and never sent: a gap."""
    late_every: int = 0
    """The message is sent after the one that follows it."""
    junk_every: int = 0
    """A message that breaks the protocol is sent before it."""
    speed: float = 1.0


JUNK: tuple[str | bytes, ...] = (
    "no json at all",
    "[]",
    '{"event":"surprise"}',
    '{"event":"media"}',
    '{"event":"media","sequenceNumber":"x","streamSid":"MZ0","media":{}}',
    '{"event":"mark","mark":{"name":"never sent"}}',
    b"\x00\x01",
    "[" * 10_000,
    '{"event":"media","media":{"payload":"' + "A" * 100_000 + '"}}',
)
"""What ``junk_every`` sends in turn."""
