"""What a client of the model proxy asks, whatever dialect it speaks: everything of people in it is private still."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.ports import ChatOptions
from gateway.values import Private

SYSTEM, DEVELOPER, USER, ASSISTANT, TOOL = "system", "developer", "user", "assistant", "tool"
FAILED = "The tool failed: "
"""Stands before what a tool gave back where it did not do what it was asked."""


class PlainCall(NamedTuple):
    """A tool call of the history. ``arguments`` is JSON with real values."""

    id: str
    name: str
    arguments: Private[str]


class PlainMessage(NamedTuple):
    """One message. ``role`` is ``system``, ``developer``, ``user``, ``assistant`` or ``tool``."""

    role: str
    text: Private[str]
    calls: tuple[PlainCall, ...] = ()
    call_id: str | None = None
    """For a tool's result: the call that it answers."""


@dataclass(frozen=True, slots=True)
class PlainTool:
    """A tool on offer. ``parameters`` is a JSON schema, in which defaults, examples and descriptions may hold anything."""

    name: str
    description: Private[str]
    parameters: Private[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class PlainRequest:
    """``options`` holds numbers and known words only; what may hold text stands beside it."""

    messages: tuple[PlainMessage, ...]
    model: str = ""
    tools: tuple[PlainTool, ...] = ()
    temperature: float | None = None
    stop: tuple[Private[str], ...] = ()
    response_format: Private[Mapping[str, object]] | None = None
    options: ChatOptions = field(default_factory=ChatOptions)
    stream: bool = False

    @property
    def answers_in_json(self) -> bool:
        """Whether the answer's text is JSON, so that what is restored in it must be escaped."""
        return self.response_format is not None
