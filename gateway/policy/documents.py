"""Texts of policy files to plain values, fast when they are right, and with the place of each fault when they are not.

Ten thousand tenants mostly say the same things. So a text is cut where a key or an item begins at its left edge, each part is
read once however many files hold it, and equal parts are one object. Whatever does not divide that simply (anchors, a bracket
that closes in a later line at the edge, a fault) is read whole by ``yaml_text.read_yaml``; the answer is the same either way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from gateway.errors import Finding, Location
from gateway.policy.yaml_text import MAX_DEPTH, MAX_NODES, PARSER, Node, Plain, plain_scalar, read_yaml, too_much

MAX_REMEMBERED = 20_000
MAX_REMEMBERED_CHARACTERS = 4_000

_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):(?=[ \n]|\Z)")
_SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*: ([A-Za-z][A-Za-z0-9_-]*)\n*")
_SIMPLE_LIST = re.compile(r"[A-Za-z_][A-Za-z0-9_]*: \[([A-Za-z0-9+][A-Za-z0-9+_-]*(?:, [A-Za-z0-9+][A-Za-z0-9+_-]*)*)\]\n*")
_EDGE = re.compile(r"^(?=[^ \n#])", re.MULTILINE)
_UNSAFE = re.compile("[\r\x85\u2028\u2029\ufeff&]")
"""Line breaks that are not ours, and anchors, which a later part may use."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One key with its value, or the items of one place of a list; ``size`` counts the values in it."""

    value: Plain
    size: int


@dataclass(slots=True)
class Parts:
    """What was read of parts of texts already. Belongs to whoever loads; a new one knows nothing."""

    known: dict[str, _Part | None] = field(default_factory=dict)

    def read(self, text: str) -> Plain:
        """The value of ``text``, or None when it must be read as a whole.

        Raises nothing. Values are shared between answers: they are to be read only.
        """
        begins = [match.start() for match in _EDGE.finditer(text)]
        if not begins or _says_something(text[: begins[0]]) or _UNSAFE.search(text) or too_much("", text) is not None:
            return None
        if text.startswith("- ", begins[0]):
            return self._list(text, begins)
        return self._mapping(text, begins)

    def _list(self, text: str, begins: list[int]) -> Plain:
        items: list[Plain] = []
        size = 1
        for begin, end in zip(begins, [*begins[1:], len(text)], strict=True):
            part = self._part(text[begin:end]) if text.startswith("- ", begin) else None
            if part is None or not isinstance(part.value, list):
                return None
            items += part.value
            size += part.size
        return items if size <= MAX_NODES else None

    def _mapping(self, text: str, begins: list[int]) -> Plain:
        # A list may stand at the edge below its key: its lines belong to that key.
        begins = [begin for begin in begins if not text.startswith("- ", begin)]
        entries: dict[str, Plain] = {}
        size = 1
        for begin, end in zip(begins, [*begins[1:], len(text)], strict=True):
            key = _KEY.match(text, begin)
            part = self._part(text[begin:end]) if key is not None else None
            if key is None or part is None or not isinstance(part.value, dict) or list(part.value) != [key[1]]:
                return None
            if key[1] in entries:
                return None
            entries[key[1]] = part.value[key[1]]
            size += part.size
        return entries if size <= MAX_NODES else None

    def _part(self, text: str) -> _Part | None:
        if (simple := _SIMPLE.fullmatch(text)) is not None:
            value = plain_scalar(simple[1])
            return None if value is None else _Part({text.partition(":")[0]: value}, 1)
        if text in self.known:
            return self.known[text]
        if (words := _SIMPLE_LIST.fullmatch(text)) is not None:
            listed: list[Plain] = [plain_scalar(word) for word in words[1].split(", ")]
            part = _Part({text.partition(":")[0]: listed}, 2 + len(listed))
            # Phone numbers are each tenant's own.
            return part if "+" in text else self._remembered(text, part)
        return self._remembered(text, _read_part(text))

    def _remembered(self, text: str, part: _Part | None) -> _Part | None:
        if len(text) <= MAX_REMEMBERED_CHARACTERS and len(self.known) < MAX_REMEMBERED:
            self.known[text] = part
        return part


class _WholeNeeded(Exception):
    """This part has something that only reading the whole file can judge."""


def _read_part(text: str) -> _Part | None:
    """As ``read_yaml`` reads it, without places: None for everything that it would find a fault in, and for anchors and tags."""
    try:
        following = PARSER(text).get_event
        following()  # the stream begins
        began = following()
        if type(began) is not DocumentStartEvent or began.version is not None or began.tags:
            return None
        value, size = _read_value(following(), following, 1)
        following()  # the document ends
        return _Part(value, size) if type(following()) is StreamEndEvent else None
    except (_WholeNeeded, yaml.YAMLError, OverflowError, ValueError):
        return None


def _read_value(event: Any, following: Callable[[], Any], depth: int) -> tuple[Plain, int]:
    kind = type(event)
    if depth > MAX_DEPTH or kind is AliasEvent or event.anchor is not None or event.tag is not None:
        raise _WholeNeeded
    if kind is ScalarEvent:
        return (event.value if event.style else plain_scalar(event.value)), 1
    size = 1
    if kind is SequenceStartEvent:
        items: list[Plain] = []
        while type(inner := following()) is not SequenceEndEvent:
            value, more = _read_value(inner, following, depth + 1)
            items.append(value)
            size += more
        return items, size
    entries: dict[str, Plain] = {}
    while type(key := following()) is not MappingEndEvent:
        if type(key) is not ScalarEvent or key.value in entries:
            raise _WholeNeeded
        value, more = _read_value(following(), following, depth + 1)
        if value is None:
            raise _WholeNeeded
        entries[key.value] = value
        size += more
    return entries, size


def _says_something(lines: str) -> bool:
    return any(line.strip(" ") and not line.lstrip(" ").startswith("#") for line in lines.split("\n"))


@dataclass(frozen=True)
class Source:
    """Where something that was read stands: a file's text, and the way to the value in it (an entry of the registry's list).

    Places are looked up when somebody asks, because to read a text with its places is slow and only faults need them.
    """

    file: str
    text: str
    of: tuple[int | str, ...] = ()

    @cached_property
    def _node(self) -> Node:
        node, _ = read_yaml(self.file, self.text)
        if node is None:  # it was read before, and texts do not change
            return Node(1, 1)
        for part in self.of:
            node = _inner(node, part)
        return node

    def at(self, *path: int | str, key: bool = False) -> Location:
        """Where the value at ``path`` stands, or with ``key`` its key. Parts that are not in the file are passed over."""
        node = self._node
        where = Location(self.file, node.line, node.column)
        for index, part in enumerate(path):
            if node.entries is not None and str(part) in node.entries:
                key_at, node = node.entries[str(part)]
                where = key_at if key and index == len(path) - 1 else Location(self.file, node.line, node.column)
            elif node.items is not None and isinstance(part, int) and part < len(node.items):
                node = node.items[part]
                where = Location(self.file, node.line, node.column)
        return where

    def item(self, index: int) -> Source:
        """The source of a list's item."""
        return Source(self.file, self.text, (*self.of, index))


def _inner(node: Node, part: int | str) -> Node:
    if node.items is not None and isinstance(part, int) and part < len(node.items):
        return node.items[part]
    return node.entries[str(part)][1] if node.entries is not None and str(part) in node.entries else node


def read_document(file: str, text: str, parts: Parts) -> tuple[Plain, tuple[Finding, ...]]:
    """The one document of ``text`` as plain values, or None, and every fault of its form. Never raises for any text."""
    value = parts.read(text)
    if value is not None:
        return value, ()
    node, findings = read_yaml(file, text)
    value = node.plain() if node is not None else None
    if value is None and not findings:
        return None, (Finding("the file says nothing", Location(file, 1, 1), "write the policy, or remove the file"),)
    return value, findings


__all__ = ["Parts", "Source", "read_document"]
