"""The beginning of a history that every request sends again: known by one digest, so that its hundredth turn costs as the tenth.

Kept are masked messages and a digest under a key of this process, never the client's words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.ports import ChatMessage
from gateway.runner.proxy.request import PlainMessage
from gateway.values import EntityType, MaskedText

NO_WORDS = MaskedText("")


@dataclass(frozen=True, slots=True)
class Beginning:
    """The first messages of a conversation as they were masked. None of them has tool calls, whose ids count from the first."""

    digest: bytes = b""
    messages: tuple[ChatMessage, ...] = ()
    counts: Mapping[EntityType, int] = field(default_factory=dict)
    """How many private values of each kind stand masked in them."""
    question: MaskedText = NO_WORDS
    """The assistant's last words in them."""


class Digesting:
    """A digest that grows with a history. ``key``: up to 64 bytes, secret (RFC 7693)."""

    def __init__(self, key: bytes) -> None:
        self._state = hashlib.blake2b(key=key, digest_size=24)

    def add(self, messages: Sequence[PlainMessage]) -> bytes:
        """The digest of all messages so far; in how many steps they came makes no difference to it."""
        data = "".join([f"{len(role)},{len(text := private.reveal())}:{role}{text}" for role, private, _, _ in messages])
        self._state.update(data.encode("utf-8", "surrogatepass"))
        return self._state.digest()


def without_calls(messages: Sequence[PlainMessage]) -> int:
    """How many messages stand before the first that has to do with a tool call."""
    for place, (_, _, calls, call_id) in enumerate(messages):
        if calls or call_id is not None:
            return place
    return len(messages)
