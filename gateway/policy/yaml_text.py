"""YAML text to plain values that remember where they stood.

YAML 1.2's core schema (yaml.org/spec/1.2.2, chapter 10.3), so ``no`` and ``on`` are words and not booleans, with one step towards
what people mean in these files: a scalar that begins with ``+`` or with a leading zero stays text, because it is a phone number.
Infinity and not-a-number stay text as well.
Tags, directives and a second document are refused; size, nesting and aliases are bounded, so no file can make us work for long.
The events come from libyaml where PyYAML was built with it; what they mean is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml
from yaml.events import AliasEvent, DocumentStartEvent, NodeEvent, ScalarEvent, SequenceStartEvent

from gateway.errors import Finding, Location

MAX_CHARACTERS = 256 * 1024
MAX_DEPTH = 20
MAX_BRACKETS = 40
"""Open ``[`` and ``{`` in the raw text: the scanner's work grows with their square, so they are counted before it runs."""
MAX_ALIASES = 100
MAX_NODES = 20_000

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"

PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Only its scanner and parser are used, for their events: it makes no objects for us."""
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""What is no c-printable character (YAML 1.2.2, 5.1), and the byte order mark, which may stand at a file's beginning alone."""

_INT = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a file: a scalar, a list or a mapping, with its line and column (from 1)."""

    line: int
    column: int
    scalar: bool | int | float | str | None = None
    items: tuple[Node, ...] | None = None
    entries: dict[str, tuple[Location, Node]] | None = None
    size: int = 1
    """Values in it, aliases counted each time they are used."""

    def plain(self) -> Plain:
        if self.entries is not None:
            return {key: node.plain() for key, (_, node) in self.entries.items()}
        if self.items is not None:
            return [node.plain() for node in self.items]
        return self.scalar


class _Refused(Exception):
    """Reading cannot go on after this fault."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


@dataclass(slots=True)
class _Reader:
    file: str
    events: Iterator[Any]
    findings: list[Finding] = field(default_factory=list)
    anchors: dict[str, Node | None] = field(default_factory=dict)
    aliases: int = 0
    nodes: int = 0

    def where(self, event: Any) -> Location:
        return Location(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def refuse(self, event: Any, message: str, hint: str) -> _Refused:
        return _Refused(Finding(message, self.where(event), hint))

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                if event.version is not None or event.tags:
                    raise self.refuse(event, "YAML directives are not taken", "remove the line that begins with %")
            elif isinstance(event, NodeEvent):
                if root is not None:
                    raise self.refuse(event, "a second document begins here", "write one document in a file: remove the ---")
                root = self.node(event, depth=1)
        return root

    def node(self, event: Any, *, depth: int) -> Node:
        self.nodes += 1
        if depth > MAX_DEPTH:
            raise self.refuse(event, f"nested deeper than {MAX_DEPTH} levels", "no policy needs that: flatten it")
        if self.nodes > MAX_NODES:
            raise self.refuse(event, f"more than {MAX_NODES} values in one file", "split it into several files")
        if isinstance(event, AliasEvent):
            return self.alias(event)
        if event.tag is not None and event.tag != "!":
            raise self.refuse(event, "YAML tags are not taken", "remove the word that begins with !")
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        node = self.collection(event, depth) if not isinstance(event, ScalarEvent) else self.scalar(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, event: AliasEvent) -> Node:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            raise self.refuse(event, f"more than {MAX_ALIASES} aliases in one file", "write the values out, or use a pack")
        target = self.anchors.get(event.anchor)
        if target is None:
            raise self.refuse(event, f"*{event.anchor} stands for nothing that ended before it", "write the value out")
        self.nodes += target.size
        if self.nodes > MAX_NODES:
            raise self.refuse(event, f"aliases make more than {MAX_NODES} values", "write the values out, or use a pack")
        return Node(
            event.start_mark.line + 1, event.start_mark.column + 1, target.scalar, target.items, target.entries, target.size
        )

    def scalar(self, event: ScalarEvent) -> Node:
        value: bool | int | float | str | None = event.value
        if event.style in (None, "") and event.tag is None:
            value = plain_scalar(event.value)
        return Node(event.start_mark.line + 1, event.start_mark.column + 1, scalar=value)

    def collection(self, event: Any, depth: int) -> Node:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        before = self.nodes
        if isinstance(event, SequenceStartEvent):
            items = tuple(self.node(inner, depth=depth + 1) for inner in self.until_end())
            return Node(line, column, items=items, size=1 + self.nodes - before)
        entries: dict[str, tuple[Location, Node]] = {}
        for key in self.until_end():
            if not isinstance(key, ScalarEvent):
                raise self.refuse(key, "a key must be a single word", "write `key: value`")
            node = self.node(next(self.events), depth=depth + 1)
            self.entry(entries, key, node)
        return Node(line, column, entries=entries, size=1 + self.nodes - before)

    def entry(self, entries: dict[str, tuple[Location, Node]], key: ScalarEvent, node: Node) -> None:
        name = str(key.value)
        shown = name if len(name) <= 40 else name[:40] + "…"
        where = self.where(key)
        if name in entries:
            first = entries[name][0]
            self.findings.append(Finding(f"the key {shown!r} is written twice", where, f"it stands in line {first.line} already"))
            return
        if node.scalar is None and node.items is None and node.entries is None:
            self.findings.append(Finding(f"the key {shown!r} has no value", where, "write a value, or remove the line"))
            return
        entries[name] = (where, node)

    def until_end(self) -> Iterator[Any]:
        for event in self.events:
            if not isinstance(event, NodeEvent):
                return
            yield event


def plain_scalar(text: str) -> bool | int | float | str | None:
    """What an unquoted scalar without a tag means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if len(text) < 40 and _FLOAT.fullmatch(text):
        return float(text)
    return text


def read_yaml(file: str, text: str) -> tuple[Node | None, tuple[Finding, ...]]:
    """The one document of ``text``, or None, and every fault of its form. ``file`` is the name that the findings carry.

    Never raises for any text. Some faults (a key written twice) leave a document that can be checked further, others end it.
    """
    if (excess := too_much(file, text)) is not None:
        return None, (excess,)
    reader = _Reader(file, iter(()))
    try:
        reader.events = iter(PARSER(text).get_event, None)
        root = reader.document()
    except _Refused as refused:
        return None, (*reader.findings, refused.finding)
    except yaml.MarkedYAMLError as broken:
        return None, (*reader.findings, _syntax(file, broken))
    except (yaml.YAMLError, OverflowError, ValueError) as broken:
        return None, (*reader.findings, _unreadable(file, text, int(getattr(broken, "position", 0))))
    if root is None:
        return None, (Finding("the file is empty", Location(file, 1, 1), "write the policy, or remove the file"),)
    return root, tuple(reader.findings)


def too_much(file: str, text: str) -> Finding | None:
    """Why ``text`` is not even begun: too long, too many open brackets, or a character that YAML does not have."""
    if len(text) > MAX_CHARACTERS:
        return Finding(
            f"the file has more than {MAX_CHARACTERS // 1024} Ki characters", Location(file, 1, 1), "split it into several files"
        )
    if (strange := _UNPRINTABLE.search(text)) is not None:
        return _unreadable(file, text, strange.start())
    if text.count("[") + text.count("{") <= MAX_BRACKETS:
        return None
    depth = 0
    for match in re.finditer(r"[\[\]{}]", text):
        depth = depth + 1 if match[0] in "[{" else max(0, depth - 1)
        if depth > MAX_BRACKETS:
            return Finding("too many open brackets", _at(file, text, match.start()), "close them: no policy needs that")
    return None


def _syntax(file: str, broken: yaml.MarkedYAMLError) -> Finding:
    mark = broken.problem_mark or broken.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    said = str(broken.problem or "this cannot be read")
    hint = "look for a missing quote, colon or space near here"
    if broken.context_mark is not None and mark is not None and broken.context_mark.line != mark.line:
        hint = f"what is open here began in line {broken.context_mark.line + 1}: look for a missing quote, bracket or indentation"
    if "'\\t'" in said or "cannot start any token" in said:
        hint = "indent with spaces, never with tabs; put a value that begins with a sign in quotes"
    elif "undefined alias" in said:
        hint = "write the value out"
    elif "escape" in said:
        hint = "write the character itself, or put the value in single quotes"
    return Finding(f"not YAML: {said}", Location(file, line, column), hint)


def _unreadable(file: str, text: str, position: int) -> Finding:
    return Finding(
        "a character here cannot stand in YAML", _at(file, text, position), "remove it, or write it as an escape in quotes"
    )


def _at(file: str, text: str, position: int) -> Location:
    before = text[:position]
    return Location(file, before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)


__all__ = ["Node", "Plain", "plain_scalar", "read_yaml", "too_much"]
